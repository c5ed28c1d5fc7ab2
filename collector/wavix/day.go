package wavix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	// pageRows is the requested page size; the provider may return fewer rows.
	pageRows = 1000
	// maxPasses is how often one read reads a day whole until all its rows were seen.
	maxPasses = 5
)

// How a day of a type is read. The provider knows days, page numbers and how many rows a day has.
// It doesn't document the order of the rows.
//
//	request the total ─┬─ unchanged, and no deep read ────▶ nothing to read
//	                   ├─ more than known ───▶ tail: pages from the end where the day grows, while they have new rows
//	                   │                          └─ some of the new rows are elsewhere ──────────┐
//	                   └─ unknown, or a deep read ────────────────────────────────────────────────┴▶ whole: all pages
//
// A day is complete when its last page was reached and it has at least as many distinct rows as its
// total (counting.md 13).

// day is what the reader knows about a day of a type that it has read whole.
type day struct {
	// total is the provider's total up to which all rows are known, -1 before the day was read
	// whole.
	total int
	// known are the keys of the distinct rows that were yielded or left out: 8 bytes a row, plus
	// the map's overhead.
	known map[uint64]struct{}
	// size is the number of rows on a full page; newestFirst says that the day grows at the first
	// page.
	size        int
	newestFirst bool
	// rest is until when, by our clock, the day isn't read whole again: a day that takes longer to
	// read than the interval rests for as long as it took.
	rest time.Time
	took time.Duration
}

// dayError is a day that can't be read now, while other days can.
type dayError struct {
	text    string
	resting bool
}

func (e *dayError) Error() string { return e.text }

// Unwrap makes a rest a form of throttling: it isn't a fault of the span (counting.md 30).
func (e *dayError) Unwrap() error {
	if !e.resting {
		return nil
	}
	return &httpclient.Error{Kind: httpclient.KindThrottled}
}

// String names the query in errors.
func (q query) String() string { return "the calls " + q.Kind + " on " + q.Day.Format(time.DateOnly) }

// readDay yields the new rows of a query, or all rows.
func (r *rangeRead) readDay(ctx context.Context, q query, whole bool) (*day, error) {
	d := r.days[q]
	if d == nil {
		d = &day{total: -1, known: map[uint64]struct{}{}}
		r.days[q] = d
	}
	s := r.scans[q.Kind]
	if s == nil {
		s = &scan{parent: r, query: q, seen: map[uint64]struct{}{}, twins: map[uint64]int{}}
		r.scans[q.Kind] = s
	}
	var err error
	if s.total, err = r.log.fetchTotal(ctx, q); err != nil {
		return nil, err
	}
	resting := time.Now().Before(d.rest)
	if d.total >= 0 && s.total > d.total && (resting || !whole) {
		if err := s.readTail(ctx, d); err != nil {
			return nil, err
		}
	}
	switch {
	case s.total == d.total && (resting || !whole):
		return d, nil
	case resting:
		return nil, &dayError{
			resting: true,
			text: fmt.Sprintf("%s are too many to read in full each time: it took %s; the next full read is at %s",
				q, d.took.Round(time.Second), d.rest.UTC().Format("15:04")),
		}
	}
	return d, s.readWhole(ctx, d)
}

// scan reads one query. It yields each row once, so that equal rows without an id are numbered
// correctly (counting.md 18).
type scan struct {
	parent *rangeRead
	query  query
	total  int                 // the provider's latest total
	seen   map[uint64]struct{} // keys of the rows that were yielded or left out
	twins  map[uint64]int      // number of equal rows without an id in this pass

	// The previous page: its number, its rows, and the total when it came.
	number int
	before []uint64
	at     int
}

// readTail reads pages from the end where the day grows, while they have new rows.
func (s *scan) readTail(ctx context.Context, d *day) (err error) {
	goal := s.total
	s.restart()
	number, step := 1, 1
	if !d.newestFirst {
		number, step = (goal-1)/cmp.Or(d.size, pageRows)+1, -1
	}
	for ; number > 0 && d.total < goal; number += step {
		_, keys, err := s.read(ctx, number)
		if errors.Is(err, errOvertaken) {
			return nil
		}
		if err != nil {
			return err
		}
		before := len(d.known)
		for _, key := range keys {
			d.known[key] = struct{}{}
		}
		if len(d.known) == before {
			return nil
		}
		d.total += len(d.known) - before
	}
	if d.total <= s.total {
		return nil
	}
	// Rows have come in meanwhile, or the list changed otherwise: then more is missing than the total says.
	if s.total, err = s.parent.log.fetchTotal(ctx, s.query); d.total > s.total {
		d.total = -1
	}
	return err
}

// readWhole reads all pages until no row is missing.
func (s *scan) readWhole(ctx context.Context, d *day) error {
	began := time.Now() // our clock: the provider's may be set meanwhile
	defer func() {
		if took := time.Since(began); took > s.parent.log.interval {
			d.took, d.rest = took, time.Now().Add(took)
		}
	}()
	for range maxPasses {
		goal, known := s.total, len(s.seen)
		rows, err := s.readPass(ctx, d, goal)
		if err != nil && !errors.Is(err, errOvertaken) {
			return err
		}
		// If the provider counts a row that is listed twice as two, a pass without new rows shows
		// it.
		if err == nil && (len(s.seen) >= goal || rows >= goal && len(s.seen) == known) {
			if len(s.seen) > s.total {
				if s.total, err = s.parent.log.fetchTotal(ctx, s.query); err != nil {
					return err
				}
			}
			d.total, d.known = goal, maps.Clone(s.seen)
			if len(d.known) <= s.total {
				d.total = max(goal, len(d.known)) // the pass saw some rows that came in during it
			}
			return nil
		}
		if s.total, err = s.parent.log.fetchTotal(ctx, s.query); err != nil {
			return err
		}
	}
	return &dayError{text: fmt.Sprintf("%s are incomplete: Wavix listed %d of %d in %d passes", s.query, len(s.seen),
		s.total, maxPasses)}
}

// readPass reads all pages once, and returns the number of their rows.
func (s *scan) readPass(ctx context.Context, d *day, goal int) (rows int, err error) {
	s.restart()
	var first time.Time
	for number := 1; goal > 0 && (number-2)*d.size <= 2*s.total; number++ { // at most twice the expected pages
		a, _, err := s.read(ctx, number)
		if err != nil {
			return 0, err
		}
		if len(a.rows) == 0 || s.number != number {
			break // empty, or a repeated page: some servers repeat the last page, a cache may repeat any
		}
		rows += len(a.rows)
		if number == 1 {
			first = a.rows[0].record.Start
			d.size = max(pageRows, len(a.rows))
			if len(s.seen) < goal { // more pages follow: the provider may reduce the page size
				d.size = len(a.rows)
			}
		} else {
			d.newestFirst = first.After(a.rows[len(a.rows)-1].record.Start)
		}
		if number*d.size >= s.total && len(s.seen) >= goal {
			break
		}
	}
	return rows, nil
}

func (s *scan) restart() {
	clear(s.twins)
	s.number, s.before = 0, nil
}

// read requests a page and yields the rows that weren't yielded before. It returns their keys.
func (s *scan) read(ctx context.Context, number int) (a *answer, yielded []uint64, err error) {
	if a, err = s.parent.log.fetch(ctx, s.parent.log.format, s.query, number, pageRows); err != nil {
		return nil, nil, err
	}
	moved, err := s.follow(ctx, number, a)
	if err != nil {
		return nil, nil, err
	}
	page := &collector.Page{}
	for i, row := range a.rows {
		key := row.key
		if row.nameless {
			if i < moved {
				continue
			}
			s.twins[key]++
			key = maphash.Comparable(s.parent.log.seed, [2]uint64{key, uint64(s.twins[key])})
		}
		if _, known := s.seen[key]; known {
			continue
		}
		s.seen[key] = struct{}{}
		yielded = append(yielded, key)
		switch {
		case row.bad != nil:
			page.Invalid = append(page.Invalid, *row.bad)
		case !row.record.Start.Before(s.parent.floor):
			page.Records = append(page.Records, row.record)
			page.Unmapped = append(page.Unmapped, row.unmapped...)
		}
	}
	return a, yielded, s.parent.send(page)
}

// follow compares a page with the previous one, and returns how many of its first rows moved here
// from there. Rows that come in during the read push others to the next page: at most as many as
// the total grew by. A row without an id that has moved isn't a twin.
func (s *scan) follow(ctx context.Context, number int, a *answer) (moved int, err error) {
	keys := make([]uint64, len(a.rows))
	nameless := false
	for i, row := range a.rows {
		keys[i] = row.key
		nameless = nameless || row.nameless
	}
	before, at := s.before, s.at
	if number != s.number+1 {
		before = nil
	}
	if len(keys) > 0 && slices.Equal(keys, before) {
		return len(keys), nil // a repeated page
	}
	if a.total < 0 && nameless && overlap(before, keys, len(keys)) > 0 {
		if a.total, err = s.parent.log.fetchTotal(ctx, s.query); err != nil {
			return 0, err
		}
	}
	if a.total >= 0 {
		s.total = a.total
	}
	s.number, s.before, s.at = number, keys, s.total
	if nameless && before != nil && s.total-at > len(before) {
		return 0, errOvertaken
	}
	return overlap(before, keys, s.total-at), nil
}

// errOvertaken is a page that may have rows of any earlier page: more rows came in since than fit
// on a page. The pass starts over.
var errOvertaken = errors.New("more rows came in between two pages than a page has")

// overlap is how many rows, at most some, end one page and begin the next.
func overlap(before, after []uint64, most int) int {
	n := max(0, min(most, len(before), len(after)))
	for n > 0 && !slices.Equal(before[len(before)-n:], after[:n]) {
		n--
	}
	return n
}
