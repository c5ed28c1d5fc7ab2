// Package report sums calls, connected time and money by keys that a user asks for, such as trunk and month.
//
// It isn't told of calls but of what each record changes in the series (internal/history), so duplicates, groups, revisions and
// corrections are counting's to decide, and the sums are those of the counters for the same records.
//
// Invariants: memory holds one row for each combination of the keys' values, however many calls there are; sums are integers and decimals, and
// only minutes are rounded, once, when they are written.
package report
