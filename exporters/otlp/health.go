package otlp

import (
	"log/slog"
	"sync"
	"time"
)

// Status is how sending goes. Nothing in it is secret.
type Status struct {
	// Retrying: nothing gets through; it is tried again.
	Retrying bool
	// LastError is the last trouble, which may have passed; empty if there was none.
	LastError string
}

// health keeps one signal's status and logs what changes in it.
type health struct {
	signal string
	logger *slog.Logger

	mu     sync.Mutex
	status Status    // guarded by mu
	since  time.Time // when it began to be retried; guarded by mu
}

func (h *health) current() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status
}

// failing notes that nothing gets through. It logs that when it begins and when the problem changes.
func (h *health) failing(problem string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.status.Retrying {
		h.since = time.Now()
	}
	if now := (Status{Retrying: true, LastError: problem}); h.status != now {
		h.logger.Warn("OTLP is held up, trying again", "signal", h.signal, "err", problem)
		h.status = now
	}
}

// working notes that something got through.
func (h *health) working() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status.Retrying {
		h.logger.Info("OTLP goes on", "signal", h.signal, "after", time.Since(h.since).Round(time.Second))
		h.status.Retrying = false
	}
}

// refusing notes that the endpoint works but refused something. It says whether that is another problem than the last.
func (h *health) refusing(problem string) (isNew bool) {
	h.working()
	h.mu.Lock()
	defer h.mu.Unlock()
	isNew = h.status.LastError != problem
	h.status.LastError = problem
	return isNew
}
