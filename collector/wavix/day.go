package wavix

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How a day is read. The provider knows days, page numbers and how many rows a day has;
// the order of its rows is documented nowhere, a page may be smaller than asked for, and
// one request a second is what we allow ourselves. A day may hold a million rows and is
// asked for each minute. So:
//
//	a day nobody has read ─┬─ up to smallDay pages, or rows in no order of time ─▶ pass: all pages, once
//	                       └─ else ─▶ look: is it ordered by time? the window's pages then
//	a day that was read ──▶ follow: the page at which the day grows, and what doesn't fit
//	                       what was known before; one request if nothing came
//	rows that don't follow what was known ─▶ pass
//
// What is kept of a day is a log: a fingerprint of each row that was handed on, in the
// order of the provider's list (dayLog). All orders will do in which a row, once listed,
// keeps its place among the others. Then the rows that are new before a page show in how
// far the page's rows have moved, and halving finds each (daySearch). A row is never taken
// for known because of where it stands: what isn't found in one read stays a difference
// between the log and the total, and is looked for in the next.
//
// A read is complete, as counting.md 13 wants it, when every row of the window that was
// listed when the read began was handed on. In a day that is ordered by time only the
// window matters; what came late elsewhere is for the deeper levels.
const (
	// dayPerPage is how many rows are asked for at once; the provider may give fewer.
	dayPerPage = 1000
	// smallDay is how many pages of a day are read whole without asking for an order.
	smallDay = 20
	// keptDays bounds the days that are remembered, the least recently asked for go first.
	keptDays = 64
	// dayPasses is how often a day is read whole at a time before that is an error.
	dayPasses = 5
	// dayRounds is how often what came in during a read is looked for in the same read.
	dayRounds = 5
	// freePass is how long a whole read may take without a rest after it: one takes as long
	// off as it took beyond this.
	freePass = 5 * time.Minute
	// passKept is for how long a whole read that an error ended can be gone on with.
	passKept = 10 * time.Minute
	// secondsPerRequest is the pace at which costs are reckoned.
	secondsPerRequest = time.Second
	// changesEvery is how often each row is read again at most, for charges that changed;
	// changesShare is which part of the time that may take for all days together.
	changesEvery = 6 * time.Hour
	changesShare = 4
)

// errOrder says that the rows don't follow what is known of their order.
var errOrder = errors.New("the rows of the day have another order than before")

// dayResult is what is known of a day after a read.
type dayResult struct {
	// Total is how many rows the provider says the day has; -1 if it doesn't say, or if
	// less than all of the day was read, so that Distinct has nothing to stand beside.
	Total int
	// Distinct is how many different rows were handed on.
	Distinct int
	// Complete says that every row of the window was handed on that was listed when the
	// read began. It is false with an error only.
	Complete bool
}

// dayReader reads days and remembers what it read of them. It is safe for concurrent
// use: one read goes on at a time.
type dayReader struct {
	pager pager
	now   func() time.Time

	turn     chan struct{} // held by the read under way, which alone uses what follows
	days     map[dayKey]*day
	reads    int64
	requests int64
	matcher  dayMatcher
	// noStream says that the format has no stream, or one that gives a page only;
	// streamOdd that its rows have another order than the list's.
	noStream, streamOdd bool
}

// dayKey is a query that can be compared.
type dayKey struct {
	unix int64
	kind string
}

// day is what is known of one query.
type day struct {
	used int64 // the read that asked for it last
	// log is nil before the first read, and of a day that has no order.
	log *dayLog
	// pass is a whole read that an error ended.
	pass *dayPass
	// rest is until when no whole read begins.
	rest time.Time
	// passed, total and distinct are of the last whole read; zero: there was none.
	passed          time.Time
	total, distinct int
	// cost is how many requests it took.
	cost int
	// cuts counts streams that broke, one after the other.
	cuts int
}

// newDayReader makes a reader that knows nothing yet. Now may be any clock.
func newDayReader(p pager, now func() time.Time) *dayReader {
	return &dayReader{pager: p, now: now, turn: make(chan struct{}, 1), days: map[dayKey]*day{}}
}

// read hands on, through the pager, every row of a query that the reader hasn't handed on
// yet and that started from from to to; others may come with them. With whole, rows that
// are known are read again too, for charges that have changed: each row every six hours
// at most, and so that all days together take no more than a quarter of the time.
//
// After an error what was read is known; the next read goes on from there.
func (d *dayReader) read(ctx context.Context, q query, from, to time.Time, whole bool) (dayResult, error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return dayResult{Total: -1}, ctx.Err()
	}
	defer func() { <-d.turn }()
	k := &dayLook{reader: d, query: q, day: d.day(q), from: from.Unix(), to: to.Add(time.Second - 1).Unix(), whole: whole, counted: notAsked, began: d.requests + 1}
	if err := k.read(ctx); err != nil {
		return dayResult{Total: -1}, err
	}
	return k.result(), nil
}

// day is the query's, made if it is new.
func (d *dayReader) day(q query) *day {
	key := dayKey{q.Day.Unix(), q.Kind}
	found := d.days[key]
	if found == nil {
		found = &day{}
		d.days[key] = found
	}
	d.reads++
	found.used = d.reads
	for len(d.days) > keptDays {
		oldest := key
		for other, kept := range d.days {
			if kept.used < d.days[oldest].used {
				oldest = other
			}
		}
		delete(d.days, oldest)
	}
	return found
}

// changesAfter is how long ago a row must have been read to be read again.
func (d *dayReader) changesAfter() time.Duration {
	pages := 0
	for _, kept := range d.days {
		if kept.log != nil {
			pages += kept.log.pages()
		} else {
			pages += kept.cost
		}
	}
	return max(changesEvery, changesShare*time.Duration(pages)*secondsPerRequest)
}

// dayLook is one read of a day.
type dayLook struct {
	reader   *dayReader
	query    query
	day      *day
	from, to int64 // the window, both within it
	whole    bool

	// began is the first request of this read.
	began int64
	// since is the request from which on rows count as seen where they are now.
	since int64
	// met says that a page showed rows that were known before.
	met bool
	// counted is the total that was last asked for by itself.
	counted int
	// silent says that pages don't say the total.
	silent bool
	// flip says that the day was found to grow at the list's begin.
	flip bool
	// mayTurn says that the day may yet be found to grow at the other end.
	mayTurn bool
	// idled says that a search ended since it found nothing.
	idled bool
	// total and drift are of the last answer: what it said, and how much that was more than
	// the answer before had said.
	total, drift int
	// size is how many rows its full page has.
	size int
	// keys and times hold the last answer; rows its fingerprints.
	keys  []uint64
	times []int64
	rows  []uint32
}

// read reads the day in the cheapest way that there is.
func (k *dayLook) read(ctx context.Context) error {
	var err error
	d := k.day
	if d.pass != nil && k.reader.now().Sub(d.pass.touched) > passKept {
		d.pass = nil
	}
	switch {
	case d.pass != nil:
		err = k.pass(ctx, nil)
	case d.log != nil:
		err = k.again(ctx)
	default:
		err = k.first(ctx)
	}
	if errors.Is(err, errOrder) {
		err = k.pass(ctx, nil)
	}
	if d.log != nil {
		d.log.compact()
	}
	return err
}

// again reads a day of which there is a log.
func (k *dayLook) again(ctx context.Context) error {
	if err := k.follow(ctx); err != nil || !k.whole {
		return err
	}
	asked := k.reader.requests
	if err := k.refresh(ctx); err != nil || k.reader.requests == asked {
		return err
	}
	return k.follow(ctx)
}

// first reads a day of which there is no log: nobody asked for it yet, or it has no order.
func (k *dayLook) first(ctx context.Context) error {
	d := k.day
	a, err := k.ask(ctx, 1, dayPerPage)
	if err != nil {
		return err
	}
	unchanged := !d.passed.IsZero() && a.total == d.total
	due := k.whole && k.reader.now().Sub(d.passed) > k.reader.changesAfter()
	switch {
	case a.total >= 0 && len(a.keys) >= a.total:
		k.only(a)
		return nil
	case unchanged && !due:
		return nil
	case a.pages() <= smallDay || d.cost > 0:
		return k.pass(ctx, &a)
	}
	a.keep()
	if done, err := k.stream(ctx, a); done || err != nil {
		return err
	}
	timed, err := k.order(ctx, a)
	switch {
	case err != nil:
		return err
	case timed:
		return k.follow(ctx)
	}
	return k.pass(ctx, nil)
}

// result is what is known now.
func (k *dayLook) result() dayResult {
	d := k.day
	if d.log == nil {
		return dayResult{Total: d.total, Distinct: d.distinct, Complete: true}
	}
	r := dayResult{Total: -1, Distinct: d.log.distinct(), Complete: true}
	if d.log.all() {
		r.Total = d.log.endTotal
	}
	return r
}

// resting is the error of a day that must be read whole and was so too recently.
func (k *dayLook) resting() error {
	return fmt.Errorf("the calls %s on %s are listed in no order that lasts, so they must be read whole, which takes %d requests: that is done again at %s",
		k.query.Kind, k.query.Day.Format(time.DateOnly), k.day.cost, k.day.rest.UTC().Format("15:04"))
}

// unsettled is the error of a day whose rows don't stay where they are.
func (k *dayLook) unsettled() error {
	return fmt.Errorf("the calls %s on %s changed places in the provider's list while they were read: they are read again",
		k.query.Kind, k.query.Day.Format(time.DateOnly))
}
