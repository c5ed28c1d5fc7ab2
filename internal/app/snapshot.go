package app

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// snapshotObserver takes the own metrics of a feed that reads what is there now. It has
// no position in the ledger: what stands for it is when it was last read, so that
// whoever asks how stale feeds are needn't leave it out. It counts no calls, so its
// newest one stays 0.
type snapshotObserver struct{ *metrics.Feed }

var _ collector.Observer = snapshotObserver{}

// Watermark implements collector.Observer.
func (snapshotObserver) Watermark(time.Time) {}

// LastSuccess implements collector.Observer.
func (o snapshotObserver) LastSuccess(at time.Time) {
	o.Feed.LastSuccess(at)
	if !at.IsZero() { // a reload forgets when that was
		o.Feed.Watermark(at)
	}
}

// observeGauges shows the snapshots of the feeds that have one.
func (a *App) observeGauges() {
	var active []metrics.Row
	for _, s := range a.present().sources {
		for i, l := range s.loops {
			for _, g := range l.Gauges() {
				if g.Metric == metrics.ActiveCalls.Name {
					labels := append([]string{s.config.Name, s.config.ProviderName, s.opened.Feeds[i].Name}, g.Labels...)
					active = append(active, metrics.Row{Labels: labels, Value: g.Value})
				}
			}
		}
	}
	a.own.Replace(metrics.ActiveCalls, active)
}

// addSnapshot adds to a feed's status what its last snapshot says.
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
