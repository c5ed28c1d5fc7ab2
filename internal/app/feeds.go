package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

func (a *App) makeFeed(s *source, info *collector.FeedInfo, clock *collector.Clock) *feed {
	f := &feed{info: info}
	settings := collector.FeedSettings{
		Source: s.config.Name, Info: info, Clock: clock, Metrics: a.selfMetrics.Feed(s.config.Name, info.Name),
		Logger: a.logger,
		Label:  func(records []*cdr.Record) { a.labels.Load().Apply(s.config.Name, records) },
		Advise: s.opened.Advise, ThrottledUntil: s.opened.ThrottledUntil,
	}
	f.metrics = settings.Metrics
	if random := a.settings.Random; random != nil {
		settings.Random = func() float64 { return random(s.config.Name, info.Name) }
	}
	settings.Open = func(context.Context) error { return a.ledger.Replaced() } // stops the reading
	if info.ActiveCalls == nil {
		f.state = &lazyFeed{ledger: a.ledger, spec: SpecOf(s.config, info)}
		if f.state.spec.History < s.config.History {
			f.state.logger = a.logger.With(collector.SourceKey, s.config.Name, "feed", info.Name)
		}
		settings.Ledger, settings.Open = f.state, f.state.open
		settings.Paused = a.ledger.Paused
		// in a shared ledger the loop opens it, so that a takeover of many feeds doesn't wait for
		// the first one's commits
		if !a.ledger.Shared() {
			if err := f.state.open(context.Background()); err != nil {
				a.logger.Warn("Can't open the state of a feed, retrying", collector.SourceKey, s.config.Name, "feed",
					info.Name, "err", err)
			}
		}
	}
	f.loop = collector.NewLoop(settings)
	return f
}

// SpecOf says how the ledger counts a feed of a source.
func SpecOf(c *config.Source, info *collector.FeedInfo) ledger.FeedSpec {
	rules := info.Rules
	rules.NoReasons = !info.Properties.Reasons
	history, lead := keptHistory(c.History, info), time.Duration(0)
	if rules.Legs {
		lead = info.WholeAfter
		if keeps := info.Limits.Retention; keeps > 0 && info.Stream == nil {
			lead = max(0, min(lead, keptHistory(keeps, info)-history))
		}
	}
	return ledger.FeedSpec{
		Settings: counting.Settings{
			Source: c.Name, Provider: c.ProviderName, Feed: info.Name, History: history, Lookback: info.Lookback,
			LateAfter: info.LateAfter,
			Currency:  info.Currency, Rules: rules, Settle: info.Settle, WholeAfter: info.WholeAfter, Lead: lead,
		},
		RenamedFrom: c.RenamedFrom, Fingerprint: info.Fingerprint, SameAccount: info.SameAccount,
		OtherAccount: info.OtherAccount,
	}
}

// keptHistory is the history, cut to an hour less than the provider keeps: the first read may begin
// late. A stream cuts its own.
func keptHistory(history time.Duration, info *collector.FeedInfo) time.Duration {
	keeps := info.Limits.Retention
	if keeps == 0 || info.Stream != nil {
		return history
	}
	return min(history, keeps-min(time.Hour, keeps/2))
}

// lazyFeed is the ledger's handle on a feed. The loop opens it before each read until that
// succeeds, since a full disk may be temporary. Before that, only State may be called, from any
// goroutine.
type lazyFeed struct {
	*ledger.Feed

	isOpen atomic.Bool // the Feed is open
	ledger *ledger.Ledger
	spec   ledger.FeedSpec
	logger *slog.Logger // set if the history was cut
}

// open opens the feed's state unless it is open. One goroutine calls it. It fails once the ledger
// was replaced.
func (l *lazyFeed) open(ctx context.Context) (err error) {
	if l.isOpen.Load() {
		l.Begin()
		return l.ledger.Replaced()
	}
	if l.Feed, err = l.ledger.Feed(ctx, l.spec); err == nil {
		l.isOpen.Store(true)
		if l.logger != nil && !l.State().HistoryDone {
			l.logger.Info("The history is shorter than configured: the provider doesn't keep records longer",
				"history", l.spec.History.String())
		}
	}
	return err
}

// State implements collector.Ledger. It is zero until the feed is open.
func (l *lazyFeed) State() counting.State {
	if !l.isOpen.Load() {
		return counting.State{}
	}
	return l.Feed.State()
}
