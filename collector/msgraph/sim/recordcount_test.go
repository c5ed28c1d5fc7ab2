package sim

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestCallTotalsAreWhatWasServed: whoever reads everything once counts the totals.
func TestCallTotalsAreWhatWasServed(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 450, nil)})
	for name, at := range map[string]time.Time{"in the day": begin.Add(12 * time.Hour), "after it": begin.Add(96 * time.Hour)} {
		for _, settle := range []time.Duration{0, 90 * time.Minute} {
			_, c, _ := startRecords(t, r, at, nil)
			got := newReader(settle)
			got.look(c)
			want := r.Totals(at, settle)
			compareCalls(t, name+", settle "+settle.String(), &got.CallTotals, &want)
			if len(want.Streams) < 60 || len(want.Ratings) != 5 || len(want.Emergency) == 0 || len(want.SessionFailures) < 10 {
				t.Errorf("%s: a world too small to tell: %d kinds of streams, %d ratings, %d emergencies, %d failures", name,
					len(want.Streams), len(want.Ratings), len(want.Emergency), len(want.SessionFailures))
			}
		}
	}
}

// TestCallTotalsOfSeveralLooks: calls count by the first version that was seen with a
// session, sessions by the first that was seen with them, media when the call has
// settled.
func TestCallTotalsOfSeveralLooks(t *testing.T) {
	v := UsualVersions()
	v.Moved, v.Young, v.Later = 0.5, 0.5, 0.3
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 300, only(func(_ *simulator.Kind, x *shape) bool { return x.most < 20 })), Versions: v})
	_, c, clock := startRecords(t, r, begin, nil)
	view := CallView{Settle: 90 * time.Minute}
	got := newReader(view.Settle)
	looks := []time.Duration{6 * time.Hour, 15 * time.Hour, 40 * time.Hour, 72 * time.Hour}
	for n := range 12 {
		looks = append(looks, 9*time.Hour+time.Duration(n)*20*time.Minute)
	}
	slices.Sort(looks)
	for _, after := range looks {
		view.At = append(view.At, begin.Add(after))
		clock.Set(begin.Add(after))
		got.look(c)
		want := r.TotalsOf(view)
		compareCalls(t, after.String(), &got.CallTotals, &want)
	}
	if want := r.TotalsOf(view); len(want.OutcomeChanges) == 0 {
		t.Error("no outcome has changed")
	}
	once := r.Totals(begin.Add(72*time.Hour), 90*time.Minute)
	if many := r.TotalsOf(view); many.Records != once.Records || many.Calls == nil {
		t.Errorf("%d records by many looks, %d by one", many.Records, once.Records)
	}
}

// TestCallTotalsOfAContinuousReader: one that reads at each instant at which something
// changes counts what the view says that it does.
func TestCallTotalsOfAContinuousReader(t *testing.T) {
	v := UsualVersions()
	v.Moved, v.Young, v.Later = 0.5, 0.5, 0.3
	world := recordWorld(t, 24, func(s *simulator.Settings) {
		only(func(_ *simulator.Kind, x *shape) bool { return x.most < 20 })(s)
	})
	r := newRecords(t, CallRecordSettings{Calls: world, Versions: v})
	view := CallView{Settle: 90 * time.Minute, Continuous: true, At: []time.Time{begin.Add(8 * time.Hour), begin.Add(60 * time.Hour)}}
	instants := []time.Time{view.At[0], view.At[1]}
	var p plan
	world.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
		r.sources[0].plan(c, &p)
		instants = append(instants, p.readable, p.end.Add(view.Settle))
		for _, x := range p.releases() {
			instants = append(instants, x.at)
		}
		return true
	})
	slices.SortFunc(instants, func(a, b time.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) })
	_, c, clock := startRecords(t, r, begin, nil)
	got := newReader(view.Settle)
	for _, at := range slices.Compact(instants) {
		if !at.Before(view.At[0]) && !at.After(view.At[1]) {
			clock.Set(at)
			got.look(c)
		}
	}
	want := r.TotalsOf(view)
	compareCalls(t, "continuous", &got.CallTotals, &want)
}

// TestCallTotalsOfARange: only calls that start in it, as they were first seen, count.
func TestCallTotalsOfARange(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 400, nil)})
	at, noon := begin.Add(96*time.Hour), begin.Add(12*time.Hour)
	whole := r.Totals(at, 0)
	first := r.TotalsOf(CallView{To: noon, At: []time.Time{at}})
	rest := r.TotalsOf(CallView{From: noon, At: []time.Time{at}})
	if first.Records+rest.Records != whole.Records || first.Records == 0 || rest.Records == 0 {
		t.Errorf("%d and %d of %d records", first.Records, rest.Records, whole.Records)
	}
	if none := r.TotalsOf(CallView{}); none.Records != 0 {
		t.Errorf("who never looked counted %d", none.Records)
	}
}

// TestRoutedCallsHaveRecords: the calls of Direct Routing have records under their
// correlation ids, also after a restart that forgot which were given out.
func TestRoutedCallsHaveRecords(t *testing.T) {
	routing := world(t, DirectRoutingMix(), 300, nil)
	at := begin.Add(48 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 100, nil), Routed: routing, RoutedShare: 0.5})
	_, c, _ := startRecords(t, r, at, func(s *Settings) { s.DirectRouting = routing })
	rows, _ := c.read("getDirectRoutingCalls" + day)
	if len(rows) < 300 {
		t.Fatalf("%d rows", len(rows))
	}
	got := newReader(0)
	got.look(c)
	want := r.Totals(at, 0)
	compareCalls(t, "with routed calls", &got.CallTotals, &want)

	correlated := map[string]bool{}
	routing.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool {
		correlated[call.CallID.String()] = true
		return true
	})
	again := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 100, nil), Routed: routing, RoutedShare: 0.5})
	_, fresh, _ := startRecords(t, again, at, nil)
	shared := 0
	for id := range got.calls {
		if !correlated[id] {
			continue
		}
		shared++
		if fresh.record(id) == nil {
			t.Errorf("%s isn't found after a restart", id)
		}
	}
	if shared < 90 || shared > 160 {
		t.Errorf("%d of 300 routed calls have records", shared)
	}
}
