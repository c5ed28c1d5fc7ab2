package collector

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestRule06_Levels(t *testing.T) {
	for _, c := range []struct {
		interval, lookback time.Duration
		want               []time.Duration // reach by level
	}{
		{time.Minute, 48 * time.Hour, []time.Duration{
			9 * time.Minute, 18 * time.Minute, 36 * time.Minute, 72 * time.Minute, 144 * time.Minute,
			288 * time.Minute, 576 * time.Minute, 1152 * time.Minute, 2304 * time.Minute, 60 * time.Hour,
		}},
		{5 * time.Minute, 72 * time.Hour, []time.Duration{
			45 * time.Minute, 90 * time.Minute, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 90 * time.Hour,
		}},
		{time.Second, 8 * time.Second, []time.Duration{9 * time.Second, 10 * time.Second}},
		{time.Second, 7200 * time.Millisecond, []time.Duration{9 * time.Second}},
		// Less than four intervals: a quarter more than the lookback would be too little.
		{time.Minute, 3 * time.Minute, []time.Duration{4 * time.Minute}},
		{time.Minute, time.Minute, []time.Duration{2 * time.Minute}},
	} {
		l := ladder{interval: c.interval, lookback: c.lookback}
		var got []time.Duration
		for m := range l.last() + 1 {
			got = append(got, l.reach(m))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("interval %s, lookback %s reach back %v, want %v", c.interval, c.lookback, got, c.want)
		}
	}
}

// TestRule06_EveryDelayHasItsLevel checks the arithmetic behind the promise for
// many configurations: some level sees each delay within its time, even when its
// read comes as late as it may.
func TestRule06_EveryDelayHasItsLevel(t *testing.T) {
	random := seeded(1)
	for range 2000 {
		interval := time.Second * time.Duration(1+random.IntN(600))
		l := ladder{interval: interval, lookback: interval + time.Duration(random.Float64()*float64(2000*interval))}
		for range 50 {
			late := time.Duration(random.Float64() * float64(l.lookback))
			if !slices.ContainsFunc(levels(l), func(m int) bool {
				return l.period(m) <= max(late/4, l.interval) && l.reach(m) >= late+l.period(m)
			}) {
				t.Fatalf("interval %s, lookback %s: no level is in time for a delay of %s", l.interval, l.lookback, late)
			}
		}
		for m := range l.last() + 1 {
			if l.reach(m) < l.owed(m)+l.period(m) || m > 0 && (l.reach(m) <= l.reach(m-1) || l.owed(m) < l.owed(m-1)) {
				t.Fatalf("interval %s, lookback %s, level %d: reach %s, period %s, owed %s", l.interval, l.lookback, m, l.reach(m), l.period(m), l.owed(m))
			}
		}
		if last := l.last(); l.owed(last) != l.lookback {
			t.Fatalf("interval %s, lookback %s: the last level answers for %s only", l.interval, l.lookback, l.owed(last))
		}
	}
}

func levels(l ladder) []int {
	all := make([]int, l.last()+1)
	for m := range all {
		all[m] = m
	}
	return all
}

// TestRule06_TheDeepestThatIsDue follows the plan poll by poll.
func TestRule06_TheDeepestThatIsDue(t *testing.T) {
	l := ladder{interval: time.Minute, lookback: 48 * time.Hour}
	p, start := newPlan(l), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := view{now: start, floor: start.Add(-90 * 24 * time.Hour), watermark: start}
	for m := range p.reads {
		p.reads[m] = start
	}
	always, never := func(int) bool { return true }, func(int) bool { return false }
	var got []string
	for i := 1; i <= 16; i++ {
		v.now = start.Add(time.Duration(i) * (time.Minute - time.Second)) // jitter makes polls come early
		m := p.next(v, -1, always, never)
		task := p.nextTask(m, v)
		s := task.step(firstPiece, v)
		got = append(got, fmt.Sprint(m, " ", s.to.Sub(s.from)))
		if !s.from.Equal(v.now.Add(-l.reach(m))) || !s.to.Equal(v.now) {
			t.Errorf("poll %d reads from %s to %s, want level %d up to %s", i, s.from, s.to, m, v.now)
		}
		v.watermark = p.finish(task, s, 0, v, v.now).watermark
		for j := range m + 1 {
			if !p.reads[j].Equal(v.now) {
				t.Errorf("poll %d of level %d leaves level %d at %s", i, m, j, p.reads[j])
			}
		}
	}
	want := []string{
		"0 9m0s", "1 18m0s", "0 9m0s", "2 36m0s", "0 9m0s", "1 18m0s", "0 9m0s", "3 1h12m0s",
		"0 9m0s", "1 18m0s", "0 9m0s", "2 36m0s", "0 9m0s", "1 18m0s", "0 9m0s", "4 2h24m0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("polls are %v, want %v", got, want)
	}
}
