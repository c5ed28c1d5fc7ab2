// Package prometheus shows the committed series at GET /metrics in the text format, OpenMetrics and
// protobuf, through client_golang.
//
// A Gatherer reads a [metrics.Snapshot] from each of its sources at every scrape. It makes the
// protocol's data transfer objects itself, so that one histogram has classic and native buckets,
// and counters and histograms have the ledger's start as their created timestamp.
//
// Invariant: the numbers are the snapshot's; nothing is added up here.
//
// Errors: a metric of the runtime that the registry refuses is left out, counted in
// promhttp_metric_handler_errors_total and logged; the others are served. In label values that
// aren't UTF-8 the invalid bytes are replaced.
package prometheus
