package simulator

import (
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// logMix is a log with everything that only some providers have: lists, legs, second rows, rows
// that aren't calls or are never final.
func logMix() *Mix {
	m := testMix()
	other := Kind{
		Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Priced: true,
		OwnCall: true,
	}
	view := Kind{
		Weight: 1, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Free: true,
		View: true,
	}
	legs := []Leg{{Wire: "A", Type: "a", Outcome: cdr.Answered}, {Wire: "B", Type: "b", Outcome: cdr.NoAnswer}}
	missed := Kind{Weight: 1, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.NoAnswer}
	m.Kinds = append(m.Kinds,
		Kind{
			Weight: 4, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Priced: true,
			Second: &other,
		},
		Kind{
			Weight: 4, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Free: true,
			Second: &view,
		},
		Kind{
			Weight: 4, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Legs: legs,
			Plain: &missed,
		},
		Kind{Weight: 2, Wire: "Fax", CallType: "fax", Outcome: cdr.Answered, Ignored: true},
		Kind{Weight: 2, Wire: "Odd", CallType: "endless", Unfinished: true},
	)
	m.Recordings = []Recording{{Weight: 1, Wire: "Automatic", Type: "automatic"}}
	m.Milliseconds = true
	return m
}

// logged is a world of a log in which all that can happen happens.
func logged(n int) Settings {
	s := spoilt(n, newestFirst)
	s.Mix, s.NoID = logMix(), 0
	s.InProgress, s.Unsaid, s.Recorded, s.RecordedLate = 0.3, 0.2, 0.5, 0.5
	return s
}

// eachCall is every call of a world, copied.
func eachCall(w *World) []Call {
	var all []Call
	w.Each(time.Time{}, time.Time{}, func(c *Call) bool {
		all = append(all, *c)
		return true
	})
	return all
}

func TestVersionsOfALogAreInOrder(t *testing.T) {
	s := logged(5000)
	progressing, unsaid, late := 0, 0, 0
	for _, c := range eachCall(newTestWorld(t, s)) {
		versions := c.Versions()
		for i := range versions {
			v := &versions[i]
			switch {
			case i > 0 && v.Published.Before(versions[i-1].Published):
				t.Fatalf("version %d comes before the one that it follows", i)
			case v.State == InProgress &&
				(i > 0 || !v.Published.After(c.Start) || !v.Published.Before(c.End(c.final()))):
				t.Fatal("a call in progress is listed when it isn't")
			case v.State != InProgress && v.Published.Before(c.End(v)):
				t.Fatal("a call is listed as ended when it goes on")
			case i > 0 && v.State != Final && !v.Kind.Unfinished:
				t.Fatal("a final row became unfinished")
			case i > 0 && versions[i-1].Recorded && !v.Recorded:
				t.Fatal("a recording went away")
			case v.Published.Sub(c.Start) > max(s.MaxLate, c.final().Duration):
				t.Fatalf("published %s after the start", v.Published.Sub(c.Start))
			}
			progressing += len(slices.DeleteFunc([]State{v.State}, func(s State) bool { return s != InProgress }))
			unsaid += len(slices.DeleteFunc([]State{v.State}, func(s State) bool { return s != NoResult }))
		}
		if c.Recording != nil && !versions[0].Recorded && versions[0].State == Final {
			late++
		}
	}
	if progressing < 100 || unsaid < 100 || late < 100 {
		t.Errorf("%d in progress, %d without a result, %d recorded late", progressing, unsaid, late)
	}
}
