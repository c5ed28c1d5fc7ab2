package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Ledger is a feed's handle on the ledger; *ledger.Feed is one. It must be safe
// for concurrent use.
type Ledger interface {
	// State is what was last committed. After ErrFenced it is the other writer's.
	State() ledger.State
	// Commit writes a page as a whole or not at all.
	Commit(ctx context.Context, page *ledger.Page) (ledger.Result, error)
}

// Observer takes a feed's own metrics; *metrics.Feed is one. Its methods may be
// called from several goroutines at once.
type Observer interface {
	// Poll counts a poll by how it ended.
	Poll(ok bool)
	// Rows counts rows by what became of them: new, duplicate, revised, invalid,
	// ignored, too_old.
	Rows(result string, n int)
	// Delays are those of new records: first seen after the call's end.
	Delays(all []time.Duration)
	// Overflow counts observations that were folded, by metric.
	Overflow(folded map[string]int)
	// Unmapped counts a value that the mapping doesn't know.
	Unmapped(field string)
	// Watermark, NewestCall and LastSuccess are the feed's times; zero: none yet.
	Watermark(at time.Time)
	NewestCall(at time.Time)
	LastSuccess(at time.Time)
	// CatchingUp says whether the watermark is far behind.
	CatchingUp(yes bool)
	// Unreadable is how much time the provider no longer kept when it was due.
	Unreadable(d time.Duration)
	// Tasks is how much of a kind of thing waits to be fetched or read again, and how much
	// of it was set aside. What is shown of a feed is the sum over the kinds.
	Tasks(kind string, waiting, setAside int)
	// ClockOffset is the provider's clock minus ours.
	ClockOffset(d time.Duration)
	// Reconciled compares how many distinct records of a day were read with the
	// provider's own total.
	Reconciled(day time.Time, ours, theirs int)
}

// noObserver drops what it observes.
type noObserver struct{}

func (noObserver) Poll(bool)                      {}
func (noObserver) Rows(string, int)               {}
func (noObserver) Delays([]time.Duration)         {}
func (noObserver) Overflow(map[string]int)        {}
func (noObserver) Unmapped(string)                {}
func (noObserver) Watermark(time.Time)            {}
func (noObserver) NewestCall(time.Time)           {}
func (noObserver) LastSuccess(time.Time)          {}
func (noObserver) CatchingUp(bool)                {}
func (noObserver) Unreadable(time.Duration)       {}
func (noObserver) Tasks(string, int, int)         {}
func (noObserver) ClockOffset(time.Duration)      {}
func (noObserver) Reconciled(time.Time, int, int) {}
