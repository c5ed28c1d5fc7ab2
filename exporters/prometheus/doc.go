// Package prometheus shows the committed series at GET /metrics: in the text
// format, OpenMetrics and protobuf, through client_golang.
//
// A Gatherer reads a [metrics.Snapshot] from each of its sources at every
// scrape and turns it into the data transfer objects of the protocol
// itself, so that one histogram carries classic and native buckets, and
// counters and histograms carry the ledger's start as their created timestamp.
//
// Invariant: the numbers are the snapshot's, nothing is added up here.
//
// When things fail: a metric of the runtime that the registry refuses is left out, counted in
// promhttp_metric_handler_errors_total and logged; the others are served. Label
// values that aren't UTF-8 have the bad bytes replaced.
package prometheus
