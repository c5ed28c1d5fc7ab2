package app

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// observeLedger sets the exporter's gauges before each snapshot.
func (a *App) observeLedger() {
	a.own.OnSnapshot(func() {
		records, oldest := a.ledger.Outbox()
		a.own.Set(metrics.OutboxRecords, float64(records))
		if limit := a.ledger.OutboxLimit(); limit > 0 {
			a.own.Set(metrics.OutboxLimit, float64(limit))
		} else {
			a.own.Clear(metrics.OutboxLimit)
		}
		if records > 0 {
			a.own.SetTime(metrics.OutboxOldest, oldest)
		} else {
			a.own.Clear(metrics.OutboxOldest)
		}
		if size, err := a.ledger.Size(); err == nil {
			a.own.Set(metrics.LedgerSize, float64(size))
		}
		for _, c := range a.ledger.Store().Counts() {
			a.own.Set(metrics.SeriesCount, float64(c.Series), c.Source, c.Feed, c.Metric)
		}
		for _, s := range a.visible.Load().sources {
			for _, f := range s.feeds {
				f.loop.Refresh()
			}
		}
		a.observeCredentials()
		a.observeGauges()
	})
}

func (a *App) observeCredentials() {
	for _, s := range a.visible.Load().sources {
		if s.opened.CredentialExpiry == nil {
			continue
		}
		if at := s.opened.CredentialExpiry(); !at.IsZero() {
			a.own.SetTime(metrics.CredentialExpiry, at, s.config.Name)
		}
	}
}

// Ready implements web.Backend.
func (a *App) Ready() (bool, string) {
	for _, s := range a.visible.Load().sources {
		for _, f := range s.feeds {
			// A snapshot has no history to read.
			if status := f.loop.Status(); !status.Ready && !f.info.Snapshot {
				return false, "the first history of " + status.Source + "/" + status.Feed + " is still being read"
			}
		}
	}
	return true, ""
}

// Status implements web.Backend.
func (a *App) Status() web.Status {
	status := web.Status{Sources: []web.Source{}}
	visible := a.visible.Load()
	for _, s := range visible.sources {
		source := web.Source{Name: s.config.Name, Provider: s.config.ProviderName}
		if s.opened.Budget != nil {
			source.Budget = budgetStatus(s.opened.Budget())
		}
		if s.hasWebhook() {
			source.Subscription = &web.Subscription{}
		}
		for _, f := range s.feeds {
			source.Feeds = append(source.Feeds, f.status())
		}
		status.Sources = append(status.Sources, source)
	}
	records, oldest := a.ledger.Outbox()
	status.OTLP = visible.otlp.status()
	status.OTLP.OutboxRecords, status.OTLP.Oldest = records, web.Time(oldest)
	a.addFigures(&status)
	return status
}

// statusTimeout is how long the status waits for the ledger.
const statusTimeout = 2 * time.Second

func (f *feed) status() web.Feed {
	s := f.loop.Status()
	feed := web.Feed{
		Feed: s.Feed, State: web.State(s.State), Watermark: web.Time(s.Watermark), LastSuccess: web.Time(s.LastSuccess),
		Records: int64(s.Records), NextRead: web.Time(s.NextRead), LastError: s.LastError, Reads: s.Reads, Unread: s.Unread,
		Delay: f.delays.summary(time.Now()),
	}
	if f.info.Snapshot {
		addSnapshot(&feed, f.loop.Gauges())
	}
	if f.queue != nil {
		ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
		defer cancel()
		if waiting, setAside, err := f.queue.Waiting(ctx); err == nil {
			feed.Waiting, feed.SetAside = &waiting, &setAside
		}
	}
	return feed
}

// budgetStatus is nil where there is no limit.
func budgetStatus(b httpclient.Budget) *web.Budget {
	if b.Limit <= 0 {
		return nil
	}
	budget := &web.Budget{
		Group: b.Group, Limit: b.Limit, WindowSeconds: int64(b.Per / time.Second), FrozenUntil: web.Time(b.FrozenUntil),
	}
	if b.Remaining >= 0 {
		budget.Remaining = &b.Remaining
	}
	return budget
}

// addFigures adds the exporter's own metrics of feeds, subscriptions and the ledger to a status.
func (a *App) addFigures(status *web.Status) {
	feeds, subscriptions := make(map[[2]string]*web.Feed), make(map[string]*web.Subscription)
	for i := range status.Sources {
		s := &status.Sources[i]
		for j := range s.Feeds {
			feeds[[2]string{s.Name, s.Feeds[j].Feed}] = &s.Feeds[j]
		}
		if s.Subscription != nil {
			subscriptions[s.Name] = s.Subscription
		}
	}
	for _, family := range a.own.Snapshot().Families {
		for _, p := range family.Points {
			labels := p.Labels.Values
			switch len(labels) {
			case 0:
				if family.Def == metrics.LedgerSize {
					status.Ledger.SizeBytes = int64(p.Value)
				}
			case 1:
				if s := subscriptions[labels[0]]; s != nil {
					addSubscription(s, family.Def, p.Value)
				}
			default:
				if f := feeds[[2]string(labels[:2])]; f != nil {
					addFigure(status, f, family.Def, p.Value)
				}
			}
		}
	}
}

func addSubscription(s *web.Subscription, def *metrics.Def, v float64) {
	switch def {
	case metrics.SubscriptionExpiry:
		s.Expires = unixTime(v)
	case metrics.SubscriptionLastNotification:
		s.LastNotification = unixTime(v)
	}
}

func addFigure(status *web.Status, feed *web.Feed, def *metrics.Def, v float64) {
	switch def {
	case metrics.SeriesCount:
		feed.Series += int64(v)
		status.Ledger.Series += int64(v)
	case metrics.SeriesOverflow:
		feed.SeriesOverflow += int64(v)
		status.Ledger.SeriesOverflow += int64(v)
	case metrics.NewestCall:
		feed.NewestCall = unixTime(v)
	}
}

// unixTime is the time in a metric; 0: none.
func unixTime(v float64) web.Time {
	if v == 0 {
		return web.Time{}
	}
	return web.Time(time.UnixMilli(int64(v * 1e3)))
}

// Activity implements web.Backend.
func (a *App) Activity(ctx context.Context, from time.Time) ([]web.Activity, error) {
	counted, err := a.ledger.Activity(ctx, from)
	if err != nil {
		return nil, err
	}
	configured := a.visible.Load().names()
	var all []web.Activity
	for _, c := range counted {
		if configured[[2]string{c.Source, c.Feed}] {
			all = append(all, web.Activity{
				Source: c.Source, Provider: c.Provider, Feed: c.Feed, Start: web.Time(c.Start), Calls: c.Calls, Failures: c.Failures,
			})
		}
	}
	return all, nil
}
