package app

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// openingFeed is a feed whose state is opened before it is first read, as often as
// that takes: a full disk passes, and then the feed goes on by itself. It is the
// loop's handle on the ledger too, and that of whoever enqueues work.
type openingFeed struct {
	inner  collector.Feed
	ledger *ledger.Ledger
	spec   ledger.FeedSpec
	state  atomic.Pointer[ledger.Feed] // nil until it could be opened
	// now is the feed's clock.
	now func() time.Time
}

// errNotOpen is a feed whose state couldn't be opened yet.
var errNotOpen = errors.New("the feed's state isn't open yet")

// open opens the feed's state unless it is open.
func (o *openingFeed) open(ctx context.Context) error {
	if o.state.Load() != nil {
		return nil
	}
	feed, err := o.ledger.Feed(ctx, o.spec)
	if err != nil {
		return err
	}
	o.state.Store(feed)
	return nil
}

// Poll implements collector.Feed.
func (o *openingFeed) Poll(ctx context.Context, state ledger.State, sink collector.Sink) error {
	if o.state.Load() != nil {
		return o.inner.Poll(ctx, state, sink)
	}
	if err := o.open(ctx); err != nil {
		return err
	}
	return o.inner.Poll(ctx, o.State(), sink)
}

// State implements collector.Ledger: nothing until it is open.
func (o *openingFeed) State() ledger.State {
	if feed := o.state.Load(); feed != nil {
		return feed.State()
	}
	return ledger.State{}
}

// Commit implements collector.Ledger.
func (o *openingFeed) Commit(ctx context.Context, page *ledger.Page) (ledger.Result, error) {
	return o.state.Load().Commit(ctx, page)
}

// Due implements collector.WorkQueue.
func (o *openingFeed) Due(ctx context.Context, now time.Time, limit int) ([]ledger.Work, error) {
	feed := o.state.Load()
	if feed == nil {
		return nil, errNotOpen
	}
	return feed.Due(ctx, now, limit)
}

// SetAside implements collector.WorkQueue.
func (o *openingFeed) SetAside(ctx context.Context, now time.Time, limit int) ([]ledger.Work, error) {
	feed := o.state.Load()
	if feed == nil {
		return nil, errNotOpen
	}
	return feed.SetAside(ctx, now, limit)
}

// enqueue makes work durable, and says how much of it wasn't waiting already.
func (o *openingFeed) enqueue(ctx context.Context, work []collector.Work) (queued int, err error) {
	feed := o.state.Load()
	if feed == nil {
		return 0, errNotOpen
	}
	result, err := feed.Commit(ctx, &ledger.Page{Enqueue: work, ObservedAt: o.now()})
	return result.Queued, err
}

// Waiting implements collector.WorkQueue.
func (o *openingFeed) Waiting(ctx context.Context) (waiting, setAside int, err error) {
	feed := o.state.Load()
	if feed == nil {
		return 0, 0, errNotOpen
	}
	return feed.Waiting(ctx)
}

// pacedFeed is an openingFeed whose feed paces itself.
type pacedFeed struct {
	*openingFeed

	inner collector.Paced
}

// reopenAfter is how long a feed waits before it tries to open its state again.
const reopenAfter = 10 * time.Second

// Wait implements collector.Paced.
func (p pacedFeed) Wait() time.Duration {
	if p.state.Load() == nil {
		return reopenAfter
	}
	return p.inner.Wait()
}

// Trouble implements collector.Paced.
func (p pacedFeed) Trouble() error { return p.inner.Trouble() }

// Woken is the inner feed's way to be polled at once; nil if it has none.
func (p pacedFeed) Woken() <-chan struct{} {
	if w, ok := p.inner.(interface{ Woken() <-chan struct{} }); ok {
		return w.Woken()
	}
	return nil
}

// advise says what the ledger's errors mean in their own words, and what the
// provider's do in the provider's.
func (o *openingFeed) advise(provider func(error) (what, todo string)) func(error) (what, todo string) {
	return func(err error) (what, todo string) {
		switch {
		case errors.Is(err, ledger.ErrOtherAccount):
			return err.Error(), "change the configuration and reload it"
		case o.state.Load() == nil:
			return err.Error(), "it is tried again by itself"
		}
		return provider(err)
	}
}
