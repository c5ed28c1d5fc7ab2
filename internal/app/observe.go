package app

import (
	"context"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// observeLedger sets, before each snapshot, the own gauges that are read rather
// than told.
func (a *App) observeLedger() {
	a.own.OnSnapshot(func() {
		records, oldest := a.ledger.Outbox()
		a.own.Set(metrics.OutboxRecords, float64(records))
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
		for _, l := range s.loops {
			if status := l.Status(); !status.Ready {
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
		for _, l := range s.loops {
			source.Feeds = append(source.Feeds, feedStatus(l.Status()))
		}
		status.Sources = append(status.Sources, source)
	}
	records, oldest := b.app.ledger.Outbox()
	status.OTLP = present.otlp.status()
	status.OTLP.OutboxRecords, status.OTLP.Oldest = records, web.Time(oldest)
	return status
}

func feedStatus(s collector.Status) web.Feed {
	return web.Feed{
		Feed: s.Feed, State: web.State(s.State), Watermark: web.Time(s.Watermark), LastSuccess: web.Time(s.LastSuccess),
		Records: int64(s.Records), NextRead: web.Time(s.NextRead), LastError: s.LastError,
	}
}
