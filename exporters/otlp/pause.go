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

// pauser waits between two tries. At shutdown one wait ends early, since there is time for one more try at once. One
// goroutine uses it.
type pauser struct {
	stopping <-chan struct{}
	hurried  bool // a wait was ended early
}

// limit is a context that ends after d, or early at shutdown. The caller ends it by done.
func (p *pauser) limit(ctx context.Context, d time.Duration) (limited context.Context, done context.CancelFunc) {
	limited, cancel := context.WithTimeout(ctx, d)
	if p.hurried {
		return limited, cancel
	}
	go func() {
		select {
		case <-p.stopping:
			cancel()
		case <-limited.Done():
		}
	}()
	return limited, func() {
		p.hurried = p.hurrying()
		cancel()
	}
}

// hurrying says whether the wait in hand ends early.
func (p *pauser) hurrying() bool {
	select {
	case <-p.stopping:
		return !p.hurried
	default:
		return false
	}
}

// pause waits for d, or less at shutdown; an error is the context's.
func (p *pauser) pause(ctx context.Context, d time.Duration) error {
	limited, done := p.limit(ctx, d)
	defer done()
	<-limited.Done()
	return ctx.Err()
}
