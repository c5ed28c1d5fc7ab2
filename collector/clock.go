package collector

import (
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

const (
	// clockWindow is how many Dates are compared. A single outlier among them, such as one front
	// end with a wrong clock, is ignored; two aren't.
	clockWindow = 5
	// clockBack is how far behind the watermark the earlier clock may be.
	clockBack = 5 * time.Minute
	// believedLeap is how far the local clock may leap at once if the provider has no clock: it also
	// leaps when a machine was suspended.
	believedLeap = 24 * time.Hour
)

// Clock compares the local clock with the provider's Date (counting.md 10). If they differ by
// minutes, one of them is wrong, and it isn't known which: then there are two times, and neither is
// trusted alone. The provider's time is extrapolated by the monotonic clock, so that it stays right
// when the local clock is set. A Clock is safe for concurrent use.
//
//	local ──────┬─ agree within ClockTolerance ─▶ earlier = later = the provider's time
//	provider ───┴─ differ ──────────────────────▶ earlier: positions move up to it; later: spans are read up to it
type Clock struct {
	local  func() time.Time
	offset func() (time.Duration, bool) // nil: the provider has no clock
	// monotonic is for Elapsed; began is when the clock was made.
	monotonic func() time.Time
	began     time.Time

	mu     sync.Mutex
	window []time.Time // guarded by mu: of the latest Dates, what the provider's time was when Elapsed was 0
	// low and high are the earliest and the latest of these that count, guarded by mu. They stay
	// until they are off by more than ClockSlack.
	low, high time.Time
}

// NewClock compares the local clock with Source.Offset or, without one, with the monotonic clock.
func NewClock(local func() time.Time, offset func() (time.Duration, bool)) *Clock {
	c := &Clock{local: local, offset: offset, monotonic: time.Now}
	c.began = c.monotonic()
	if offset == nil { // the monotonic clock is the second one
		c.low = local().Round(0).UTC()
		c.high, c.window = c.low, []time.Time{c.low}
	}
	return c
}

// NewScriptClock is for a test whose script moves the time, by hours at once: now is the local, the provider's and the
// monotonic clock.
func NewScriptClock(now func() time.Time) *Clock {
	return &Clock{
		local: now, offset: func() (time.Duration, bool) { return 0, false }, monotonic: now, began: now(),
	}
}

// Now is the time by which positions move and metrics are shown: the earlier one while the clocks differ.
func (c *Clock) Now() time.Time {
	earlier, _ := c.times()
	return earlier
}

// Later is the time up to which feeds are read and by which reads are due: the later one while the clocks differ.
func (c *Clock) Later() time.Time {
	_, later := c.times()
	return later
}

// provider is the provider's time, or the local time if the offset isn't known.
func (c *Clock) provider() time.Time {
	if c.offset == nil {
		return c.Now()
	}
	_, _, high := c.bounds()
	return high
}

// Elapsed is the time since the clock was made; setting the machine's clock doesn't change it.
func (c *Clock) Elapsed() time.Duration { return c.monotonic().Sub(c.began) }

// Offset is the provider's clock minus the local one, the largest that is possible; zero if the provider's isn't known.
func (c *Clock) Offset() time.Duration {
	local, low, high := c.bounds()
	before, after := low.Sub(local), high.Sub(local)
	if before.Abs() > after.Abs() {
		return before
	}
	return after
}

// times are the earlier and the later time, in UTC. They are the same while the clocks agree.
func (c *Clock) times() (earlier, later time.Time) {
	local, low, high := c.bounds()
	const tolerance = plan.ClockTolerance
	if low.Sub(local).Abs() <= tolerance && high.Sub(local).Abs() <= tolerance {
		return high, high
	}
	return plan.Earliest(local, low), plan.Latest(local, high)
}

// bounds are the local clock, and the earliest and the latest that the provider's may be.
func (c *Clock) bounds() (local, low, high time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	local = c.local().Round(0).UTC() // without its monotonic reading, so that setting the clock shows
	if len(c.window) == 0 {
		return local, local, local
	}
	elapsed := c.Elapsed()
	if c.offset == nil && c.low.Add(elapsed).Sub(local).Abs() <= believedLeap {
		c.low = local.Add(-elapsed)
		c.high = c.low
	}
	return local, c.low.Add(elapsed), c.high.Add(elapsed)
}

// sampleDate records the provider's latest Date. Each poll that was answered calls it once.
func (c *Clock) sampleDate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offset == nil {
		return
	}
	offset, known := c.offset()
	if !known {
		return
	}
	c.window = append(c.window, c.local().Round(0).UTC().Add(offset-c.Elapsed()))
	c.window = c.window[max(0, len(c.window)-clockWindow):]
	sorted := slices.SortedFunc(slices.Values(c.window), time.Time.Compare)
	alone := 0
	if len(sorted) > 2 { // of two that differ neither is known to be right
		alone = 1
	}
	c.low, c.high = unlessJitter(c.low, sorted[alone]), unlessJitter(c.high, sorted[len(sorted)-1-alone])
}

// unlessJitter returns is, or was if they differ by no more than Dates jitter.
func unlessJitter(was, is time.Time) time.Time {
	if is.Sub(was).Abs() > plan.ClockSlack {
		return is
	}
	return was
}

// pending says whether the provider has a clock that was never asked.
func (c *Clock) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset != nil && len(c.window) == 0
}
