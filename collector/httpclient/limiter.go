package httpclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

const (
	// throttleSlice is how often a waiting feed reports its waiting time.
	throttleSlice = 10 * time.Second
	// windowMargin is how much longer than Limit.Per a request counts here. Two clocks run at
	// different speeds, and a server may include both ends of its window.
	windowMargin = 100 * time.Millisecond
	// The plausible range for the values of an answer's headers.
	maxLimit  = 10_000
	maxWindow = time.Hour
)

// ErrLimited says that the request wasn't sent because its deadline is before the provider allows one.
var ErrLimited = errors.New("the provider's limit has no room before the deadline")

// Limit is how many requests a provider allows one credential. Definitions write it with these keys.
type Limit struct {
	// Requests is how many requests are allowed in any window of length Per; 0 means no limit.
	Requests int           `yaml:"requests"`
	Per      time.Duration `yaml:"per"`
	// Penalty is how long a 429 without Retry-After stops all requests. It doubles if the next 429
	// has none either, because the provider extends its own penalty with each request that comes
	// too early. 0 means work.Poll.
	Penalty time.Duration `yaml:"penalty"`
	// HeaderPrefix plus one of Group, Limit, Remaining and Window (in seconds) is the name of a
	// header with the current limit, such as X-Rate-Limit-Remaining. With an empty prefix no headers
	// are read. Headers about another Group are ignored.
	HeaderPrefix string `yaml:"headers"`
	Group        string `yaml:"group"`
}

// SetDefaults implements config.Defaulter.
func (l *Limit) SetDefaults() { l.Per = time.Minute }

// Validate implements config.Validator.
func (l *Limit) Validate(r *config.Report) {
	r.AtLeast("requests", int64(l.Requests), 1)
	r.DurationAtLeast("per", l.Per, time.Second)
	r.DurationAtLeast("penalty", l.Penalty, 0)
}

// Budget is the current state of a Limit.
type Budget struct {
	// Group is the provider's name for the limit; empty if it has none.
	Group string
	// Limit is the number of requests in any Per, 0 for no limit. Remaining is how many are left
	// now, below 0 if unknown.
	Limit, Remaining int
	Per              time.Duration
	// FrozenUntil is when the next request is allowed; zero means now.
	FrozenUntil time.Time
}

// Limiter enforces a Limit and the pause after a 429. It is safe for concurrent use.
//
// A token bucket would admit up to twice the limit in one window, or half of it on average, and
// RingCentral punishes the first request too many. So the Limiter counts the requests of the window
// as the server does. The server counts a request at some time between its sending and its answer,
// so a request occupies its place until Per after its answer. Limited requests go one at a time, in
// order of arrival: if several were in flight, those after a refused one would extend the penalty.
type Limiter struct {
	queue chan struct{} // has an element while a request is in flight; FIFO

	mu    sync.Mutex
	limit Limit        // guarded by mu, as all below
	ends  []time.Time  // when each counted request expires, in order
	until time.Time    // end of the pause after a 429
	waits work.Backoff // after 429s without Retry-After
	holds int          // how many of these came, one after the other
}

// NewLimiter makes a Limiter with all requests left.
func NewLimiter(limit Limit) *Limiter {
	l := &Limiter{queue: make(chan struct{}, 1), limit: limit, waits: work.Poll}
	if first := limit.Penalty * 11 / 10; first > 0 { // plus up to a tenth
		l.waits = work.Backoff{First: first, Last: 2 * first, Jitter: 0.09}
	}
	return l
}

// Acquire waits until a request may be sent. The caller calls release when the answer has arrived.
// waited, which may be nil, gets the time during which the provider's limits stopped the request,
// without the time in the queue behind other requests.
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
		// Wait for a slice of the time only: other requests may change how long to wait.
		began := time.Now()
		sleep(ctx, min(wait, throttleSlice))
		if waited != nil {
			waited(time.Since(began))
		}
	}
	leave()
	return nil, context.Cause(ctx)
}

// Take counts a request if one may be sent now, and returns 0; otherwise it returns how long to
// wait.
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

// free drops expired requests and returns how many are left, below 0 after the limit was lowered.
// The caller holds the lock.
func (l *Limiter) free() int {
	now := time.Now()
	l.ends = slices.DeleteFunc(l.ends, func(end time.Time) bool { return !end.After(now) })
	return l.limit.Requests - len(l.ends)
}

// end is until when a request sent now counts. The caller holds the lock.
func (l *Limiter) end() time.Time { return time.Now().Add(l.limit.Per + windowMargin) }

// extendLast lets the latest request count from now, since its answer has come or won't come.
func (l *Limiter) extendLast() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.ends); n > 0 {
		l.ends[n-1] = l.end()
	}
}

// Learn reads the limit from an answer's headers. If the provider reports fewer requests left than
// we count, other programs use the credential too, and their requests count like ours. hold handles
// Retry-After of a 429, which takes precedence over the remaining requests.
func (l *Limiter) Learn(status int, header http.Header) {
	l.extendLast()
	l.mu.Lock()
	defer l.mu.Unlock()
	if status < 300 {
		l.holds = 0
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

// hold stops all requests for a while after a 429 and returns for how long; 0 means that the
// provider didn't say. Requests that were in flight together and are refused together count as one
// step.
func (l *Limiter) hold(wait time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := time.Until(l.until)
	switch {
	case wait <= 0 && left > 0:
		return left
	case wait <= 0:
		l.holds++
		wait = l.waits.After(l.holds, rand.Float64())
	case l.limit.Penalty > 0:
		wait += wait / 20 // the provider may have rounded it down
	}
	if wait > left {
		l.until = time.Now().Add(wait)
	}
	return max(wait, left)
}

// Budget returns the current limit.
func (l *Limiter) Budget() Budget {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := Budget{Group: l.limit.Group, Limit: l.limit.Requests, Remaining: max(0, l.free()), Per: l.limit.Per}
	if time.Until(l.until) > 0 {
		b.FrozenUntil = l.until
	}
	return b
}

// Quotas keeps a Limiter for each credential. Limiters have to outlive the clients that a reload
// replaces: a new one would start with all requests left, or in the middle of a penalty. Two
// sources with one credential share one Limiter. The zero value is ready. A nil *Quotas keeps
// nothing. It is safe for concurrent use.
type Quotas struct{ kept sync.Map }

// limiter returns the Limiter of a key, or makes it. Without a key it doesn't keep it.
func (q *Quotas) limiter(key string, limit Limit) *Limiter {
	made := NewLimiter(limit)
	if q == nil || key == "" {
		return made
	}
	kept, _ := q.kept.LoadOrStore(key, made)
	return kept.(*Limiter)
}
