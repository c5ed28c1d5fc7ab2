package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// place is the source of a row, and what decides whether it is listed.
type place struct {
	published, start int64 // in milliseconds
	call             uint64
	world            side
	part             part
	copies           int
}

// between are the rows that start in [from, to), by type, in order, published or not.
func (s *Server) between(from, to int64) *[sides][]place {
	s.mu.Lock()
	defer s.mu.Unlock()
	span := [2]int64{from, to}
	if d := s.days[span]; d != nil {
		return d
	}
	d := new([sides][]place)
	s.eachRow(time.UnixMilli(from).Add(-maxOffset), time.UnixMilli(to), func(r *row) {
		p := place{
			published: r.Versions()[0].Published.UnixMilli(), start: r.Start.UnixMilli(), call: r.Place(),
			world: r.world, part: r.part, copies: r.Copies,
		}
		if p.start < from || p.start >= to {
			return
		}
		d[r.side] = append(d[r.side], p)
	})
	for i := range d {
		slices.SortFunc(d[i], func(x, y place) int {
			first := cmp.Compare(x.start, y.start)
			if s.Order == Shuffled {
				first = cmp.Compare(simulator.Scatter(uint64(x.start)), simulator.Scatter(uint64(y.start)))
			}
			return cmp.Or(first, cmp.Compare(x.world, y.world), cmp.Compare(x.call, y.call),
				cmp.Compare(x.part, y.part))
		})
		if s.Order == Descending {
			slices.Reverse(d[i])
		}
	}
	s.days[span] = d
	return d
}

// midnight is when a day of the account's time zone begins, a number of days after another. A day
// may have other than 24 hours, and may not begin at 0:00.
func (s *Server) midnight(first time.Time, days int) time.Time {
	return time.Date(first.Year(), first.Month(), first.Day()+days, 0, 0, 0, 0, s.Timezone)
}

// rows are the rows of a type that start on a day from first to last and are visible at an instant.
func (s *Server) rows(first, last time.Time, of side, at time.Time) (list []place) {
	end := s.midnight(at.In(s.Timezone), 1) // later rows aren't visible yet
	from, to := s.midnight(first, 0), s.midnight(last, 1)
	if !from.Before(end) {
		return nil
	}
	for _, p := range s.between(from.UnixMilli(), min(to.UnixMilli(), end.UnixMilli()))[of] {
		if p.published <= at.UnixMilli() {
			list = append(list, p)
		}
	}
	return list
}
