package plan

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
			5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute,
			320 * time.Minute, 640 * time.Minute, 1280 * time.Minute, 2560 * time.Minute, 60 * time.Hour,
		}},
		{5 * time.Minute, 72 * time.Hour, []time.Duration{
			25 * time.Minute, 50 * time.Minute, 100 * time.Minute, 200 * time.Minute, 400 * time.Minute,
			800 * time.Minute, 1600 * time.Minute,
			3200 * time.Minute, 90 * time.Hour,
		}},
		{time.Second, 5 * time.Second, []time.Duration{5 * time.Second, 6250 * time.Millisecond}},
		{time.Second, 4 * time.Second, []time.Duration{5 * time.Second}},
		// Less than four intervals: a quarter more than the lookback would be too little.
		{time.Minute, 3 * time.Minute, []time.Duration{4 * time.Minute}},
		{time.Minute, time.Minute, []time.Duration{2 * time.Minute}},
	} {
		l := Ladder{Interval: c.interval, Lookback: c.lookback}
		var got []time.Duration
		for m := range l.Last() + 1 {
			got = append(got, l.Reach(m))
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

// TestRule06_TheDeepestThatIsDue follows the plan poll by poll.
func TestRule06_TheDeepestThatIsDue(t *testing.T) {
	l := Ladder{Interval: time.Minute, Lookback: 48 * time.Hour}
	p, start := New(l), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := View{Now: start, Floor: start.Add(-90 * 24 * time.Hour), Watermark: start}
	for m := range p.Levels {
		p.Levels[m].Read = start
	}
	always, never := func(int) bool { return true }, func(int) bool { return false }
	var got []string
	for i := 1; i <= 16; i++ {
		v.Now = start.Add(time.Duration(i) * (time.Minute - time.Second)) // jitter makes polls come early
		m := p.NextLevel(v, -1, always, never)
		task := p.NextRead(m, v)
		s := task.nextPiece(24*time.Hour, v)
		got = append(got, fmt.Sprint(m, " ", s.To.Sub(s.From)))
		if !s.From.Equal(v.Now.Add(-l.Reach(m))) || !s.To.Equal(v.Now) {
			t.Errorf("poll %d reads from %s to %s, want level %d up to %s", i, s.From, s.To, m, v.Now)
		}
		v.Watermark, _ = p.Finish(task, s, 0, v, v.Now)
		for j := range m + 1 {
			if !p.Levels[j].Read.Equal(v.Now) {
				t.Errorf("poll %d of level %d leaves level %d at %s", i, m, j, p.Levels[j].Read)
			}
		}
	}
	want := []string{
		"0 5m0s", "1 10m0s", "0 5m0s", "2 20m0s", "0 5m0s", "1 10m0s", "0 5m0s", "3 40m0s",
		"0 5m0s", "1 10m0s", "0 5m0s", "2 20m0s", "0 5m0s", "1 10m0s", "0 5m0s", "4 1h20m0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("polls are %v, want %v", got, want)
	}
}
