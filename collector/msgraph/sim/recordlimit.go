package sim

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// The windows of the limits of one call record.
const (
	firstWindow = 20 * time.Second
	nextWindow  = 5 * time.Minute
)

// recordLimits count the requests for each call record.
type recordLimits struct {
	first, next int

	mu      sync.Mutex
	asked   map[limitKey][]time.Time // guarded by mu
	refused int                      // guarded by mu
}

// limitKey is a record, and whether its further pages.
type limitKey struct {
	id   string
	next bool
}

// forgetLimits is after how many records old requests are forgotten.
const forgetLimits = 10_000

// take counts a request, or says how long to wait.
func (l *recordLimits) take(id string, next bool, now time.Time) (wait time.Duration) {
	limit, window := l.first, firstWindow
	if next {
		limit, window = l.next, nextWindow
	}
	if limit < 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) > forgetLimits {
		maps.DeleteFunc(l.asked, func(_ limitKey, at []time.Time) bool { return now.Sub(at[len(at)-1]) > nextWindow })
	}
	if l.asked == nil {
		l.asked = map[limitKey][]time.Time{}
	}
	key := limitKey{id, next}
	times := slices.DeleteFunc(l.asked[key], func(at time.Time) bool { return now.Sub(at) >= window })
	if len(times) >= limit {
		l.asked[key] = times
		l.refused++
		return window - now.Sub(times[0])
	}
	l.asked[key] = append(times, now)
	return 0
}

// count is how many requests were refused.
func (l *recordLimits) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}
