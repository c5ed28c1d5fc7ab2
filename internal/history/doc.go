// Package history counts calls by when they began instead of when they were read, for a
// range of time in the past.
//
// What is a call, a repeat, a part of another or a failure is the ledger's to say: History
// reads a feed's range into a ledger of its own, in a folder that is thrown away, and
// watches by how much each record changes each series. The changes are sorted on disk by
// series and time, and written in that order.
//
//	range ─▶ pieces ─▶ pages ─▶ ledger ─▶ changes ─▶ runs on disk ─▶ merge ─▶ samples
//	           read again until a pass        watched    sorted           by series, by time
//	           finds nothing new
//
// Invariants: memory holds a page, a buffer of changes, a piece of each run and the label
// sets, whatever the range; sums are integers and decimals, rounded once when a sample is
// written; the last sample of a series is the sum of all of its changes.
//
// When things fail: a piece that can't be read is tried again with half its length, a few
// times; any other error ends it, and nothing can be written then.
package history
