// Package metrics is the catalogue: each metric is defined once, here, with its
// help, unit and labels, and says how a record changes it.
//
// Counting is pure: Count and the functions beside it turn a record, and what is known of it, into deltas
// of series. A Store holds the series that come from records. It is changed only through
// Changes, the working copy of one commit: deltas are added to it, the ledger writes it,
// and it becomes visible when the commit has succeeded; a failed commit leaves no trace.
// SelfMetrics holds the exporter's metrics about itself, which live as long as the process. Both are read
// as one Snapshot, so every exporter shows the same numbers.
//
// Sums are integers (microseconds, billionths) and decimals (money), so the
// order in which records arrive doesn't matter (counting.md 24).
package metrics
