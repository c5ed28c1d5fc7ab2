package simulator

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// collect is every call of a world, printed.
func collect(w *World, to time.Time) []string {
	var all []string
	w.Each(time.Time{}, to, func(c *Call) bool {
		all = append(all, fmt.Sprintf("%s %s %s %s %v %+v", c.ID, c.CallID, c.Start, c.Other, c.Flaw, c.Versions()))
		return true
	})
	return all
}

func TestSameSeedSameWorld(t *testing.T) {
	// Kinds are pointers into the mix, so both worlds share one.
	s := spoilt(3000, byStart)
	one, two := collect(newTestWorld(t, s), time.Time{}), collect(newTestWorld(t, s), time.Time{})
	for i := range one {
		if one[i] != two[i] {
			t.Fatalf("call %d differs:\n%s\n%s", i, one[i], two[i])
		}
	}
	s.Seed++
	if other := collect(newTestWorld(t, s), time.Time{}); other[0] == one[0] {
		t.Error("another seed made the same call")
	}
}

// TestBreakAndMendTrunk: a trunk that is down loses every call, a part loses a part, and
// once it is mended, none; what started before stays as it was.
func TestBreakAndMendTrunk(t *testing.T) {
	s := Live(3, testMix(), begin, 10)
	w := newTestWorld(t, s)
	from, mended, end := begin.Add(time.Hour), begin.Add(70*time.Minute), begin.Add(80*time.Minute)
	lost := func(from, to time.Time) float64 {
		failed, all := 0, 0
		w.Each(from, to, func(c *Call) bool {
			if k := c.Versions()[0].Kind; k.Direction == cdr.Outbound && c.Trunk.Name == "a" {
				all++
				if k.Outcome == cdr.Failed {
					failed++
				}
			}
			return true
		})
		return float64(failed) / float64(all)
	}
	q := Query{From: begin, To: end, At: end.Add(24 * time.Hour)}
	before := rowsIn(w, q)
	w.FailPart("a", 0.5, from, end)
	if part := lost(from, end); part < 0.4 || part > 0.6 {
		t.Errorf("%g of the calls are lost, want half of them", part)
	}
	w.MendTrunk("a", from)
	w.FailPart("a", 1, from, end)
	w.FailPart("b", 1, from, end)
	rowsIn(w, q) // the entries used before are made again
	w.MendTrunk("a", mended)
	for name, c := range map[string]struct {
		from, to time.Time
		want     float64
	}{
		"before": {begin, from, 0}, "down": {from, mended, 1}, "mended": {mended, end, 0},
	} {
		if got := lost(c.from, c.to); got != c.want {
			t.Errorf("%s: %g of the calls are lost, want %g", name, got, c.want)
		}
	}
	if rows := rowsIn(w, q); rows == 0 || before == 0 || rows != totalsFor(w, q.From, q.To, q.At).Rows {
		t.Errorf("%d rows, the totals say %d", rows, totalsFor(w, q.From, q.To, q.At).Rows)
	}
}

// TestManyAtOnce asks, counts and fails a trunk at the same time; the race
// detector watches.
func TestManyAtOnce(t *testing.T) {
	s := spoilt(1500, byStart)
	w := newTestWorld(t, s)
	q := Query{From: begin, To: begin.Add(30 * time.Hour), At: begin.Add(99 * time.Hour)}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 2 {
				w.FailPart("a", 0.85, begin.Add(time.Duration(i)*time.Hour),
					begin.Add(time.Duration(i+1)*time.Hour))
				rowsIn(w, q)
				w.Totals(Once(q.At))
			}
		})
	}
	group.Wait()
	if rows, totals := rowsIn(w, q), w.Totals(Once(q.At)); rows != totals.Rows {
		t.Errorf("%d rows, the totals say %d", rows, totals.Rows)
	}
}
