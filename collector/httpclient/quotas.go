package httpclient

import "sync"

// Quotas keeps, by credential, what has to outlive the clients that a reload replaces, such as a Limiter: a new one would begin with all
// requests left, or in the middle of a penalty; and two sources with one credential share one limit. The zero value is
// ready. A nil *Quotas keeps nothing. It is safe for concurrent use.
type Quotas struct{ kept sync.Map }

// Keep returns what was made for a key before, or makes it. Nothing is kept without a key.
func (q *Quotas) Keep(key string, create func() any) any {
	if q == nil || key == "" {
		return create()
	}
	kept, _ := q.kept.LoadOrStore(key, create())
	return kept
}
