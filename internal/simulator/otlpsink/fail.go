package otlpsink

import (
	"context"
	"slices"
	"sync"
	"time"
)

// failures are the replies that wait for their requests.
type failures struct {
	mu      sync.Mutex
	replies []Reply
	closed  chan struct{}
	once    sync.Once
}

// Fail makes the next requests that fit be answered so. Of several replies that
// fit, the one that was told first goes first.
func (s *Sink) Fail(r Reply) {
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	s.failures.replies = append(s.failures.replies, r)
}

// ClearFailures accepts everything again.
func (s *Sink) ClearFailures() {
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	s.failures.replies = nil
}

// next is the reply for a request with these records, if there is one.
func (f *failures) next(signal Signal, logs []Log) (Reply, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.replies {
		r := f.replies[i]
		if r.Signal != AnySignal && r.Signal != signal || !r.fits(logs) {
			continue
		}
		if r.Times > 0 {
			if f.replies[i].Times--; f.replies[i].Times == 0 {
				f.replies = slices.Delete(f.replies, i, i+1)
			}
		}
		return r, true
	}
	return Reply{}, false
}

func (r *Reply) fits(logs []Log) bool { return r.Match == nil || slices.ContainsFunc(logs, r.Match) }

// refuses says that nothing of the request is accepted.
func (r *Reply) refuses() bool { return r.Status != 0 || r.Code != 0 || r.Drop }

// split is what of the records is kept, and how many are rejected.
func (r *Reply) split(logs []Log) (kept []Log, rejected int) {
	if !r.RejectLogs {
		return logs, 0
	}
	for _, l := range logs {
		if r.Match == nil || r.Match(l) {
			rejected++
			continue
		}
		kept = append(kept, l)
	}
	return kept, rejected
}

// wait passes the delay, unless the request or the sink ends before.
func (f *failures) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-f.done():
	}
}

func (f *failures) done() chan struct{} {
	f.once.Do(func() { f.closed = make(chan struct{}) })
	return f.closed
}

func (f *failures) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.done():
	default:
		close(f.closed)
	}
}
