package sim

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// limiter counts the requests of the last minute. Those that it refuses don't count.
type limiter struct {
	mu     sync.Mutex
	passed []time.Time
}

// pass says how long to wait; zero is let through.
func (l *limiter) pass(now time.Time, limit int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := 0
	for old < len(l.passed) && now.Sub(l.passed[old]) >= time.Minute {
		old++
	}
	l.passed = l.passed[old:]
	if len(l.passed) >= limit {
		return time.Minute - now.Sub(l.passed[0])
	}
	l.passed = append(l.passed, now)
	return 0
}

// throttle refuses a request beyond the limit; nil is let through.
func (s *Server) throttle() *simulator.Answer {
	if s.settings.RequestsPerMinute == 0 {
		return nil
	}
	wait := s.limiter.pass(s.timeline.Now(), s.settings.RequestsPerMinute)
	if wait == 0 {
		return nil
	}
	a := s.refuse(http.StatusTooManyRequests, "")
	seconds := int((wait + time.Second - 1) / time.Second)
	a.Header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return a
}
