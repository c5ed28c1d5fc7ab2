package collector

import (
	"context"
	"iter"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
)

// RangeReader reads the calls that started in a span of time, page by page.
type RangeReader interface {
	// Pages yields all calls that started from from up to to, whatever was read before; what lies a
	// little outside may come too. Both times are in UTC and whole seconds. A page is whole and
	// decoded before it is yielded, and its size is bounded in bytes and rows. The page and its
	// rows belong to the consumer until it asks for the next, when they are used again. An error is
	// yielded once, without a page, and ends the sequence.
	Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error]
}

// StreamReader reads records in the order in which they appeared, such as lines of files. Only one goroutine uses it.
type StreamReader interface {
	// Pages yields what follows a position up to the newest. Position.Resume of a page is the
	// position behind it, for a page that may move it; it may be the same as before. An error is
	// yielded once, last and without a page: what came before it stays. The page and its rows
	// belong to the consumer until it asks for the next.
	Pages(ctx context.Context, from StreamPosition) iter.Seq2[*Page, error]
}

// StreamPosition is where a StreamReader goes on.
type StreamPosition struct {
	// Resume is Position.Resume of the last page that was committed; nil at first.
	Resume []byte
	// Origin is the earliest start that counts. The reader may skip records that start before it.
	Origin time.Time
	// Now is the time by the feed's clock.
	Now time.Time
	// Audit reads everything, also what another file seems to have had: nothing is passed over.
	Audit bool
}

// MapPages makes a page of each piece of what a reader reads. An error ends the sequence.
func MapPages[P any](pieces iter.Seq2[P, error], page func(P) *Page) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		for piece, err := range pieces {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page(piece), nil) {
				return
			}
		}
	}
}

// Limits are what a provider allows of one read of a RangeReader.
type Limits struct {
	// MaxRange is the longest range of one request; zero if there is none.
	MaxRange time.Duration
	// Grain is the shortest useful range, such as a day: a shorter one isn't faster to read. Zero:
	// any length is useful.
	Grain time.Duration
	// Retention is how long the provider keeps records; zero if it isn't known.
	Retention time.Duration
	// EndsWithin is how long after its start a call ends, where ranges are of ends; zero where they are of starts.
	EndsWithin time.Duration
}

// ReadTo is the end of the range that a Reader must read to get all calls that started before a time.
func (l Limits) ReadTo(to, now time.Time) time.Time {
	return plan.Latest(to, plan.Earliest(to.Add(l.EndsWithin), now))
}

// A provider needs no other part of counting than these.
type (
	// Rules are the traits of a feed's records.
	Rules = counting.Rules
	// Position is how far a complete read came.
	Position = counting.Position
	// Page is a piece of what one read brought.
	Page = counting.Page
	// BadRow is a row that was set aside.
	BadRow = counting.BadRow
	// Unmapped is a value that the mapping doesn't know.
	Unmapped = counting.Unmapped
	// ProviderTotal compares the number of rows read for a day with the provider's own total.
	ProviderTotal = daily.ProviderTotal
)
