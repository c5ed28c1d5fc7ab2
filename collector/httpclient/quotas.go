package httpclient

import "sync"

// Quotas keeps, by credential, what has to outlive the clients that a reload replaces, such as a Limiter: a new one would begin with all
// requests left, or in the middle of a penalty; and two sources with one credential share one limit. The zero value is
// ready. A nil *Quotas keeps nothing. It is safe for concurrent use.
type Quotas struct {
	mu   sync.Mutex
	kept map[string]any // guarded by mu; as many as credentials were ever configured
}

// Keep returns what was made for a key before, or makes it. Nothing is kept without a key.
func (q *Quotas) Keep(key string, create func() any) any {
	if q == nil || key == "" {
		return create()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	v, known := q.kept[key]
	if !known {
		if q.kept == nil {
			q.kept = make(map[string]any)
		}
		v = create()
		q.kept[key] = v
	}
	return v
}
