package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// throttleSlice is how often a waiting feed reports the time that it has waited.
	throttleSlice = 10 * time.Second
	// windowMargin is how much longer than Limit.Per a request counts here: two clocks don't run alike, and a server may count both ends of its window.
	windowMargin = 100 * time.Millisecond
	// The bounds within which an answer's headers are believed.
	maxLimit  = 10_000
	maxWindow = time.Hour
)

// ErrLimited is why a request wasn't sent: its deadline is before the provider allows one.
var ErrLimited = errors.New("the provider's limit has no room before the deadline")

// Limit is what a provider lets a credential ask.
type Limit struct {
	// Requests may be sent in any Per; 0: there is no limit.
	Requests int
	Per      time.Duration
	// Penalty is how long a 429 without Retry-After stops all requests, twice as long if the next has none either: the
	// provider extends its own penalty with each request that comes too early. 0: the steps of NewBackOff.
	Penalty time.Duration
	// HeaderPrefix and one of Group, Limit, Remaining and Window (in seconds) make the names of the answer's headers that
	// say what the limit is now, such as X-Rate-Limit-Remaining; empty: there are none. Those about another Group are ignored.
	HeaderPrefix, Group string
}

// Budget is a Limit as it is now.
type Budget struct {
	// Group is the provider's name of it; empty: it has none.
	Group string
	// Limit requests in any Per, 0 for no limit; Remaining of them are left now, below 0 if that isn't known.
	Limit, Remaining int
	Per              time.Duration
	// FrozenUntil is when the provider may be asked again; zero: now.
	FrozenUntil time.Time
}

// Limiter keeps to a Limit and to what a 429 asked for. It is safe for concurrent use.
//
// A token bucket would admit up to twice the limit in one window, or half of it on average, and RingCentral punishes the first request too many.
// So the requests of the window are counted as the server counts them. It counts a request at some time between its sending and its
// answer, so one occupies its place until Per after its answer. Limited requests go one at a time, first come, first served:
// of several in flight, those behind a refused one would extend the penalty.
type Limiter struct {
	queue chan struct{} // holds an element while a request is in flight; blocked senders are served in order

	mu    sync.Mutex
	limit Limit                       // guarded by mu, as all below
	ends  []time.Time                 // when each request that counts no longer does, in order
	until time.Time                   // when a 429 allows the next request
	steps *backoff.ExponentialBackOff // of 429s without Retry-After
}

// NewLimiter makes a Limiter with all requests left.
func NewLimiter(limit Limit) *Limiter {
	l := &Limiter{queue: make(chan struct{}, 1), limit: limit, steps: NewBackOff()}
	if limit.Penalty > 0 { // and up to a tenth more
		l.steps.InitialInterval, l.steps.RandomizationFactor = limit.Penalty*21/20, 0.045
		l.steps.MaxInterval = 2 * l.steps.InitialInterval
		l.steps.Reset()
	}
	return l
}

// Acquire waits until a request may be sent; release is called when its answer is there. The time for which the
// provider's limits stop the request, but not that behind others in the queue, is reported to waited, which may be nil.
func (l *Limiter) Acquire(ctx context.Context, waited func(time.Duration)) (release func(), err error) {
	leave := func() {}
	if l.Budget().Limit > 0 {
		select {
		case l.queue <- struct{}{}:
			leave = func() { <-l.queue }
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	for ctx.Err() == nil {
		wait := l.Take()
		if wait <= 0 {
			return func() { l.extendLast(); leave() }, nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			leave()
			return nil, fmt.Errorf("%w: %w", ErrLimited, context.DeadlineExceeded)
		}
		// For some of the time only: as other requests may change it, it is asked for again.
		began := time.Now()
		sleep(ctx, min(wait, throttleSlice))
		if waited != nil {
			waited(time.Since(began))
		}
	}
	leave()
	return nil, context.Cause(ctx)
}

// Take counts a request if one may be sent now, and returns 0; otherwise it returns how long none may.
func (l *Limiter) Take() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held := time.Until(l.until); held > 0 {
		return held
	}
	if l.limit.Requests == 0 {
		return 0
	}
	if l.free() <= 0 {
		return max(time.Until(l.ends[len(l.ends)-l.limit.Requests]), 1)
	}
	l.ends = append(l.ends, l.end())
	return 0
}

// free forgets what no longer counts and returns how many requests are left, below 0 after the limit was lowered; the lock is held.
func (l *Limiter) free() int {
	now := time.Now()
	l.ends = slices.DeleteFunc(l.ends, func(end time.Time) bool { return !end.After(now) })
	return l.limit.Requests - len(l.ends)
}

// end is until when a request of now counts; the lock is held.
func (l *Limiter) end() time.Time { return time.Now().Add(l.limit.Per + windowMargin) }

// extendLast lets the latest request count from now on, since its answer came, or none will.
func (l *Limiter) extendLast() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.ends); n > 0 {
		l.ends[n-1] = l.end()
	}
}

// Learn reads what an answer says of the limit. If it leaves fewer requests than are left here, other programs use the credential too: their
// requests count like ours. Retry-After of a 429 is for hold, and comes before what remains.
func (l *Limiter) Learn(status int, header http.Header) {
	l.extendLast()
	l.mu.Lock()
	defer l.mu.Unlock()
	if status >= 200 && status < 300 {
		l.steps.Reset()
	}
	prefix := l.limit.HeaderPrefix
	group := strings.TrimSpace(header.Get(prefix + "Group"))
	held := status == http.StatusTooManyRequests && header.Get("Retry-After") != ""
	if prefix == "" || held || group != "" && !strings.EqualFold(group, l.limit.Group) {
		return
	}
	number := func(name string) (int, error) {
		n, err := strconv.ParseUint(strings.TrimSpace(header.Get(prefix+name)), 10, 31)
		return int(n), err
	}
	if n, err := number("Limit"); err == nil && n > 0 {
		l.limit.Requests = min(n, maxLimit)
	}
	if n, err := number("Window"); err == nil && n > 0 && n <= int(maxWindow/time.Second) {
		l.limit.Per = time.Duration(n) * time.Second
	}
	if left, err := number("Remaining"); err == nil {
		for n := l.free(); n > left; n-- {
			l.ends = append(l.ends, l.end())
		}
	}
}

// hold stops all requests for a while after a 429, and returns for how long; 0: the provider didn't say. Requests that were in flight
// together and are refused together count as one step.
func (l *Limiter) hold(wait time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := time.Until(l.until)
	switch {
	case wait <= 0 && left > 0:
		return left
	case wait <= 0:
		wait = l.steps.NextBackOff()
	case l.limit.Penalty > 0:
		wait += wait / 20 // the provider may have rounded it down
	}
	if wait > left {
		l.until = time.Now().Add(wait)
	}
	return max(wait, left)
}

// Budget returns the limit as it is now.
func (l *Limiter) Budget() Budget {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := Budget{Group: l.limit.Group, Limit: l.limit.Requests, Remaining: max(0, l.free()), Per: l.limit.Per}
	if time.Until(l.until) > 0 {
		b.FrozenUntil = l.until
	}
	return b
}

// Quotas keeps, by credential, the Limiters, which have to outlive the clients that a reload replaces: a new one would begin with all
// requests left, or in the middle of a penalty; and two sources with one credential share one limit. The zero value is
// ready. A nil *Quotas keeps nothing. It is safe for concurrent use.
type Quotas struct{ kept sync.Map }

// limiter returns the one that was made for a key before, or makes it. None is kept without a key.
func (q *Quotas) limiter(key string, limit Limit) *Limiter {
	made := NewLimiter(limit)
	if q == nil || key == "" {
		return made
	}
	kept, _ := q.kept.LoadOrStore(key, made)
	return kept.(*Limiter)
}
