package simulator

import (
	"sync"
	"time"
)

// Clock says what time it is.
type Clock interface{ Now() time.Time }

// ManualClock stands still until it is moved.
type ManualClock struct {
	mu  sync.Mutex
	now time.Time
}

// NewManualClock starts at an instant.
func NewManualClock(at time.Time) *ManualClock { return &ManualClock{now: at} }

// Now is the instant that was set.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to an instant.
func (c *ManualClock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

// Advance moves the clock by d.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Timeline is a provider's time: a clock that can be moved ahead, and the instant up to which the provider has published, which can be
// held.
type Timeline struct {
	base Clock // nil is the machine's

	mu     sync.Mutex
	offset time.Duration
	// held is the instant that publication stands at; zero while it runs.
	held time.Time
}

// Now is the provider's time, as its Date header says it.
func (t *Timeline) Now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now()
}

func (t *Timeline) now() time.Time {
	now := time.Now()
	if t.base != nil {
		now = t.base.Now()
	}
	return now.Add(t.offset).UTC()
}

// Visible is the instant up to which rows are published: Now, unless held.
func (t *Timeline) Visible() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.held.IsZero() {
		return t.held
	}
	return t.now()
}

// Advance moves the provider's time by d, and with it the held instant.
func (t *Timeline) Advance(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.offset += d
	if !t.held.IsZero() {
		t.held = t.held.Add(d)
	}
}

// Pause stops publication at the present instant and returns it; time goes on.
func (t *Timeline) Pause() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.IsZero() {
		t.held = t.now()
	}
	return t.held
}

// Resume publishes what was held back.
func (t *Timeline) Resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = time.Time{}
}
