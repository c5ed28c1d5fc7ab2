package sim

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// limiter counts the requests of one user in one app to one group of endpoints.
type limiter struct {
	group  string
	limit  int
	window time.Duration

	mu sync.Mutex
	// answered are the times of the requests in the window. All are guarded by mu.
	answered []time.Time
	// penalty ends when nothing was asked for a whole window.
	penalty time.Time
	refused int
}

func newLimiter(group string, limit int, window time.Duration) *limiter {
	return &limiter{group: group, limit: limit, window: window}
}

// take counts a request, fills in the headers that every answer has, and says whether
// it is answered. A request in the penalty begins it anew.
func (l *limiter) take(now time.Time, h http.Header) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.Set("X-Rate-Limit-Group", l.group)
	h.Set("X-Rate-Limit-Window", strconv.Itoa(int(l.window/time.Second)))
	if l.limit < 0 {
		h.Set("X-Rate-Limit-Limit", "100000")
		h.Set("X-Rate-Limit-Remaining", "99999")
		return true
	}
	l.answered = slices.DeleteFunc(l.answered, func(at time.Time) bool { return now.Sub(at) >= l.window })
	ok := !now.Before(l.penalty) && len(l.answered) < l.limit
	if ok {
		l.answered = append(l.answered, now)
	} else {
		l.penalty = now.Add(l.window)
		l.refused++
		h.Set("Retry-After", strconv.Itoa(int((l.window+time.Second-1)/time.Second)))
	}
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(l.limit))
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(l.limit-len(l.answered)))
	return ok
}

// count is how many requests were refused.
func (l *limiter) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}
