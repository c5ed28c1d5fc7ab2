package app

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// makeFeed makes the loop of a feed.
func (a *App) makeFeed(s *source, info *collector.FeedInfo, clock *collector.Clock) *feed {
	own, f := a.own.Feed(s.config.Name, info.Name), &feed{info: info}
	settings := collector.LoopSettings{
		Source: s.config.Name, Provider: s.config.ProviderName, Name: info.Name, Interval: pollInterval(info),
		ActiveCalls: info.ActiveCalls, Clock: clock, Own: own, Logger: a.logger,
		Advise: s.opened.Advise, ThrottledUntil: s.opened.ThrottledUntil,
	}
	if info.ActiveCalls == nil {
		a.addLedger(&settings, s, f)
	}
	f.loop = collector.NewLoop(settings)
	return f
}

// pollInterval is how often a feed is polled: half as often with a webhook (counting.md 12).
func pollInterval(info *collector.FeedInfo) time.Duration {
	if info.Webhook != nil {
		return 2 * info.Interval
	}
	return info.Interval
}

// addLedger completes the settings of a feed whose records are counted.
func (a *App) addLedger(settings *collector.LoopSettings, s *source, f *feed) {
	info := f.info
	logger := a.logger.With(collector.SourceKey, s.config.Name, "feed", info.Name)
	state := &lazyFeed{ledger: a.ledger, owners: a.owners, spec: specOf(s.config, info), now: settings.Clock.Now}
	settings.Ledger, settings.Open = state, state.open
	ranges := collector.RangeSettings{
		Reader: info.Reader, Changes: info.Sync, Interval: settings.Interval, Lookback: info.Lookback, Clock: settings.Clock,
		Own: settings.Own, Logger: logger,
	}
	if info.Fetcher != nil {
		f.queue = state
		settings.Feed = collector.NewTaskFeed(collector.TaskSettings{Ranges: ranges, Fetcher: info.Fetcher, Queue: state, Subscription: info.Subscription})
	} else {
		settings.Feed = collector.NewRangeFeed(ranges)
	}
	if a.ledger.Shared() {
		return // its loop opens it: who takes many feeds over doesn't wait for the commits of the first
	}
	if err := state.open(context.Background()); err != nil {
		logger.Warn("The state of a feed can't be opened; it is retried.", "err", err)
	}
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
