// Package cdr is the domain: the call detail record that every provider is mapped to, its outcome,
// its money, the failure taxonomy and redaction.
//
// It is pure: it has no I/O, no clock and no global that changes. A Record is a plain value that a
// mapping fills and the ledger reads. It isn't safe for concurrent use. Its strings may point into
// a page that the reader reuses after the commit, so code that keeps one clones it.
package cdr
