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
	// Pages yields the calls with from ≤ start < to, whatever was read before; it may also yield calls
	// slightly outside. Both times are in UTC and whole seconds. A page is whole and
	// decoded before it is yielded, and its size is bounded in bytes and rows. The page and its
	// rows belong to the consumer until it asks for the next, when they are used again. An error is
	// yielded once, without a page, and ends the sequence.
	Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error]
}

// StreamReader reads records in the order in which they appeared, such as lines of files. Only one goroutine uses it.
type StreamReader interface {
	// Pages yields the records after a position, up to the newest. If a page may move the position,
	// its Position.Resume is the position after the page, which may be the same as before. An error is
	// yielded once, last and without a page; the pages before it stay committed. The page and its rows
	// belong to the consumer until it asks for the next.
	Pages(ctx context.Context, from StreamPosition) iter.Seq2[*Page, error]
}

// StreamPosition is where a StreamReader continues.
type StreamPosition struct {
	// Resume is Position.Resume of the last page that was committed; nil at first.
	Resume []byte
	// Origin is the earliest start that counts. The reader may skip records that start before it.
	Origin time.Time
	// Now is the time by the feed's clock.
	Now time.Time
	// Watermark is when the last complete read began. During a downtime it stands still.
	Watermark time.Time
	// HistoryDone says that the first history was read. Commands have none.
	HistoryDone bool
	// Once says that a command reads, so that no later read gets what this one leaves out.
	Once bool
	// Audit reads everything, including rows that another file seems to have had.
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

// Limits are a provider's limits for one read of a RangeReader.
type Limits struct {
	// MaxRange is the longest range of one request; zero if there is none.
	MaxRange time.Duration
	// Grain is the shortest useful range, such as a day: a shorter one isn't faster to read. Zero:
	// any length is useful.
	Grain time.Duration
	// Retention is how long the provider keeps records; zero if it isn't known.
	Retention time.Duration
	// EndsWithin is the longest time from a call's start to its end if ranges are of ends; zero if they are of starts.
	EndsWithin time.Duration
}

// retentionMargin is the distance of reads from the oldest time that the provider keeps: a request begins at whole
// seconds and may wait, and some providers refuse all of it if its first second is too old.
const retentionMargin = time.Minute

// KeptSince is the earliest time to read of a provider that keeps records that long.
func KeptSince(retention time.Duration, now time.Time) time.Time {
	return now.Add(min(retentionMargin, retention/2) - retention)
}

// ReadTo is the end of the range that a Reader must read to get all calls that started before a time.
func (l Limits) ReadTo(to, now time.Time) time.Time {
	return plan.Latest(to, plan.Earliest(to.Add(l.EndsWithin), now))
}

// A provider needs no other part of counting than these.
type (
	// Rules are the traits of a feed's records.
	Rules = counting.Rules
	// Position is how far a feed was read.
	Position = counting.Position
	// Page is a part of what one read found.
	Page = counting.Page
	// BadRow is a row that was set aside.
	BadRow = counting.BadRow
	// Unmapped is a value that the mapping doesn't know.
	Unmapped = counting.Unmapped
	// ProviderTotal compares the number of rows read for a day with the provider's own total.
	ProviderTotal = daily.ProviderTotal
)
