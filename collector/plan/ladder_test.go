package plan

import (
	"slices"
	"testing"
	"time"
)

// TestRule06_EveryDelayHasItsLevel checks the arithmetic behind the promise for
// many configurations: some level sees each delay within its time, even when its
// read comes as late as it may.
func TestRule06_EveryDelayHasItsLevel(t *testing.T) {
	random := newRandom(1)
	for range 2000 {
		interval := time.Second * time.Duration(1+random.IntN(600))
		l := Ladder{Interval: interval, Lookback: interval + time.Duration(random.Float64()*float64(2000*interval))}
		for range 50 {
			late := time.Duration(random.Float64() * float64(l.Lookback))
			if !slices.ContainsFunc(levels(l), func(m int) bool {
				return l.Period(m) <= max(late/2, l.Interval) && l.Reach(m) >= late+l.Period(m)
			}) {
				t.Fatalf("interval %s, lookback %s: no level is in time for a delay of %s", l.Interval, l.Lookback,
					late)
			}
		}
		for m := range l.Last() + 1 {
			if l.Reach(m) < l.Owed(m)+l.Period(m) || m > 0 && (l.Reach(m) <= l.Reach(m-1) || l.Owed(m) < l.Owed(m-1)) {
				t.Fatalf("interval %s, lookback %s, level %d: reach %s, period %s, owed %s", l.Interval, l.Lookback, m,
					l.Reach(m), l.Period(m), l.Owed(m))
			}
		}
		if last := l.Last(); l.Owed(last) != l.Lookback {
			t.Fatalf("interval %s, lookback %s: the last level answers for %s only", l.Interval, l.Lookback,
				l.Owed(last))
		}
	}
}

func levels(l Ladder) []int {
	all := make([]int, l.Last()+1)
	for m := range all {
		all[m] = m
	}
	return all
}
