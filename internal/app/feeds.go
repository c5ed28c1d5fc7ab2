package app

import (
	"context"
	"slices"

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
