package httpclient

import (
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// throttleSlice is how often a waiting feed reports the time that it has waited.
const throttleSlice = 10 * time.Second

// throttle is the time until which the provider wants to be left alone, shared by all feeds of a client.
type throttle struct {
	mu    sync.Mutex
	until time.Time                   // guarded by mu
	steps *backoff.ExponentialBackOff // guarded by mu; for answers that don't say how long
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
		wait = t.steps.NextBackOff()
	}
	if wait > left {
		t.until = now.Add(wait)
	}
	return max(wait, left)
}

// succeeded makes the next hold a short one again.
func (t *throttle) succeeded() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps.Reset()
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
