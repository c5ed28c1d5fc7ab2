package simulator

import (
	"testing"
	"time"
)

// TestCallAt: a place gives the call that was met there.
func TestCallAt(t *testing.T) {
	w := newTestWorld(t, spoilt(2000, Shuffled))
	var again Call
	n := 0
	w.Each(time.Time{}, time.Time{}, func(c *Call) bool {
		w.CallAt(&again, c.Block, c.Number)
		if n++; again != *c {
			t.Fatalf("%+v, want %+v", again, *c)
		}
		return true
	})
	if n != 2000 {
		t.Errorf("%d calls", n)
	}
	if allocations := testing.AllocsPerRun(100, func() { w.CallAt(&again, 1, 1) }); allocations != 0 {
		t.Errorf("%g allocations", allocations)
	}
}

// TestSpan: a live world has no end.
func TestSpan(t *testing.T) {
	s := spoilt(10, ByStart)
	if from, to := newTestWorld(t, s).Span(); !from.Equal(s.From) || !to.Equal(s.To) {
		t.Errorf("from %s to %s", from, to)
	}
	live := Live(1, s.Mix, s.From, 1)
	if from, to := newTestWorld(t, live).Span(); !from.Equal(s.From) || !to.IsZero() {
		t.Errorf("from %s to %s", from, to)
	}
}
