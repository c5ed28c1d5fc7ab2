package otlp

import (
	"log/slog"
	"sync"
	"time"
)

// State is how sending goes.
type State string

// The states.
const (
	// StateOK: the last request reached the endpoint, or none was made yet.
	StateOK State = "ok"
	// StateRetrying: nothing gets through; it is tried again.
	StateRetrying State = "retrying"
)

// Status is how sending goes. Nothing in it is secret.
type Status struct {
	State State
	// Since is when the state began.
	Since time.Time
	// LastError is the last trouble, without secrets, and LastErrorAt its time;
	// empty and zero if there was none.
	LastError   string
	LastErrorAt time.Time
	// RetryAt is when the next try is due while retrying.
	RetryAt time.Time
}

// health keeps one signal's status and logs what changes in it.
type health struct {
	signal string
	logger *slog.Logger
	now    func() time.Time

	mu     sync.Mutex
	status Status // guarded by mu
}

func newHealth(signal string, logger *slog.Logger, now func() time.Time) *health {
	return &health{signal: signal, logger: logger, now: now, status: Status{State: StateOK, Since: now()}}
}

func (h *health) current() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status
}

// failing: nothing gets through; wait is the time to the next try. It is logged
// when it begins and when the problem changes.
func (h *health) failing(problem string, wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if h.status.State != StateRetrying || h.status.LastError != problem {
		h.logger.Warn("OTLP is held up, trying again", "signal", h.signal, "err", problem)
	}
	if h.status.State != StateRetrying {
		h.status.State, h.status.Since = StateRetrying, now
	}
	h.status.LastError, h.status.LastErrorAt, h.status.RetryAt = problem, now, now.Add(wait)
}

// working: something got through.
func (h *health) working() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status.State != StateRetrying {
		return
	}
	now := h.now()
	h.logger.Info("OTLP goes on", "signal", h.signal, "after", now.Sub(h.status.Since).Round(time.Second))
	h.status.State, h.status.Since, h.status.RetryAt = StateOK, now, time.Time{}
}

// refusing: the endpoint works, and refused something. It says whether that is
// another trouble than the last.
func (h *health) refusing(problem string) (news bool) {
	h.working()
	h.mu.Lock()
	defer h.mu.Unlock()
	news = h.status.LastError != problem
	h.status.LastError, h.status.LastErrorAt = problem, h.now()
	return news
}
