package collector

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Feed reads one kind of call record from one account of a provider: a RangeFeed or a TaskFeed. Only the goroutine that polls it uses it.
type Feed interface {
	// Poll reads what is due and commits it page by page. An error ends the poll; what was committed stays.
	Poll(ctx context.Context) error
	// Wait is how long from now to the next poll, failures of its own included.
	Wait(ctx context.Context) time.Duration
	// Trouble is the present failure of a part of the feed, nil if all is well.
	Trouble() error
	// Unread are the spans of time that are stepped over because they can't be read.
	Unread() []string
	// Reads names the way in which the feed is read at present; empty: there is only one.
	Reads() string
}

// RangeReader reads the calls that started in a span of time, page by page.
type RangeReader interface {
	// Pages yields the calls that started from from up to to; what lies a little outside may come too. Both times are in UTC and whole
	// seconds. A page is whole and decoded before it is yielded, and its size is bounded in bytes and rows. The page and its rows belong to
	// the consumer until it asks for the next, when they are used again; Page.Result then says what the commit made of the page. An error is
	// yielded once, without a page, and ends the sequence.
	Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error]
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
	// Grain is the length under which a shorter range is no faster to read, such as a day; zero if there is none.
	Grain time.Duration
	// Retention is how long the provider keeps records; zero if it isn't known.
	Retention time.Duration
}

// A provider needs no other part of the ledger than these.
type (
	// Page is a piece of what one read brought.
	Page = ledger.Page
	// BadRow is a row that was set aside.
	BadRow = ledger.BadRow
	// Unmapped is a value that the mapping doesn't know.
	Unmapped = ledger.Unmapped
	// DayTotal compares what was read of a day with the provider's own total.
	DayTotal = ledger.DayTotal
)

// SyncFunc asks once for what changed since the token or, with an empty token, since from: in the order of changes, instead of ranges of time. The
// page is the caller's until the next call. The errors that matter are ErrTokenLost and ErrNoSync.
type SyncFunc func(ctx context.Context, token string, from time.Time) (*Page, SyncPosition, error)

// SyncPosition is what a SyncFunc's next call needs.
type SyncPosition struct {
	// Token goes on where this answer ended; never empty.
	Token string
	// More says that newer changes are there already.
	More bool
}

// The errors of a SyncFunc that callers distinguish with errors.Is.
var (
	// ErrTokenLost: the provider no longer knows the token.
	ErrTokenLost = errors.New("the sync token is no longer good")
	// ErrNoSync: the account doesn't offer this way of reading.
	ErrNoSync = errors.New("the account doesn't offer to read by changes")
)
