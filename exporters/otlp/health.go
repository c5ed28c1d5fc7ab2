package otlp

import (
	"log/slog"
	"sync"
	"time"
)

// Status is the state of sending. It contains no secret.
type Status struct {
	// Retrying: nothing gets through; the exporter retries.
	Retrying bool
	// LastError is the last problem, which may be over; empty if there was none.
	LastError string
}

// health keeps one signal's status and logs its changes.
type health struct {
	signal string
	logger *slog.Logger

	mu     sync.Mutex
	status Status    // guarded by mu
	since  time.Time // start of the retries; guarded by mu
}

func (h *health) current() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status
}

// failing records that nothing gets through. It logs that when it begins and when the problem
// changes.
func (h *health) failing(problem string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.status.Retrying {
		h.since = time.Now() //nolint:forbidigo // how long an outage took
	}
	if now := (Status{Retrying: true, LastError: problem}); h.status != now {
		h.logger.Warn("OTLP export failing, retrying", "signal", h.signal, "err", problem)
		h.status = now
	}
}

// working records that something got through.
func (h *health) working() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status.Retrying {
		took := time.Since(h.since) //nolint:forbidigo // see failing
		h.logger.Info("OTLP export recovered", "signal", h.signal, "after", took.Round(time.Second))
		h.status.Retrying = false
	}
}

// refusing records that the endpoint works but refused something. It says whether the problem
// differs from the last one.
func (h *health) refusing(problem string) (isNew bool) {
	h.working()
	h.mu.Lock()
	defer h.mu.Unlock()
	isNew = h.status.LastError != problem
	h.status.LastError = problem
	return isNew
}
