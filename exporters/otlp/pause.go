package otlp

import (
	"context"
	"time"
)

// graced is a context that ends grace after the one given: the time to bring to
// an end what is under way.
func graced(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	})
	return work, func() {
		stop()
		cancel()
	}
}

// pauser waits between two tries. One goroutine uses it.
type pauser struct {
	// hurry ends one wait early: at shutdown there is time for one more try at once.
	hurry <-chan struct{}
}

// pause waits for d, or until hurry; an error is the context's.
func (p *pauser) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.hurry:
		p.hurry = nil
	case <-ctx.Done():
	}
	return ctx.Err()
}
