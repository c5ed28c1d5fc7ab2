package simulator

import (
	"slices"
	"sync"
	"time"
)

// Limiter answers a number of requests in a sliding window, and refuses all requests after one that
// exceeds the limit, until none came for a whole window. A token bucket isn't enough: RingCentral
// documents a window and a penalty, and the tests rely on the exact number that a window allows.
type Limiter struct {
	Limit  int
	Window time.Duration

	mu      sync.Mutex
	passed  []time.Time // in the window; guarded by mu, like the fields below
	penalty time.Time
}

// Take counts a request. It returns how many more would be answered, and how long to wait if this
// one is refused.
func (l *Limiter) Take(now time.Time) (left int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passed = slices.DeleteFunc(l.passed, func(at time.Time) bool { return now.Sub(at) >= l.Window })
	if len(l.passed) < l.Limit && !now.Before(l.penalty) {
		l.passed = append(l.passed, now)
	} else {
		l.penalty, wait = now.Add(l.Window), l.Window
	}
	return l.Limit - len(l.passed), wait
}
