package wavix

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	dayLength = 24 * time.Hour
	// maxRange is how much one read covers: two days more are asked for, of each type.
	maxRange = 7 * dayLength
	// atPresent is how near to now the end of a range is that reads what is new.
	atPresent = 5 * time.Minute
	// maxWait is how long parts of other calls wait for a read without an error: as long
	// as a provider has trouble that passes.
	maxWait = time.Hour
)

// callLog is the feed of the call detail records. It is safe for concurrent use.
//
// The provider knows only days, of a time zone that it doesn't say, so a day more is
// asked for on either side. Rows from before what was ever asked for are left out: they
// are older than the feed goes back, and would be counted as too old each time. Other rows
// outside the range are handed on, since a row that is found late may be anywhere on the
// days that are read, and no shorter range would bring it again; those that the ledger has
// are known to it.
//
// Reads that go up to the present share what is known of days, by which one is read again
// cheaply: what they have handed on they don't hand on again. One begins anew if it goes
// further back than any before, or no further up than the one before. A read that ends in
// the past knows nothing: who reads such a range gets all of it.
type callLog struct {
	asker     asker
	format    string
	kinds     []string
	lookback  time.Duration
	countries *cdr.Countries
	emergency *cdr.EmergencyNumbers
	// now is the provider's time.
	now func() time.Time

	mu   sync.Mutex
	live liveRead // guarded by mu
}

// liveRead is what reads up to the present share.
type liveRead struct {
	reading *reading
	days    *dayReader
	// from is from when on rows are handed on, as far back as a read went; to is the end
	// of the last read.
	from, to time.Time
}

// Limits implements collector.RangeReader. Calls are kept for ever. Only whole days can be
// asked for.
func (l *callLog) Limits() collector.Limits {
	return collector.Limits{MaxRange: maxRange, Grain: 24 * time.Hour}
}

// Pages implements collector.RangeReader, over Read.
func (l *callLog) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		err := l.Read(ctx, from, to, func(page *collector.Page) error {
			if !yield(page, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// errStopped is a consumer that wants no more pages.
var errStopped = errors.New("no more pages are wanted")

// Read hands pages on.
func (l *callLog) Read(ctx context.Context, from, to time.Time, emit func(*collector.Page) error) error {
	if l.now().Sub(to) <= atPresent && l.mu.TryLock() {
		defer l.mu.Unlock()
		return l.readLive(ctx, from, to, emit)
	}
	r := l.newReading()
	_, err := l.readDays(ctx, r, newDayReader(r, l.now), readSpan{from, to, from}, false, emit)
	return err
}

// readSpan is what a read is to read, and from when on rows are handed on.
type readSpan struct{ from, to, floor time.Time }

func (l *callLog) newReading() *reading {
	return newReading(l.asker, l.format, newBatch(l.countries, l.emergency))
}

// readLive reads a range that goes up to the present.
func (l *callLog) readLive(ctx context.Context, from, to time.Time, emit func(*collector.Page) error) error {
	v := &l.live
	if v.reading == nil {
		v.reading, v.from = l.newReading(), from
	}
	if v.days == nil || from.Before(v.from) || !to.After(v.to) {
		// What fails is tried again with the same range, and goes on where it stopped.
		v.days, v.from, v.to = newDayReader(v.reading, l.now), earlier(from, v.from), to.Add(-time.Second)
		v.reading.forget()
		v.reading.batch.kin.forget()
	}
	s := readSpan{from, to, earlier(from, l.owed(v.from))}
	days := v.days
	v.days = nil // whatever happens, as long as rows may be known that weren't handed on
	lost, err := l.readDays(ctx, v.reading, days, s, s.to.Sub(s.from) > l.lookback, emit)
	if !lost {
		v.days = days
	}
	if err == nil {
		v.to = s.to
	}
	return err
}

// owed is from when on rows are handed on that lie before the range of a read: from what
// was ever asked for, but nothing that no read can owe any more.
func (l *callLog) owed(asked time.Time) time.Time {
	if keep := l.now().Add(-l.lookback - l.lookback/4 - dayLength); keep.After(asked) {
		return keep
	}
	return asked
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// readDays reads the days of a range and those on either side. After an error, the parts
// of other calls that were kept back go on waiting, since the read may have missed their
// parents, but not for ever; lost says that what the index has could not be handed on.
func (l *callLog) readDays(ctx context.Context, r *reading, days *dayReader, s readSpan, whole bool,
	emit func(*collector.Page) error,
) (lost bool, err error) {
	b := r.batch
	b.open(s.floor, emit)
	totals, err := l.readEach(ctx, b, days, s, whole)
	if b.emitErr == nil && (err == nil || b.kin.overdue(l.now())) && b.finish() == nil && err == nil {
		err = b.send(&collector.Page{Last: true, Totals: totals})
	}
	if b.emitErr != nil {
		return true, b.emitErr
	}
	return false, err
}

// readEach reads each type over all days, and returns the totals of the days of which all
// are known. One type after the other, so that a part that was listed is read before its
// parent may be, and its parent after it. A day that can't be read stops the others only
// if nothing can be asked at all; the first error is returned.
func (l *callLog) readEach(ctx context.Context, b *batch, days *dayReader, s readSpan, whole bool) (totals []collector.DayTotal, failed error) {
	first, last := s.from.UTC().Add(-dayLength).Truncate(dayLength), s.to.UTC().Add(dayLength).Truncate(dayLength)
	sums, known := map[time.Time]collector.DayTotal{}, map[time.Time]int{}
	for _, kind := range l.kinds {
		for at := first; !at.After(last); at = at.Add(dayLength) {
			q := query{Day: at, Kind: kind}
			b.query(q)
			result, err := days.read(ctx, q, s.from, s.to, whole)
			if b.emitErr == nil && b.settle() == nil && err == nil {
				if result.Total >= 0 {
					sum := sums[at]
					sums[at] = collector.DayTotal{Day: at, Ours: sum.Ours + result.Distinct, Theirs: sum.Theirs + result.Total}
					known[at]++
				}
				continue
			}
			if failed == nil {
				failed = err
			}
			if _, asked := errors.AsType[*readError](err); asked || b.emitErr != nil || ctx.Err() != nil {
				return nil, failed
			}
		}
	}
	for at := first; !at.After(last); at = at.Add(dayLength) {
		if known[at] == len(l.kinds) {
			totals = append(totals, sums[at])
		}
	}
	return totals, failed
}
