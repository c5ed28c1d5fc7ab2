package app

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// observeLedger sets, before each snapshot, the own gauges that are read when
// they are shown.
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
		a.scheduler.Refresh()
		a.observeCredentials()
		a.observeGauges()
	})
}

func (a *App) observeCredentials() {
	for _, s := range a.present().sources {
		if s.opened.CredentialExpiry == nil {
			continue
		}
		if at := s.opened.CredentialExpiry(); !at.IsZero() {
			a.own.SetTime(metrics.CredentialExpiry, at, s.config.Name)
		}
	}
}

// backend is what the web surface asks.
type backend struct{ app *App }

// Reload implements web.Backend.
func (b backend) Reload(ctx context.Context) error { return b.app.Reload(ctx) }

// Ready implements web.Backend.
func (b backend) Ready() (bool, string) {
	for _, s := range b.app.present().sources {
		for i, l := range s.loops {
			// A snapshot has no history that would be missed.
			if status := l.Status(); !status.Ready && !s.opened.Feeds[i].Snapshot {
				return false, "the first history of " + status.Source + "/" + status.Feed + " is still being read"
			}
		}
	}
	return true, ""
}

// Status implements web.Backend.
func (b backend) Status() web.Status {
	var status web.Status
	present := b.app.present()
	for _, s := range present.sources {
		source := web.Source{Name: s.config.Name, Provider: s.config.ProviderName}
		if s.opened.Budget != nil {
			source.Budget = budgetStatus(s.opened.Budget())
		}
		if s.hasWebhook() {
			source.Subscription = s.notified.subscription()
		}
		for i, l := range s.loops {
			feed := feedStatus(l.Status())
			if s.opened.Feeds[i].Snapshot {
				addSnapshot(&feed, l.Gauges())
			}
			addTask(&feed, s.queues[i])
			source.Feeds = append(source.Feeds, feed)
		}
		status.Sources = append(status.Sources, source)
	}
	records, oldest := b.app.ledger.Outbox()
	status.OTLP = present.otlp.status()
	status.OTLP.OutboxRecords, status.OTLP.Oldest = records, web.Time(oldest)
	b.app.addFigures(&status)
	return status
}

func feedStatus(s collector.Status) web.Feed {
	return web.Feed{
		Feed: s.Feed, State: web.State(s.State), Watermark: web.Time(s.Watermark), LastSuccess: web.Time(s.LastSuccess),
		Records: int64(s.Records), NextRead: web.Time(s.NextRead), LastError: s.LastError, Reads: s.Reads, Unread: s.Unread,
	}
}

// statusPatience is how long the status waits for the ledger.
const statusPatience = 2 * time.Second

// addTask adds what waits to be fetched, unless lists hold the records.
func addTask(feed *web.Feed, queue *lazyFeed) {
	if queue == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), statusPatience)
	defer cancel()
	if waiting, setAside, err := queue.Waiting(ctx); err == nil {
		feed.Waiting, feed.SetAside = &waiting, &setAside
	}
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
