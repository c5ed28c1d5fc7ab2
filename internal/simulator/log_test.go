package simulator

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// logMix is a log with everything that only some providers have: legs, and rows that
// aren't calls.
func logMix() *Mix {
	m := testMix()
	legs := []Leg{{Wire: "A", Type: "a", Outcome: cdr.Answered}, {Wire: "B", Type: "b", Outcome: cdr.NoAnswer}}
	m.Kinds = append(m.Kinds,
		Kind{Weight: 4, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Legs: legs},
		Kind{Weight: 2, Wire: "Fax", CallType: "fax", Outcome: cdr.Answered, Ignored: true},
	)
	m.Recordings = []Recording{{Weight: 1, Wire: "Automatic", Type: "automatic"}}
	m.Milliseconds = true
	return m
}

// logged is a world of a log in which all that can happen happens.
func logged(n int) Settings {
	s := spoilt(n, newestFirst)
	s.Mix, s.NoID = logMix(), 0
	s.InProgress, s.Recorded, s.RecordedLate = 0.3, 0.5, 0.5
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
	progressing, late := 0, 0
	for _, c := range eachCall(newTestWorld(t, s)) {
		versions := c.Versions()
		for i := range versions {
			v := &versions[i]
			switch {
			case i > 0 && v.Published.Before(versions[i-1].Published):
				t.Fatalf("version %d comes before the one that it follows", i)
			case v.InProgress &&
				(i > 0 || !v.Published.After(c.Start) || !v.Published.Before(c.End(c.final()))):
				t.Fatal("a call in progress is listed when it isn't")
			case !v.InProgress && v.Published.Before(c.End(v)):
				t.Fatal("a call is listed as ended when it goes on")
			case i > 0 && v.InProgress:
				t.Fatal("a final row became unfinished")
			case i > 0 && versions[i-1].Recorded && !v.Recorded:
				t.Fatal("a recording went away")
			case v.Published.Sub(c.Start) > max(s.MaxLate, c.final().Duration):
				t.Fatalf("published %s after the start", v.Published.Sub(c.Start))
			}
			if v.InProgress {
				progressing++
			}
		}
		if c.Recording != nil && !versions[0].Recorded && !versions[0].InProgress {
			late++
		}
	}
	if progressing < 100 || late < 100 {
		t.Errorf("%d in progress, %d recorded late", progressing, late)
	}
}
