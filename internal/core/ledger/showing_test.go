package ledger

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const answered = "cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}"

// starts are the created timestamps by metric name.
func (r *rig) starts() map[string]time.Time {
	all := make(map[string]time.Time)
	for _, f := range r.ledger.Store().Snapshot().Families {
		all[f.Def.Name] = f.Points[0].Start
	}
	return all
}

// newSeriesRig is a rig of a live feed whose series of call a are new: they show 0 for two minutes.
func newSeriesRig(t *testing.T) *rig {
	t.Helper()
	r := newLiveRig(t, func(r *rig) { r.opts.ZeroFor = 2 * time.Minute })
	r.records(call("a"))
	return r
}

// counting.md 20: nothing of a first history is shown until it is done; then all
// at once, with the origin as start time.
func TestRule20FirstHistory(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opts.ZeroFor = 2 * time.Minute })
	r.records(call("a"), call("b"))
	if got := r.values(); len(got) != 0 {
		t.Fatalf("shown before the history is done: %v", got)
	}
	r.reopen() // a crash resumes it
	r.commit(&counting.Page{Records: []*cdr.Record{call("c")}, Position: &counting.Position{HistoryDone: true}})
	wantValues(t, r.values(), map[string]string{answered: "3"})
	if got := r.starts()["cdr_calls_total"]; !got.Equal(r.feed.State().Origin) {
		t.Fatalf("start %v, want the origin %v", got, r.feed.State().Origin)
	}
	r.reopen()
	wantValues(t, r.values(), map[string]string{answered: "3"})
	if got := r.starts()["cdr_calls_total"]; !got.Equal(r.feed.State().Origin) {
		t.Fatalf("after restart: start %v", got)
	}
}

// counting.md 20: an origin under two hours ago is left out.
func TestRule20NearOrigin(t *testing.T) {
	r := newRig(t, func(r *rig) { r.spec.Feed, r.spec.History = "pstn", time.Hour })
	r.commit(&counting.Page{Records: []*cdr.Record{call("a")}, Position: &counting.Position{HistoryDone: true}})
	wantValues(t, r.values(), map[string]string{answered: "1"})
	if got := r.starts()["cdr_calls_total"]; !got.IsZero() {
		t.Fatalf("start %v, want none", got)
	}
}

// counting.md 21: a new series shows 0 for zero_for, also across a restart, and
// its value only after that was written down.
func TestRule21ZeroFor(t *testing.T) {
	r := newSeriesRig(t)
	duration := "cdr_call_duration_seconds{inbound,byot_in,sbc1.example.com}"
	wantValues(t, r.values(), map[string]string{answered: "0", duration: "0/0"})
	r.clock.add(119 * time.Second)
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "0", duration: "0/0"})
	r.reopen() // waits anew
	r.clock.add(119 * time.Second)
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "0"})
	r.clock.add(time.Second)
	r.probe = func(string) error { return errInjected }
	if err := r.ledger.Show(t.Context()); !errors.Is(err, errInjected) {
		t.Fatalf("show: %v", err)
	}
	r.probe = nil
	wantValues(t, r.values(), map[string]string{answered: "0"})
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "1", duration: "1/60"})
	r.reopen()
	r.records(call("b"))
	wantValues(t, r.values(), map[string]string{answered: "2"})
	if got := r.starts()["cdr_calls_total"]; !got.Equal(epoch) {
		t.Fatalf("start %v, want %v", got, epoch)
	}
}

// TestRule21ZeroForOfAConnectionThatIsClosed: a proxy closes the idle connection between two polls, so each commit
// opens the database again. The wait of a new series doesn't start over each time.
func TestRule21ZeroForOfAConnectionThatIsClosed(t *testing.T) {
	r := newSeriesRig(t)
	for range 2 {
		r.clock.add(time.Minute)
		r.ledger.engine.MarkBroken()
		r.records(call("a"))
	}
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "1"})
}

// A receiver of OTLP takes another start for a reset, so a restart keeps it to the nanosecond.
func TestRule21StartIsKept(t *testing.T) {
	r := newLiveRig(t)
	r.clock.add(548 * time.Nanosecond)
	r.records(call("a"))
	was := r.starts()
	r.reopen()
	if got := r.starts(); len(was) == 0 || !maps.Equal(got, was) {
		t.Errorf("started at %v, after a restart %v", was, got)
	}
}

func (r *rig) show() {
	r.t.Helper()
	require.NoError(r.t, r.ledger.Show(r.t.Context()))
}

// counting.md 22, 25: past the limit open labels are folded, closed ones are kept, sums stay exact, and
// raising the limit moves nothing back. The trailing ratio has the same trunks as its counter.
func TestRule22Overflow(t *testing.T) {
	r := newLiveRig(t, func(r *rig) { r.opts.SeriesLimit = 2 })
	r.records(call("a", over("t1"), bypass(cdr.True)), call("b", over("t2"), bypass(cdr.True)))
	got := r.records(call("c", over("t3"), bypass(cdr.True)), call("d", over("t4"), bypass(cdr.False)),
		call("e", over("t4"), outcome(cdr.Busy)))
	if got.Overflow["cdr_calls_total"] != 3 {
		t.Fatalf("overflow %v", got.Overflow)
	}
	want := map[string]string{
		"cdr_calls_total{inbound,byot_in,answered,t1,false}":                   "1",
		"cdr_calls_total{inbound,byot_in,answered,t2,false}":                   "1",
		"cdr_calls_total{inbound,overflow,answered,overflow,false}":            "2",
		"cdr_calls_total{inbound,overflow,busy,overflow,false}":                "1",
		"cdr_call_failures_total{inbound,t4,busy,,,,user,false}":               "1",
		"cdr_call_duration_seconds{inbound,overflow,overflow}":                 "2/120",
		"cdr_call_connected_seconds_total{inbound,overflow,overflow,overflow}": "120",
	}
	wantValues(t, r.values(), want)
	wantValues(t, r.values(), map[string]string{
		"cdr_media_bypass_ratio{t2}": "1", "cdr_media_bypass_ratio{t3}": "", "cdr_media_bypass_ratio{overflow}": "0.5",
	})
	r.opts.SeriesLimit = 100
	r.reopen()
	r.records(call("f", over("t3")))
	want["cdr_calls_total{inbound,byot_in,answered,t3,false}"] = "1"
	wantValues(t, r.values(), want)
}

// counting.md 25: the trailing ratio covers the window, and after a restart the calls since then.
func TestRule25TrailingRatio(t *testing.T) {
	r := newLiveRig(t)
	ratio := "cdr_media_bypass_ratio{sbc1.example.com}"
	wantValues(t, r.values(), map[string]string{ratio: ""})
	r.records(call("a", bypass(cdr.True)), call("b", bypass(cdr.False)), call("c", bypass(cdr.False)),
		call("d", bypass(cdr.False)), call("e"))
	r.clock.add(30 * time.Minute)
	r.records(call("f", bypass(cdr.True)), call("a", bypass(cdr.True)))
	wantValues(t, r.values(), map[string]string{
		ratio: "0.4",
		"cdr_media_bypass_calls_total{sbc1.example.com,false}": "3",
	})
	r.probe = failAt("committed", engine.ErrIO) // the page is durable, and everything is read from the ledger again
	r.records(call("j", bypass(cdr.True)), call("k", bypass(cdr.True)), call("l", bypass(cdr.True)))
	r.probe = nil
	wantValues(t, r.values(), map[string]string{ratio: "0.625"})
	r.clock.add(30 * time.Minute)
	wantValues(t, r.values(), map[string]string{ratio: "1"})
	r.clock.add(30 * time.Minute)
	wantValues(t, r.values(), map[string]string{ratio: ""})
	r.records(call("g", bypass(cdr.False)), call("h", bypass(cdr.False)))
	r.reopen()
	wantValues(t, r.values(), map[string]string{ratio: ""})
	r.records(call("i", bypass(cdr.True)))
	wantValues(t, r.values(), map[string]string{ratio: "1"})
}

// counting.md 23: a metric whose definition changed starts with new series; the others keep theirs.
func TestRule23Catalogue(t *testing.T) {
	was := func(change func(*metrics.Def)) string {
		d := *metrics.CallLegs
		change(&d)
		return definitionOf(&d)
	}
	for name, was := range map[string]string{
		"an added label":  was(func(d *metrics.Def) { d.Labels = d.Labels[:3] }),
		"a removed label": was(func(d *metrics.Def) { d.Labels = append(slices.Clip(d.Labels), d.Labels[0]) }),
		"other bounds":    was(func(d *metrics.Def) { d.Bounds = []float64{1, 2} }),
		"another kind":    was(func(d *metrics.Def) { d.Kind = metrics.Seconds }),
	} {
		t.Run(name, func(t *testing.T) {
			r := newLiveRig(t)
			legs := func(r *cdr.Record) { r.Legs = []cdr.Leg{{Type: "accept", Outcome: cdr.Answered}} }
			const ofLegs = "cdr_call_legs_total{unknown,,accept,answered}"
			r.records(call("a", legs))
			r.exec(`UPDATE catalogue SET definition = ? WHERE metric = ?`, was, metrics.CallLegs.Name)
			r.reopen()
			wantValues(t, r.values(), map[string]string{answered: "1", ofLegs: ""})
			r.records(call("b", legs))
			r.reopen() // the new definition is known now
			wantValues(t, r.values(), map[string]string{answered: "2", ofLegs: "1"})
		})
	}
}

// A reload may bring another definition of the provider: what the last attempts show follows from it at once.
func TestReloadedReasons(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a", outcome(cdr.Failed)))
	for _, no := range []bool{true, false} {
		r.spec.NoReasons = no
		r.openFeed()
		if _, shown := r.values()["cdr_recent_faults{inbound,sbc1.example.com}"]; shown == no {
			t.Errorf("without reasons %t: faults are shown: %t", no, shown)
		}
	}
}

// counting.md 21: a source is removed while a new series shows 0, and added again later: the 0 wasn't shown meanwhile.
func TestRule21ZeroForOfASourceThatIsAddedAgain(t *testing.T) {
	r := newSeriesRig(t)
	r.clock.add(time.Second)
	r.ledger.Hide(r.spec.Source, r.spec.Feed)
	r.clock.add(time.Hour)
	r.openFeed()
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "0"})
	r.clock.add(2 * time.Minute)
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "1"})
}

// TestRule21ZeroForOfAnOutage: a replica without its lease shows nothing, so that time doesn't count.
func TestRule21ZeroForOfAnOutage(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	r := openRig(t, inDatabase(dsn, 0))
	r.opts.ZeroFor = 2 * time.Minute
	r.reopen()
	r.live()
	r.records(call("a"))
	r.clock.add(3 * time.Minute) // the database is away
	r.owner()
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "0"})
	for range 60 {
		r.clock.add(2 * time.Second)
		r.owner()
	}
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "1"})
}
