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
}

// Fail makes the next requests that fit be answered so. Of several replies that fit, the oldest goes first.
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

// next is the reply to a request with these records; the zero Reply accepts it.
func (f *failures) next(signal Signal, logs []Log) Reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.replies {
		r := f.replies[i]
		if r.Signal != AnySignal && r.Signal != signal || r.Match != nil && !slices.ContainsFunc(logs, r.Match) {
			continue
		}
		if r.Times > 0 {
			if f.replies[i].Times--; f.replies[i].Times == 0 {
				f.replies = slices.Delete(f.replies, i, i+1)
			}
		}
		return r
	}
	return Reply{}
}

// refuses says that nothing of the request is accepted.
func (r *Reply) refuses() bool { return r.Status != 0 || r.Code != 0 || r.Drop }

// split returns the records to keep, and how many are rejected.
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

// receive keeps what a request brings, as the reply to it says, after the reply's delay. It returns how many log records are rejected.
func (s *Sink) receive(ctx context.Context, signal Signal, logs []Log, points []Point) (reply Reply, rejected int) {
	reply = s.failures.next(signal, logs)
	if reply.Delay > 0 {
		timer := time.NewTimer(reply.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-s.closed:
		}
	}
	logs, rejected = reply.split(logs)
	if !reply.refuses() || reply.Accept {
		s.store.keepLogs(logs)
		s.store.keepPoints(points)
	}
	return reply, rejected
}
