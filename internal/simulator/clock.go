package simulator

import (
	"sync"
	"time"
)

// Timeline is a provider's time: a clock that can be moved ahead, and the instant up to which the provider has published, which can be
// held.
type Timeline struct {
	at time.Time // where the clock stands; zero: it goes as the machine's

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
	now := t.at
	if now.IsZero() {
		now = time.Now()
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
