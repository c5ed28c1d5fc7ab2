package collector

import (
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

const (
	// clockWindow is how many offsets are looked at, an odd number: one that is
	// wrong, from one of many front ends, changes nothing.
	clockWindow = 3
	// clockJump is by how much the provider's Date must jump to be doubted, and
	// clockProof for how long it must stay to be believed: a wrong time would move
	// the watermark past calls that are still to come.
	clockJump  = 7 * 24 * time.Hour
	clockProof = time.Hour
)

// Clock is the clock of a source's feeds: the local one, corrected by the
// provider's Date (counting.md 10). It is safe for concurrent use.
type Clock struct {
	local  func() time.Time
	offset func() (time.Duration, bool)
	began  time.Time

	mu       sync.Mutex
	accepted time.Duration   // guarded by mu: what Now adds
	window   []time.Duration // guarded by mu: the latest offsets
	// expected is what the provider's offset should be, if our clock was set; until
	// is when one that jumped is believed, 0 if none has. Both are guarded by mu.
	expected, until time.Duration
	known           bool // guarded by mu: an offset was accepted

	wall time.Time     // guarded by mu: the local clock at the latest sample
	tick time.Duration // guarded by mu: Elapsed then
}

// NewClock corrects the local clock (nil: the machine's) by offset, the
// provider's clock minus the local one by its latest Date header and whether it
// is known: Source.Offset. A nil offset leaves the local clock as it is.
func NewClock(local func() time.Time, offset func() (time.Duration, bool)) *Clock {
	if local == nil {
		local = time.Now
	}
	c := &Clock{local: local, offset: offset, began: time.Now()}
	c.wall = c.reading()
	return c
}

// Now is the provider's time as far as it is known, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading().Add(c.accepted)
}

// Elapsed is the time since the clock was made; setting the machine's clock doesn't change it.
func (c *Clock) Elapsed() time.Duration { return time.Since(c.began) }

// Offset is by how much the local clock is corrected.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted
}

// sample takes note of the provider's latest Date: once a poll that was answered.
// It returns the provider's time by that Date alone.
func (c *Clock) sample() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	latest, known := c.latest()
	if !known {
		return c.reading()
	}
	if step := c.step(); step.Abs() > plan.ClockTolerance {
		c.window = c.window[:0] // of another local time
		c.expected -= step
	}
	c.window = append(c.window, latest)
	c.window = c.window[max(0, len(c.window)-clockWindow):]
	c.wall, c.tick = c.reading(), c.Elapsed()
	sorted := slices.Sorted(slices.Values(c.window))
	// Of two that differ neither is known to be right: the first stays.
	switch median := sorted[len(sorted)/2]; {
	case len(sorted) == 2:
	case (median - c.accepted).Abs() > plan.ClockSlack:
		c.accept(median)
	default:
		c.expected, c.until = c.accepted, 0
	}
	c.known = true
	return c.wall.Add(latest)
}

// accept corrects the clock by another offset; mu is held. One that jumps by more
// than a provider's clock ever does is believed when it has stayed for a while; the
// former one holds until then. It doesn't jump if it is what it was before our clock
// was set or slept, nor if it is what that must make of it.
func (c *Clock) accept(offset time.Duration) {
	jump := min((offset - c.expected).Abs(), (offset - c.accepted).Abs())
	switch {
	case c.known && jump > clockJump && c.until == 0:
		c.until = c.Elapsed() + clockProof
	case c.known && jump > clockJump && c.Elapsed() < c.until:
	default:
		c.accepted, c.expected, c.until = offset, offset, 0
	}
}

// jumped says whether the provider's Date has jumped and isn't believed yet.
func (c *Clock) jumped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until > 0
}

// unsure says whether the local clock has been set since the provider's Date was
// last seen, or, where none was ever seen, has leapt ahead by more than far.
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

// hasDate says whether the provider has a clock.
func (c *Clock) hasDate() bool { return c.offset != nil }

// step is by how much the local clock has been set since the latest sample; mu is held.
func (c *Clock) step() time.Duration {
	return c.reading().Sub(c.wall) - (c.Elapsed() - c.tick)
}

// latest is the latest offset; mu is held.
func (c *Clock) latest() (time.Duration, bool) {
	if c.offset == nil {
		return 0, false
	}
	return c.offset()
}

// reading is the local clock without what counts up beside it, so that setting
// the clock shows.
func (c *Clock) reading() time.Time { return c.local().Round(0).UTC() }
