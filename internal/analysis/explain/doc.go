// Package explain lists the records that make a number of a counter or a histogram, and proves the sum.
//
//	provider ─▶ facts of the range (internal/analysis/history) ─┐
//	ledger ─▶ what it remembers of each record ────────┴─▶ what each record added ─▶ Result
//
// The provider says what records are now, the ledger how they were counted: whether they were late, their first
// outcome, labels and amounts, and which of their fields changed. Records that the ledger has and the provider doesn't
// list are listed by their hash, and the hour or second of their start.
//
// Invariants: amounts are exact decimals. A sum is proven only if the addition of each record is known, and each
// remembered record was looked up. If the range holds all that was ever counted, the sum is compared with the
// value of the series itself.
//
// Memory holds the records of the range.
package explain
