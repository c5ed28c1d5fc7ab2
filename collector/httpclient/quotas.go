package httpclient

import "sync"

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
