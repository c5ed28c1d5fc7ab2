package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Feed reads one kind of call record from one account of a provider. It knows
// nothing of schedules, retries or storage.
type Feed interface {
	// Poll reads what is due and commits it page by page through the sink. An
	// error ends the poll; what was committed stays.
	Poll(ctx context.Context, state ledger.State, sink Sink) error
}

// Sink takes what a feed has read. It is used by one Poll at a time.
type Sink interface {
	// Commit writes a page and says what it made of it. After an error nothing
	// of the page was committed.
	Commit(ctx context.Context, page *ledger.Page) (ledger.Result, error)
	// Gauges replaces the feed's snapshot in memory: never in the ledger.
	Gauges(values []Gauge)
	// Now is the feed's clock: local time corrected by the provider's.
	Now() time.Time
}

// Gauge is one value of a snapshot feed, such as calls in progress.
type Gauge struct {
	// Metric is the Prometheus name; Labels are the values after the base labels.
	Metric string
	Labels []string
	Value  float64
}

// RangeReader reads the records whose calls started in a range of time: what
// most providers offer, and all that they write.
type RangeReader interface {
	// Read calls emit for each page of calls that started from from up to to;
	// what lies a little outside may come too. It returns after the last page.
	// The batch and what it holds belong to emit until it returns, and are then
	// used again. An error of emit ends the read and is returned as it is, which
	// errors.Is must still see. Both times are in UTC and whole seconds.
	Read(ctx context.Context, from, to time.Time, emit func(*Batch) error) error
	// Limits are what the provider allows.
	Limits() Limits
}

// Limits bound one read of a RangeReader.
type Limits struct {
	// MaxRange is the longest range of one request.
	MaxRange time.Duration
	// Grain is the length under which a shorter range is no faster to read, such as a day
	// where that is all that can be asked for: a slow read isn't split below it. Zero if
	// there is none.
	Grain time.Duration
	// Retention is how long the provider keeps records; zero if it isn't known.
	Retention time.Duration
}

// Batch is one page of rows, mapped.
type Batch struct {
	Records []*cdr.Record
	Invalid []ledger.BadRow
	Ignored []ledger.BadRow
	// Unmapped are values that the mapping doesn't know, with their field:
	// counted always, logged once.
	Unmapped []Unmapped
	// Page numbers the pages of one read from 1. Begins says that the batch begins its
	// page: once more with the same number, if the page broke and is read again.
	Page   int
	Begins bool
	// Last says that no batch follows, if the reader knows: the position is then
	// committed with it, which saves a commit of its own.
	Last bool
	// Work is what is still to be done about what was read: it is remembered with it.
	Work []Work
	// Totals are days of which all was read, where the provider says how many records
	// a day has. They are told with the commit of the batch.
	Totals []DayTotal
	// Result is what the commit made of the batch; emit sets it.
	Result ledger.Result
}

// SyncReader reads what has changed, in the order of changes, instead of ranges of
// time. What it has read up to is a token of the provider's.
type SyncReader interface {
	// Sync asks once for what changed since the token or, with an empty token, since
	// from. The batch is the caller's until the next call. The errors that matter are
	// ErrTokenLost and ErrNoSync; any other fails the read, which is tried again.
	Sync(ctx context.Context, token string, from time.Time) (*Batch, SyncPosition, error)
}

// SyncPosition is what a SyncReader's next call needs.
type SyncPosition struct {
	// Token goes on where this answer ended; never empty.
	Token string
	// More says that newer changes are there already.
	More bool
}

// The errors of a SyncReader that are told apart; they are wrapped.
var (
	// ErrTokenLost: the provider no longer knows the token. Reading begins anew,
	// further back (counting.md 11).
	ErrTokenLost = errors.New("the sync token is no longer good")
	// ErrNoSync: the account doesn't offer this way of reading.
	ErrNoSync = errors.New("the account doesn't offer to read by changes")
)

type (
	// Page is what a reader yields. A provider needs no other part of the ledger.
	Page = ledger.Page
	// BadRow is a row that was set aside.
	BadRow = ledger.BadRow
	// Unmapped is a value of the provider's that the mapping doesn't know.
	Unmapped = ledger.Unmapped
	// DayTotal compares what was read of a day with the provider's own total.
	DayTotal = ledger.DayTotal
)
