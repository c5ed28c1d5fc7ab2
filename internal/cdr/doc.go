// Package cdr is the domain: one call detail record in the form that every
// provider is mapped to, its outcome, its money, the failure taxonomy and
// redaction.
//
// It is pure: no I/O, no clock, no global that changes. A Record is a plain
// value that a mapping fills and the ledger reads; it isn't safe for
// concurrent use, and its strings may point into a page that the reader reuses
// after the commit, so code that keeps one clones it.
package cdr
