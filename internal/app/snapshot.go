package app

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
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
