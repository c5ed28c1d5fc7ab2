// Package work holds what a feed must still do in addition to its read plan: a table of items in the
// ledger, each with its due time, its attempts and its last problem. A commit changes the table
// together with what it counts (counting.md 4). The package is pure: it has no clock and does no
// I/O.
//
//	list, notification ─▶ Record ─┐
//	failed read, audit ─▶ Span   ─┤                  ┌─▶ done: removed
//	another replica    ─▶ Posted ─┼─▶ due ─▶ read it ┼─▶ failed: tried later, less often
//	leg of a call      ─▶ Call   ─┘                  └─▶ failed often: set aside, shown, tried seldom
package work

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The kinds of items. A provider may have further ones, which its Fetcher reads.
const (
	// Record reads the record whose id is the key. Version is the provider's version; 0 is none.
	Record = "record"
	// Span reads a span of time again. Its key is the span, FROM/TO; while it is set aside other reads leave it out.
	Span = "span"
	// Posted counts the records of a body that was posted to a replica that doesn't read the feed. Due
	// and Version are when the ledger received it, in microseconds: bodies are counted in that order,
	// because the later of two versions is right.
	Posted = "posted"
	// Call holds the legs of a call until it is whole. Its key is the call's key, its data the legs.
	Call = "call"
)

// Item is something that a feed must still do.
type Item struct {
	// Kind and Key name it; a greater Version replaces it.
	Kind, Key string
	Version   int64
	// Due is when to do it next.
	Due time.Time
	// Attempts counts the attempts. After as many as the feed allows, the item is set aside, and the
	// count starts at 0 again.
	Attempts int
	// SetAside says that the item is set aside: it is tried rarely, and nothing waits for it.
	SetAside bool
	// Problem says why the last attempt failed, for the operator; empty if there was none.
	Problem string
	// Data is what the item needs in addition to its key, such as posted records; it may be empty.
	// Values that privacy removes are in it only encrypted.
	Data string
}

// namedAgain is how soon an item that was set aside is tried when a list names it again: later than with each list.
const namedAgain = time.Hour

// Enqueued merges an item with the item that waits under its key, nil if there is none. It returns the
// item that waits afterwards, whether it wasn't waiting before, and whether anything changes. The same
// version again, for instance from a list, doesn't make a retry due earlier. An item that was set
// aside stays so and is tried soon, unless the new version is greater: then it starts over
// (counting.md 32).
func (w *Item) Enqueued(was *Item) (next Item, queued, changed bool) {
	next = *w
	switch {
	case was == nil:
		return next, !next.SetAside, true
	case w.Version < was.Version:
		return *was, false, false
	case w.Version > was.Version || w.SetAside:
	case was.SetAside:
		next.SetAside, next.Due, next.Problem = true, w.Due.Add(namedAgain), was.Problem
		if was.Due.Before(next.Due) {
			next.Due = was.Due
		}
	case w.Attempts < was.Attempts:
		return *was, false, false
	}
	return next, was.SetAside && !next.SetAside, true
}

// IsSpan says whether an item is of the kind Span.
func IsSpan(w Item) bool { return w.Kind == Span }

// Spans returns the items of the kind Span, in order of their keys, after a commit has removed some items and added
// others. It doesn't change before.
func Spans(before, done, put []Item) []Item {
	if !slices.ContainsFunc(done, IsSpan) && !slices.ContainsFunc(put, IsSpan) {
		return before
	}
	after := make(map[string]Item)
	for _, w := range before {
		after[w.Key] = w
	}
	for _, w := range done {
		if IsSpan(w) {
			delete(after, w.Key)
		}
	}
	for _, w := range put {
		if IsSpan(w) { // without the memory of a page
			w.Kind, w.Key = Span, strings.Clone(w.Key)
			w.Problem, w.Data = strings.Clone(w.Problem), strings.Clone(w.Data)
			after[w.Key] = w
		}
	}
	return slices.SortedFunc(maps.Values(after), func(a, b Item) int { return strings.Compare(a.Key, b.Key) })
}
