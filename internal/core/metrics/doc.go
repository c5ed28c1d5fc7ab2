// Package metrics is the catalogue. It defines each metric once, with its help, unit and labels,
// and says which facts change it.
//
// Counting is pure: Count turns a fact into deltas of series. A Store has the series that come from
// records. It only changes through Changes, the working copy of one commit: deltas are added to it,
// the ledger writes it, and it becomes visible when the commit has succeeded. A failed commit leaves
// no trace. SelfMetrics has the exporter's metrics about itself, which live as long as the process.
// Both are read as one Snapshot, so every exporter shows the same numbers.
//
// Sums are integers (microseconds, billionths) and decimals (money), so the order in which records
// arrive doesn't matter (counting.md 24).
package metrics
