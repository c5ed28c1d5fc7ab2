package counting_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestRule38ReusedIDs (counting.md 38): a record is another call if it starts more than an hour
// from the one that has its id. It stays so, however often both are read.
func TestRule38ReusedIDs(t *testing.T) {
	first := epoch.Add(-20 * time.Hour)
	at := func(apart time.Duration, amount string) *cdr.Record {
		return call("1", start(first.Add(apart)), charge(t, "call", "EUR", amount))
	}
	for name, c := range map[string]struct {
		apart time.Duration
		calls int
	}{
		"the same start":          {0, 1},
		"an hour later":           {time.Hour, 1},
		"an hour earlier":         {-time.Hour, 1},
		"more than an hour later": {time.Hour + time.Second, 2},
		"the next day":            {19 * time.Hour, 2},

		"more than an hour earlier": {-time.Hour - time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			for _, together := range []bool{false, true} {
				r := newRig(t, counting.Rules{ByArrival: true})
				one, other := at(0, "1"), at(c.apart, "2")
				if together {
					r.records(one, other)
				} else {
					r.records(one)
					r.restart()
					r.records(other)
				}
				r.restart()
				again := r.records(one, at(c.apart, "2"))
				if got := r.total("cdr_calls_total"); got != c.calls || again.New != 0 {
					t.Errorf("together %t: %d calls, then %+v", together, got, again)
				}
				charged, corrected := r.sum("cdr_call_charges_total", "EUR"),
					r.sum("cdr_call_charge_corrections_total", "EUR")
				if want := map[int]string{1: "1", 2: "3"}[c.calls]; charged.String() != want || c.calls == 2 &&
					corrected.Sign() != 0 {
					t.Errorf("together %t: charges %s, corrections %s", together, charged.String(), corrected.String())
				}
				if c.calls == 1 {
					continue
				}
				moved := r.records(at(c.apart+time.Minute, "5"), at(time.Minute, "4"))
				if moved.Revised != 2 || moved.New != 0 || r.total("cdr_calls_total") != 2 {
					t.Errorf("together %t: moved by a minute: %+v", together, moved)
				}
			}
		})
	}
}

// Ids that are used again three days later name the same kind of call: its parent's leg is still a machine's.
func TestReusedIDsOfParents(t *testing.T) {
	r := newRig(t, counting.Rules{Legs: true, Parents: true, ByArrival: true})
	r.settings.Settle, r.settings.WholeAfter = settle, 4*time.Hour
	for day := range 2 {
		begin := epoch.Add(time.Duration(3*day)*24*time.Hour - time.Hour)
		menu, telephone := call("7", start(begin)), call("8", start(begin.Add(time.Minute)))
		telephone.Parent, telephone.Outcome = "7", cdr.NoAnswer
		for _, one := range []*cdr.Record{menu, telephone} {
			one.CallID, one.NoDuration, one.End = "c", true, begin.Add(2*time.Minute)
		}
		menu.Answer = begin
		r.at = begin.Add(time.Hour)
		r.records(menu, telephone)
		callRig{r}.wait(settle)
		got := r.values()["cdr_calls_total{inbound,byot_in,machine,sbc1.example.com,false}"]
		if got != strconv.Itoa(day+1) {
			t.Errorf("day %d: %v", day, r.values())
		}
	}
}

// A record that is read while the machine's clock is a year behind is known again, then and once the clock is right.
func TestArrivalByAClockThatIsBehind(t *testing.T) {
	r := newRig(t, counting.Rules{ByArrival: true, Legs: true})
	one := func() *cdr.Record { return call("1", start(epoch)) }
	leg := func(id string) *cdr.Record { return call(id, inGroup("g"), start(epoch)) }
	r.state.HistoryDone, r.at = true, epoch.AddDate(-1, 0, 0)
	r.play(step{"first", page{one(), leg("a")}, "2 new"}, step{"again", page{one(), leg("a")}, "2 repeated"})
	r.at = epoch.AddDate(0, 0, 4)
	r.state.Floor = r.at.Add(-r.settings.KeepsIDs()).Truncate(time.Hour)
	r.play(step{"the clock is right", page{one(), leg("a")}, "2 repeated"})
}

// TestReusedIDsInAudits (counting.md 38): a call that isn't counted is missing, although another
// one has its id, and its log record has another uid.
func TestReusedIDsInAudits(t *testing.T) {
	r := newRig(t, counting.Rules{ByArrival: true})
	first, second := call("1", start(epoch.Add(-20*time.Hour))), call("1", start(epoch.Add(-10*time.Hour)))
	r.records(first)
	found := r.preview(r.at, first, second)
	if found[0].Status != counting.StatusCounted || found[1].Status != counting.StatusMissing ||
		found[0].Key == found[1].Key || found[0].Reused || !found[1].Reused {
		t.Errorf("found %v %v", found[0], found[1])
	}
	if uid := found[1].Event.UID(""); found[1].Event.Hour == 0 ||
		uid == (&counting.Event{Name: counting.EventCall, Version: 1}).UID("") {
		t.Errorf("event %+v", found[1].Event)
	}
	r.records(second)
	if found := r.preview(r.at, second); found[0].Status != counting.StatusCounted || !found[0].Reused {
		t.Errorf("then found %v", found[0])
	}
}

// counting.md 14, 36: a call, a recording and a parent are found from bucketReach away at least, wherever that lies.
func TestFactsAcrossSpans(t *testing.T) {
	recorded := func(c *cdr.Record) { c.Recordings = []cdr.Recording{{ID: "R1", Type: "automatic"}} }
	for offset := range 9 {
		for _, apart := range []time.Duration{bucketReach, -bucketReach} {
			from := bucketEdge.Add(bucketReach * time.Duration(offset) / 4)
			t.Run(fmt.Sprintf("%s after an edge, then %s", from.Sub(bucketEdge), apart), func(t *testing.T) {
				r := newRig(t, counting.Rules{Legs: true, Parents: true})
				r.settings.WholeAfter = 1000 * time.Hour
				r.records(
					call("a", inGroup("s-1"), recorded, start(from)),
					call("c", childOf("p"), outcome(cdr.Failed), start(from)))
				r.records(call("b", inGroup("s-1"), recorded, start(from.Add(apart))))
				r.records(call("p", outcome(cdr.Failed), start(from.Add(apart))))
				for name, want := range map[string]int{
					"cdr_calls_total": 2, "cdr_call_failures_total": 1, "cdr_recordings_total": 1,
				} {
					if got := r.total(name); got != want {
						t.Errorf("%s is %d, want %d", name, got, want)
					}
				}
			})
		}
	}
}

// counting.md 15: a record of a feed without hours is found whatever its start is now,
// and keeps being found by the start that it had first.
func TestRule15MovingStart(t *testing.T) {
	for offset := range 9 {
		from := bucketEdge.Add(-2*counting.BucketSeconds*time.Second + bucketReach*time.Duration(offset)/4)
		for _, by := range []time.Duration{
			time.Second, -time.Second, 5 * time.Hour, -5 * time.Hour, bucketReach,
			-bucketReach,
		} {
			t.Run(fmt.Sprintf("%s before an edge, by %s", bucketEdge.Sub(from), by), func(t *testing.T) {
				r := newMovingRig(t)
				r.records(call("a", start(from), alts("a2"), version(1)))
				r.restart()
				for _, at := range []time.Time{from.Add(by), from, from.Add(by)} {
					for _, id := range []string{"a", "a2"} {
						if got := r.records(call(id, start(at), version(1))); got.New != 0 || got.Duplicate != 1 {
							t.Fatalf("%s at %s: %+v", id, at, got)
						}
					}
				}
				if got := r.total("cdr_calls_total"); got != 1 || r.entries(byHour) != 0 {
					t.Errorf("%d calls, %d rows by hour", got, r.entries(byHour))
				}
			})
		}
	}
}

// TestRule37LastRows: counting.md 37: a row is known by its bytes only if nothing else has a part in what it means.
func TestRule37LastRows(t *testing.T) {
	legs, parents := counting.Rules{Legs: true}, counting.Rules{Legs: true, Parents: true}
	later, byBytes, decoded := counting.Rules{ChargesLater: true}, []uint64{7}, []uint64{0}
	synthetic := func(r *cdr.Record) { r.Synthetic = "s" }
	for name, test := range map[string]struct {
		rules  counting.Rules
		traces bool
		record *cdr.Record
		want   []uint64
	}{
		"a call":                         {counting.Rules{}, false, call("a"), byBytes},
		"not final yet":                  {counting.Rules{}, false, call("a", provisional), nil},
		"a leg":                          {legs, false, call("a", inGroup("g")), decoded},
		"may have children":              {parents, false, call("a"), decoded},
		"parts come with later versions": {counting.Rules{Grows: true}, false, call("a"), decoded},
		"it has another id too":          {counting.Rules{}, false, call("a", alts("b")), decoded},
		"another id of a known record":   {counting.Rules{}, false, call("other"), decoded},
		"without an id":                  {counting.Rules{}, false, call("", synthetic), decoded},
		"its spans are made":             {counting.Rules{}, true, call("a"), byBytes},
		"its spans wait for a charge":    {later, true, call("a"), decoded},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.rules)
			r.settings.Traces, r.settings.TracesHistory = test.traces, test.traces
			r.records(call("known", alts("other")))
			for _, round := range []string{"new", "again"} {
				r.commit(&counting.Page{Records: []*cdr.Record{test.record}, RowHashes: []uint64{7}, ObservedAt: r.at})
				var got []uint64
				for last := range r.decision.LastRows() {
					got = append(got, last.RowHash)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("%s: the last rows have the hashes %v, want %v", round, got, test.want)
				}
			}
		})
	}
}

// Of two rows of one record the last that was decided is the last: a version that is older doesn't
// come after one that is newer.
func TestRule37OrderOfLastRows(t *testing.T) {
	r := newRig(t, counting.Rules{})
	r.commit(&counting.Page{
		Records: []*cdr.Record{call("a", version(2)), call("a", version(1)), call("b")}, RowHashes: []uint64{2, 1, 3},
		Unchanged: 4, ObservedAt: r.at,
	})
	last := map[counting.Hash]counting.LastRow{}
	for one := range r.decision.LastRows() {
		last[one.Record] = one
	}
	if a := last[r.hasher.RecordHash("a")]; a.RowHash != 2 || !a.Changed {
		t.Errorf("the last row of a is %+v, want that of version 2, which changed the record", a)
	}
	got := r.commit(&counting.Page{
		Records: []*cdr.Record{call("b")}, RowHashes: []uint64{3}, Unchanged: 4,
		ObservedAt: r.at,
	})
	for one := range r.decision.LastRows() {
		if one.RowHash != 3 || one.Changed {
			t.Errorf("the last row of b is %+v, want 3, which changed nothing", one)
		}
	}
	if got.Duplicate != 5 {
		t.Errorf("%d repeats, want the row and the four that were left out", got.Duplicate)
	}
}
