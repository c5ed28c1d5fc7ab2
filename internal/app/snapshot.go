package app

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// snapshotObserver sets the metrics of a snapshot feed. Its watermark is the time of its last read, since it has no position in the
// ledger, so that queries of staleness include it.
type snapshotObserver struct{ *metrics.Feed }

var _ collector.Observer = snapshotObserver{}

// Watermark implements collector.Observer.
func (snapshotObserver) Watermark(time.Time) {}

// LastSuccess implements collector.Observer.
func (o snapshotObserver) LastSuccess(at time.Time) {
	o.Feed.LastSuccess(at)
	if !at.IsZero() { // zero after a reload
		o.Feed.Watermark(at)
	}
}

// observeGauges exposes the gauges of snapshot feeds that this replica surely owns.
func (a *App) observeGauges() {
	var active []metrics.Row
	holds := a.owners.holds()
	for _, s := range a.running.Load().sources {
		for _, f := range s.feeds() {
			if !holds {
				continue
			}
			for _, g := range f.loop.Gauges() {
				if g.Metric == metrics.ActiveCalls.Name {
					labels := append([]string{s.config.Name, s.config.ProviderName, f.info.Name}, g.Labels...)
					active = append(active, metrics.Row{Labels: labels, Value: g.Value})
				}
			}
		}
	}
	a.own.Replace(metrics.ActiveCalls, active)
}

// addSnapshot adds the last snapshot to a feed's status.
func addSnapshot(feed *web.Feed, gauges []collector.Gauge) {
	feed.Snapshot = true
	feed.Watermark = feed.LastSuccess
	for _, g := range gauges {
		if g.Metric == metrics.ActiveCalls.Name {
			if feed.InProgress == nil {
				feed.InProgress = new(int)
			}
			*feed.InProgress += int(g.Value)
		}
	}
}
