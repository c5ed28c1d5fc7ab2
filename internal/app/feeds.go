package app

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// makeFeed makes the loop of a feed.
func (a *App) makeFeed(s *source, info *collector.FeedInfo, clock *collector.Clock) *feed {
	f := &feed{info: info}
	settings := collector.FeedSettings{
		Source: s.config.Name, Info: info, Clock: clock, Own: a.own.Feed(s.config.Name, info.Name), Logger: a.logger,
		Advise: s.opened.Advise, ThrottledUntil: s.opened.ThrottledUntil,
	}
	if info.ActiveCalls == nil {
		state := &lazyFeed{ledger: a.ledger, spec: specOf(s.config, info)}
		settings.Ledger, settings.Queue, settings.Open = state, state, state.open
		if info.Fetcher != nil {
			f.queue = state
		}
		if !a.ledger.Shared() { // else its loop opens it: who takes many feeds over doesn't wait for the commits of the first
			if err := state.open(context.Background()); err != nil {
				a.logger.Warn("The state of a feed can't be opened; it is retried.", collector.SourceKey, s.config.Name, "feed", info.Name, "err", err)
			}
		}
	}
	f.loop = collector.NewLoop(settings)
	return f
}

// noReasons are the feeds whose records don't say why a call didn't connect.
var noReasons = Feeds(func(f collector.FeedProperties) bool { return !f.Reasons && !f.Snapshot })

// specOf describes a feed to the ledger.
func specOf(c *config.Source, info *collector.FeedInfo) ledger.FeedSpec {
	return ledger.FeedSpec{
		Source: c.Name, Provider: c.ProviderName, Feed: info.Name, RenamedFrom: c.RenamedFrom, Fingerprint: info.Fingerprint, SameAccount: info.SameAccount,
		History: c.History, Lookback: info.Lookback, LateAfter: info.LateAfter, Currency: info.Currency, Parents: info.Parents,
		Hourless: info.Hourless, NoReasons: slices.Contains(noReasons, info.Name),
	}
}

// lazyFeed is the ledger's handle on a feed. The loop opens it before each read until that succeeds, since a full disk is temporary, and asks
// only for its state before. It is safe for concurrent use.
type lazyFeed struct {
	ledger *ledger.Ledger
	spec   ledger.FeedSpec
	opened atomic.Pointer[ledger.Feed] // nil until it could be opened
}

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
