package otlpsink

import (
	"maps"
	"slices"
	"sync"
)

// store keeps what was received.
type store struct {
	mu sync.Mutex // guards what follows
	// uids maps each uid to the number of times it came.
	uids map[string]int
	logs []Log
	// repeats and unnamed count records that came again, and those without a uid.
	repeats, unnamed int
	requests         map[Signal]int
	points           map[string]Point
	decreased        []string
}

func (s *store) request(signal Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[signal]++
	s.requests[AnySignal]++
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
		l.Number = len(s.logs)
		s.logs = append(s.logs, l)
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

// locked reads the store.
func locked[T any](s *Sink, read func(*store) T) T {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return read(&s.store)
}

// Logs are the distinct log records in the order of first arrival.
func (s *Sink) Logs() []Log {
	return locked(s, func(s *store) []Log { return slices.Clone(s.logs) })
}

// FeedLogs are the distinct records of one feed of one source, in the order of first arrival.
func (s *Sink) FeedLogs(source, feed string) []Log {
	return slices.DeleteFunc(s.Logs(), func(l Log) bool { return l.Source != source || l.Feed != feed })
}

// Distinct is the number of distinct log records.
func (s *Sink) Distinct() int { return locked(s, func(s *store) int { return len(s.uids) }) }

// Repeats is how many log records came again.
func (s *Sink) Repeats() int { return locked(s, func(s *store) int { return s.repeats }) }

// Unnamed is how many log records had no uid; each is kept as a separate one.
func (s *Sink) Unnamed() int { return locked(s, func(s *store) int { return s.unnamed }) }

// Times is how often each uid came.
func (s *Sink) Times() map[string]int {
	return locked(s, func(s *store) map[string]int { return maps.Clone(s.uids) })
}

// Requests is the number of requests with a signal, failed ones included.
func (s *Sink) Requests(signal Signal) int {
	return locked(s, func(s *store) int { return s.requests[signal] })
}

// Metrics are the newest values of all points, by name and attributes.
func (s *Sink) Metrics() []Point {
	return locked(s, func(s *store) []Point {
		points := make([]Point, 0, len(s.points))
		for _, key := range slices.Sorted(maps.Keys(s.points)) {
			points = append(points, s.points[key])
		}
		return points
	})
}

// Metric are the newest points of one metric.
func (s *Sink) Metric(name string) []Point {
	return slices.DeleteFunc(s.Metrics(), func(p Point) bool { return p.Name != name })
}

// Decreased are the monotonic points that once went down with the same start.
func (s *Sink) Decreased() []string {
	return locked(s, func(s *store) []string { return slices.Clone(s.decreased) })
}
