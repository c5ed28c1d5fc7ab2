package collector

import (
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

const (
	// clockWindow is how many offsets are looked at: one that is wrong, from one of many front ends, changes nothing.
	clockWindow = 3
	// farClock is by how much the provider's clock and ours may differ. With more, one of them is wrong, and it isn't known which: a wrong
	// time would move the watermark past calls that are still to come.
	farClock = 7 * 24 * time.Hour
)

// Clock is the local clock, corrected by the provider's Date (counting.md 10). It is safe for concurrent use.
type Clock struct {
	local  func() time.Time
	offset func() (time.Duration, bool) // nil: the provider has no clock
	began  time.Time

	mu       sync.Mutex
	accepted time.Duration   // guarded by mu: what Now adds
	window   []time.Duration // guarded by mu: the latest offsets that aren't far
	far      bool            // guarded by mu: the latest offset is
	wall     time.Time       // guarded by mu: the local clock at the latest sample
	tick     time.Duration   // guarded by mu: Elapsed then
}

// NewClock corrects the local clock (nil: the machine's) by Source.Offset; nil leaves it as it is.
func NewClock(local func() time.Time, offset func() (time.Duration, bool)) *Clock {
	if local == nil {
		local = time.Now
	}
	c := &Clock{local: local, offset: offset, began: time.Now()}
	c.wall = c.reading()
	return c
}

// Now is the provider's time as far as it is known, in UTC.
func (c *Clock) Now() time.Time { return c.reading().Add(c.Offset()) }

// Elapsed is the time since the clock was made; setting the machine's clock doesn't change it.
func (c *Clock) Elapsed() time.Duration { return time.Since(c.began) }

// Offset is by how much the local clock is corrected.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted
}

// sample takes note of the provider's latest Date, and returns its time by that alone. Each poll that was answered calls it once.
func (c *Clock) sample() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, latest := false, time.Duration(0)
	if c.offset != nil {
		latest, known = c.offset()
	}
	if c.far = latest.Abs() > farClock; c.far || !known {
		return c.reading().Add(c.accepted)
	}
	if c.step().Abs() > plan.ClockTolerance {
		c.window = c.window[:0] // of another local time
	}
	c.window = append(c.window, latest)
	c.window = c.window[max(0, len(c.window)-clockWindow):]
	c.wall, c.tick = c.reading(), c.Elapsed()
	// Of two that differ neither is known to be right: the first stays.
	sorted := slices.Sorted(slices.Values(c.window))
	if median := sorted[len(sorted)/2]; len(sorted) != 2 && (median-c.accepted).Abs() > plan.ClockSlack {
		c.accepted = median
	}
	return c.wall.Add(latest)
}

// isFar says whether the provider's clock and ours differ by more than a clock may.
func (c *Clock) isFar() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.far
}

// unsure says whether the local clock was set since the latest sample or, without any, has leapt ahead by more than far.
func (c *Clock) unsure(far time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	step := c.step()
	if len(c.window) == 0 {
		return step > far
	}
	return step.Abs() > plan.ClockTolerance
}

// pending says whether the provider has a clock that was never asked.
func (c *Clock) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset != nil && len(c.window) == 0
}

// step is by how much the local clock has been set since the latest sample; mu is held.
func (c *Clock) step() time.Duration {
	return c.reading().Sub(c.wall) - (c.Elapsed() - c.tick)
}

// reading is the local clock without its monotonic reading, so that setting the clock shows.
func (c *Clock) reading() time.Time { return c.local().Round(0).UTC() }
