package sim

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// place is where a row is made from, and what listing it depends on.
type place struct {
	published, start int64 // in milliseconds
	call             uint64
	world            side
	part             part
	copies           int
}

// days are the indexes of days by their midnights, in milliseconds.
type days struct {
	mu      sync.Mutex
	known   map[int64]*[sides][]place // guarded by mu, as indexed
	indexed int
}

// maxIndexed is how many rows the indexes hold before they are dropped.
const maxIndexed = 6_000_000

// day is the index of a day: its rows by type, in their order, whether they are published yet or not.
func (s *Server) day(from, to int64) *[sides][]place {
	s.days.mu.Lock()
	defer s.days.mu.Unlock()
	if d := s.days.known[from]; d != nil {
		return d
	}
	d := new([sides][]place)
	s.account.eachRow(time.UnixMilli(from).Add(-maxOffset), time.UnixMilli(to), func(r *row) {
		p := place{
			published: r.Versions()[0].Published.UnixMilli(), start: r.Start.UnixMilli(), call: r.Place(),
			world: r.world, part: r.part, copies: r.Copies,
		}
		if p.start < from || p.start >= to {
			return
		}
		times := 1
		if s.settings.CopiesInTotal {
			times, p.copies = p.copies, 1
		}
		d[r.side] = append(d[r.side], slices.Repeat([]place{p}, times)...)
	})
	for i := range d {
		slices.SortFunc(d[i], func(x, y place) int {
			first := cmp.Compare(x.start, y.start)
			if s.settings.Order == Shuffled {
				first = cmp.Compare(mix64(uint64(x.start)), mix64(uint64(y.start)))
			}
			return cmp.Or(first, cmp.Compare(x.world, y.world), cmp.Compare(x.call, y.call), cmp.Compare(x.part, y.part))
		})
		if s.settings.Order == Descending {
			slices.Reverse(d[i])
		}
		s.days.indexed += len(d[i])
	}
	if s.days.known == nil || s.days.indexed > maxIndexed {
		s.days.known, s.days.indexed = map[int64]*[sides][]place{}, len(d[0])+len(d[1])
	}
	s.days.known[from] = d
	return d
}

// midnight is when a day of the account's time zone begins, so many after another. It isn't always 24 hours after the one before, nor at 0:00.
func (s *Server) midnight(first time.Time, days int) time.Time {
	return time.Date(first.Year(), first.Month(), first.Day()+days, 0, 0, 0, 0, s.settings.Timezone)
}

// all is the disposition that filters nothing.
const all = "all"

// rows are those of a type that start on a day from first to last, which are midnights, and are visible at an instant.
func (s *Server) rows(first, last time.Time, of side, disposition string, at time.Time) (list []place) {
	begin, end := at, time.Time{}
	for _, w := range s.account.worlds {
		if w != nil {
			from, _ := w.Span()
			begin, end = simulator.Earlier(from, begin), at
		}
	}
	// Nothing starts long before the first call, or is visible that starts later.
	if early := begin.In(s.settings.Timezone).AddDate(0, 0, -2); first.Before(early) {
		first = early
	}
	var midnights [][2]int64
	for n := 0; ; n++ {
		from, to := s.midnight(first, n), s.midnight(first, n+1)
		if from.After(last) || from.After(end) {
			break
		}
		midnights = append(midnights, [2]int64{from.UnixMilli(), to.UnixMilli()})
	}
	if s.settings.Order == Descending {
		slices.Reverse(midnights)
	}
	for _, m := range midnights {
		for _, p := range s.day(m[0], m[1])[of] {
			if p.published <= at.UnixMilli() && (disposition == all || s.matches(&p, disposition, at)) {
				list = append(list, p)
			}
		}
	}
	return list
}

// matches says whether a filter by disposition lets a row pass: case doesn't matter, and a row without a disposition passes as answered if it was.
func (s *Server) matches(p *place, disposition string, at time.Time) bool {
	r := s.account.at(p)
	k := r.Versions()[r.At(at)].Kind
	return strings.EqualFold(k.Phrase, disposition) || k.Phrase == "" && k.Outcome == cdr.Answered && disposition == "answered"
}
