package httpclient

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// throttleSlice is how often a waiting feed reports the time that it has waited.
const throttleSlice = 10 * time.Second

// penaltyJitter is how much longer than asked a hold is at most where asking too early
// is punished.
const penaltyJitter = 0.1

// throttle is the time until which the provider wants to be left alone, shared by all feeds of a client.
type throttle struct {
	mu    sync.Mutex
	until time.Time                   // guarded by mu
	steps *backoff.ExponentialBackOff // guarded by mu; for answers that don't say how long
	// penalty, above zero, is the hold after an answer that doesn't say how long; twice
	// that if the next doesn't either, since a request too early begins a penalty anew. For
	// the same reason every hold is then a little longer than asked.
	penalty time.Duration // guarded by mu
	again   bool          // guarded by mu; the latest answers didn't say how long
}

func newThrottle() *throttle { return &throttle{steps: NewBackOff()} }

// punish sets what a request too early costs.
func (t *throttle) punish(penalty time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.penalty = penalty
}

// hold stops all requests for a while; 0: nobody said for how long. It returns the wait. Requests that were under
// way together and are refused together count as one step.
func (t *throttle) hold(wait time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	left := t.until.Sub(now)
	if wait <= 0 {
		if left > 0 {
			return left
		}
		wait = t.unsaid()
	}
	if t.penalty > 0 {
		wait += time.Duration(penaltyJitter * rand.Float64() * float64(wait)) //nolint:gosec // spreads requests, guards nothing
	}
	if wait > left {
		t.until = now.Add(wait)
	}
	return max(wait, left)
}

// unsaid is the hold when nobody says for how long; the lock is held.
func (t *throttle) unsaid() time.Duration {
	if t.penalty <= 0 {
		return t.steps.NextBackOff()
	}
	wait := t.penalty
	if t.again {
		wait *= 2
	}
	t.again = true
	return wait
}

// succeeded makes the next hold a short one again.
func (t *throttle) succeeded() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps.Reset()
	t.again = false
}

func (t *throttle) remaining() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.until)
}

// frozenUntil returns zero when nothing is held.
func (t *throttle) frozenUntil() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Until(t.until) <= 0 {
		return time.Time{}
	}
	return t.until
}
