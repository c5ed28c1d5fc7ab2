package wavix

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
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
	// maxDays bounds the days that are remembered.
	maxDays = 1000
)

// callLog is the feed of the call detail records. It is safe for concurrent use.
//
// The provider knows only days, of a time zone that it doesn't say, so a day more is asked for on either side of a range. Rows outside the
// range are yielded too, since a row that is published late may be anywhere on the days that are read, but none from before the earliest
// time that was ever asked for: these are older than the feed goes back, and would be counted as too old each time.
//
// Polls up to the present share what is known of the days (day), by which a day without news costs
// one request. Polls of the past, polls that go further back than the lookback, and all other reads
// read each day whole: a charge that changed moves no total.
type callLog struct {
	paths     *versionedClient
	countries *cdr.Countries
	emergency cdr.EmergencyNumbers
	seed      maphash.Seed
	format    string
	kinds     []string
	interval  time.Duration
	lookback  time.Duration
	now       func() time.Time // the provider's time

	failed sync.Map // the days that couldn't be read when they were asked for last

	mu   sync.Mutex     // held by a poll up to the present
	days map[query]*day // guarded by mu
	from time.Time      // of the read that went furthest back; guarded by mu
}

// Pages implements collector.RangeReader.
func (l *callLog) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return l.pages(ctx, from, to, false)
}

// LeavingOut implements collector.RowReader, by what this reader knows of the days.
func (l *callLog) LeavingOut(collector.Recognizer) collector.RangeReader { return pollReader{l} }

// pollReader reads a call log for its feed; the log remembers what was read.
type pollReader struct{ log *callLog }

// Pages implements collector.RangeReader.
func (r pollReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return r.log.pages(ctx, from, to, true)
}

func (l *callLog) pages(ctx context.Context, from, to time.Time, poll bool) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		r := &rangeRead{log: l, floor: from, whole: true, days: map[query]*day{}, yield: yield}
		now := l.now()
		if poll && now.Sub(to) <= atPresent && l.mu.TryLock() {
			defer l.mu.Unlock()
			r.resume(from, now)
		}
		if err := r.run(ctx, from, to); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// errStopped is a consumer that wants no more pages.
var errStopped = errors.New("no more pages are wanted")

// rangeRead is one call of Pages.
type rangeRead struct {
	log   *callLog
	floor time.Time // rows that started before are left out
	whole bool      // days are read whole although their totals are unchanged
	days  map[query]*day
	scans map[string]*scan // of the day in hand, by type
	yield func(*collector.Page, error) bool
}

// resume takes over what is known of the days, unless rows of this range may have been left out of earlier reads.
func (r *rangeRead) resume(from, now time.Time) {
	l := r.log
	if l.days == nil || len(l.days) > maxDays || from.Before(l.from) {
		l.days, l.from = map[query]*day{}, from
	}
	r.days, r.floor = l.days, l.from
	r.whole = now.Sub(from) >= l.lookback
}

// run reads the days of a range and those on either side, and compares them with the provider's totals. A day that can't be read stops the others
// only if asking failed: the next question would fare no better. If it does, since only that day is at fault, the others are asked for first the
// next time.
func (r *rangeRead) run(ctx context.Context, from, to time.Time) error {
	var totals []collector.DayTotal
	var failed error
	for _, at := range r.log.daysOf(from, to) {
		r.scans = map[string]*scan{}
		total := collector.DayTotal{Day: at}
		for _, kind := range r.log.kinds {
			d, err := r.readDay(ctx, query{Day: at, Kind: kind}, r.whole)
			if _, later := errors.AsType[*dayError](err); err != nil && !later {
				r.log.failed.Store(at, nil)
				return err
			} else if later {
				failed = err
				continue
			}
			total.Ours += len(d.known)
			total.Theirs += d.total
		}
		r.log.failed.Delete(at)
		totals = append(totals, total)
	}
	if failed != nil {
		return failed
	}
	return r.send(&collector.Page{Totals: totals})
}

// daysOf are the days of a range and those on either side: in order, but those that failed come last.
func (l *callLog) daysOf(from, to time.Time) []time.Time {
	first, last := from.UTC().Add(-dayLength).Truncate(dayLength), to.UTC().Add(dayLength).Truncate(dayLength)
	var days, failed []time.Time
	for at := first; !at.After(last); at = at.Add(dayLength) {
		if _, known := l.failed.Load(at); known {
			failed = append(failed, at)
			continue
		}
		days = append(days, at)
	}
	return append(days, failed...)
}

func (r *rangeRead) send(p *collector.Page) error {
	if len(p.Records)+len(p.Invalid)+len(p.Unmapped)+len(p.Totals) > 0 {
		if !r.yield(p, nil) {
			return errStopped
		}
	}
	return nil
}

// probe reads one call of today, in the format that is configured.
func (l *callLog) probe(ctx context.Context) (rows int, err error) {
	q := query{Day: l.now().UTC().Truncate(dayLength), Kind: kindPlaced}
	if len(l.kinds) == 1 {
		q.Kind = l.kinds[0]
	}
	a, err := l.fetch(ctx, l.format, q, 1, 1)
	if err != nil {
		return 0, fmt.Errorf("read a call: %w", err)
	}
	return len(a.rows), nil
}
