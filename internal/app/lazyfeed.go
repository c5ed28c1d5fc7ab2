package app

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// lazyFeed is the ledger's handle on a feed. The loop opens it before each read until that succeeds, since a full disk is temporary, and asks
// only for its state before. It is safe for concurrent use.
type lazyFeed struct {
	ledger *ledger.Ledger
	spec   ledger.FeedSpec
	opened atomic.Pointer[ledger.Feed] // nil until it could be opened
}

var (
	_ collector.Ledger    = (*lazyFeed)(nil)
	_ collector.TaskQueue = (*lazyFeed)(nil)
)

// open opens the feed's state unless it is open.
func (l *lazyFeed) open(ctx context.Context) error {
	if l.opened.Load() != nil {
		return nil
	}
	feed, err := l.ledger.Feed(ctx, l.spec)
	if err != nil {
		return err
	}
	l.opened.Store(feed)
	return nil
}

// State implements collector.Ledger. It is zero until the feed is open.
func (l *lazyFeed) State() ledger.State {
	if feed := l.opened.Load(); feed != nil {
		return feed.State()
	}
	return ledger.State{}
}

// Commit implements collector.Ledger.
func (l *lazyFeed) Commit(ctx context.Context, page *ledger.Page) (ledger.Result, error) {
	return l.opened.Load().Commit(ctx, page)
}

// Due implements collector.TaskQueue.
func (l *lazyFeed) Due(ctx context.Context, now time.Time, limit int) ([]ledger.Task, error) {
	return l.opened.Load().Due(ctx, now, limit)
}

// SetAside implements collector.TaskQueue.
func (l *lazyFeed) SetAside(ctx context.Context, now time.Time, limit int) ([]ledger.Task, error) {
	return l.opened.Load().SetAside(ctx, now, limit)
}

// Waiting implements collector.TaskQueue.
func (l *lazyFeed) Waiting(ctx context.Context) (waiting, setAside int, err error) {
	return l.opened.Load().Waiting(ctx)
}
