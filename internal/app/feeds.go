package app

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// addLoop makes the loop of a feed, and what answers its notifications.
func (a *App) addLoop(s *source, info *collector.FeedInfo, clock *collector.Clock, hooks hooks) {
	own := a.own.Feed(s.config.Name, info.Name)
	settings := collector.LoopSettings{
		Source: s.config.Name, Provider: s.config.ProviderName, Name: info.Name, Interval: pollInterval(info),
		Feed: info.Feed, Clock: clock, Observer: observing{own, a.figures.of(s.config.Name, info.Name)}, Logger: a.logger,
		Advise: s.opened.Advise, ThrottledUntil: s.opened.ThrottledUntil,
	}
	var queue *lazyFeed
	if info.Snapshot {
		settings.Observer = snapshotObserver{own}
	} else {
		queue = a.giveLedger(&settings, s, info, hooks)
	}
	s.loops, s.queues = append(s.loops, collector.NewLoop(settings)), append(s.queues, queue)
}

// pollInterval is how often a feed is really read: half as often if the provider also
// tells what there is (counting.md 12).
func pollInterval(info *collector.FeedInfo) time.Duration {
	if info.Webhook != nil {
		return 2 * info.Interval
	}
	return info.Interval
}

// giveLedger makes the loop one whose feed counts. It returns the feed's state if work
// waits in it.
func (a *App) giveLedger(settings *collector.LoopSettings, s *source, info *collector.FeedInfo, hooks hooks) (queue *lazyFeed) {
	logger := a.logger.With(collector.SourceKey, s.config.Name, "feed", info.Name)
	state := &lazyFeed{ledger: a.ledger, spec: specOf(s.config, info), now: settings.Clock.Now}
	settings.Ledger, settings.Open = state, state.open
	ranges := collector.RangeSettings{
		Reader: info.Reader, Interval: settings.Interval, Lookback: info.Lookback, Clock: settings.Clock,
		Observer: settings.Observer, Logger: logger,
	}
	switch {
	case info.Fetcher != nil:
		work := collector.NewTaskFeed(collector.TaskSettings{Ranges: ranges, Fetcher: info.Fetcher, Queue: state, Subscription: info.Subscription})
		hooks.add(info.Webhook, &enqueuing{feed: state, wake: work.Wake, logger: a.webhooks.logger.With(collector.SourceKey, s.config.Name)})
		settings.Feed, settings.Paced, settings.Woken, settings.Unread = work, work, work.Woken(), work.Unread
		queue = state
	case info.Sync != nil:
		both := collector.NewSyncFeed(collector.SyncSettings{Ranges: ranges, Sync: info.Sync})
		settings.Feed, settings.Paced, settings.Reads, settings.Unread = both, both, both.Reads, both.Unread
	case info.Reader != nil:
		one := collector.NewRangeFeed(ranges)
		settings.Feed, settings.Paced, settings.Unread = one, one, one.Unread
	}
	if err := state.open(context.Background()); err != nil {
		logger.Warn("The state of a feed can't be opened; it is tried again.", "err", err)
	}
	return queue
}

// specOf is what the ledger must know of a feed.
func specOf(c *config.Source, info *collector.FeedInfo) ledger.FeedSpec {
	return ledger.FeedSpec{
		Source: c.Name, Provider: c.ProviderName, Feed: info.Name, RenamedFrom: c.RenamedFrom, Fingerprint: info.Fingerprint, SameAccount: info.SameAccount,
		History: c.History, Lookback: info.Lookback, LateAfter: info.LateAfter, Currency: info.Currency, Parents: info.Parents,
		Hourless: info.Hourless,
	}
}
