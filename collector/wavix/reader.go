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
	// maxRange is how much one read covers, in addition to two more days of each type.
	maxRange = 7 * dayLength
	// atPresent is how close to now a range must end to count as a poll for new rows.
	atPresent = 5 * time.Minute
	// maxDays limits the days that are remembered.
	maxDays = 1000
)

// callLog is the feed of the call detail records. It is safe for concurrent use.
//
// The provider only knows days, in an unknown time zone, so a read covers one more day on either
// side of a range. It yields rows outside the range too, since a row that is published late may be
// anywhere on these days. It yields no row from before the earliest time ever read: the feed
// doesn't go back that far, and the row would count as too old each time.
//
// Polls up to now share what is known of the days (day), so a day without new rows costs one
// request. All other reads, also polls of the past and polls that go further back than the
// lookback, read each day whole: a changed charge doesn't change a total.
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

	failed sync.Map // the days whose last read failed

	mu   sync.Mutex     // held by a poll up to now
	days map[query]*day // guarded by mu
	from time.Time      // start of the read that went back furthest; guarded by mu
}

// Pages implements collector.RangeReader.
func (l *callLog) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return l.pages(ctx, from, to, false)
}

// LeavingOut implements collector.RowReader, by what this reader knows of the days.
func (l *callLog) LeavingOut(collector.Recognizer) collector.RangeReader { return pollReader{l} }

// pollReader reads a call log for its feed and uses what earlier polls have read.
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

// errStopped: the consumer wants no more pages.
var errStopped = errors.New("no more pages are wanted")

// rangeRead is one call of Pages.
type rangeRead struct {
	log   *callLog
	floor time.Time // earlier rows are left out
	whole bool      // read days whole even if their totals are unchanged
	days  map[query]*day
	scans map[string]*scan // of the current day, by type
	yield func(*collector.Page, error) bool
}

// resume uses what is known of the days, unless earlier reads may have left out rows of this range.
func (r *rangeRead) resume(from, now time.Time) {
	l := r.log
	if l.days == nil || len(l.days) > maxDays || from.Before(l.from) {
		l.days, l.from = map[query]*day{}, from
	}
	r.days, r.floor = l.days, l.from
	r.whole = now.Sub(from) >= l.lookback
}

// run reads the days of a range and those on either side, and compares them with the provider's
// totals. A day that can't be read stops the others only if its request failed, because the next
// request would fail too. If only that day is at fault, the next read starts with the others.
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

// daysOf are the days of a range and those on either side, in order, except that failed days come
// last.
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

// probe reads one call of today, in the configured format.
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
