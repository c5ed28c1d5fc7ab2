package otlpsink

import (
	"maps"
	"slices"
	"sync"
)

// store keeps what was received.
type store struct {
	mu        sync.Mutex
	countOnly bool
	// uids maps each uid to the number of times it came.
	uids    map[string]int
	logs    []Log
	repeats int
	// unnamed are records without a uid.
	unnamed  int
	requests map[Signal]int
	points   map[string]Point
	// decreased are points that went down.
	decreased []string
}

func newStore(countOnly bool) store {
	return store{countOnly: countOnly, uids: map[string]int{}, requests: map[Signal]int{}, points: map[string]Point{}}
}

func (s *store) request(signal Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[signal]++
}

func (s *store) keepLogs(logs []Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range logs {
		if l.UID == "" {
			s.unnamed++
		} else if s.uids[l.UID]++; s.uids[l.UID] > 1 {
			s.repeats++
			continue
		}
		if !s.countOnly {
			l.Number = len(s.logs)
			s.logs = append(s.logs, l)
		}
	}
}

func (s *store) keepPoints(points []Point) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range points {
		key := p.key()
		old, ok := s.points[key]
		if ok && p.Time.Before(old.Time) {
			continue // a newer one, such as the last before a process ends, overtook it
		}
		if ok && old.decreases(&p) {
			s.decreased = append(s.decreased, key)
		}
		s.points[key] = p
	}
}

// Logs are the distinct log records in the order of first arrival. With CountOnly
// there are none.
func (s *Sink) Logs() []Log {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return slices.Clone(s.store.logs)
}

// FeedLogs are the distinct records of one feed of one source, in the order of
// first arrival.
func (s *Sink) FeedLogs(source, feed string) []Log {
	return slices.DeleteFunc(s.Logs(), func(l Log) bool { return l.Source != source || l.Feed != feed })
}

// Distinct is the number of distinct log records.
func (s *Sink) Distinct() int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return len(s.store.uids)
}

// Repeats is how many log records came again.
func (s *Sink) Repeats() int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.repeats
}

// Unnamed is how many log records had no uid; each is kept as one of its own.
func (s *Sink) Unnamed() int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.unnamed
}

// Times is how often each uid came.
func (s *Sink) Times() map[string]int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return maps.Clone(s.store.uids)
}

// Requests is the number of requests with a signal, failed ones included.
func (s *Sink) Requests(signal Signal) int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if signal == AnySignal {
		return s.store.requests[LogSignal] + s.store.requests[MetricSignal]
	}
	return s.store.requests[signal]
}

// Metrics are the newest values of all points, by name and attributes.
func (s *Sink) Metrics() []Point {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	keys := slices.Sorted(maps.Keys(s.store.points))
	points := make([]Point, 0, len(keys))
	for _, key := range keys {
		points = append(points, s.store.points[key])
	}
	return points
}

// Metric are the newest points of one metric.
func (s *Sink) Metric(name string) []Point {
	return slices.DeleteFunc(s.Metrics(), func(p Point) bool { return p.Name != name })
}

// Decreased are the monotonic points that once went down with the same start.
func (s *Sink) Decreased() []string {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return slices.Clone(s.store.decreased)
}
