package sim

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// place is the source of a row, and what decides whether and where it is listed.
type place struct {
	published int64 // in milliseconds
	order     uint64
	call      uint64
	world     side
	leg       bool
}

// row makes the row at a place.
func (s *Server) row(p place) row {
	var c simulator.Call
	s.worlds()[p.world].Call(p.call, &c)
	all := rows(p.world, &c)
	if p.leg {
		return all[1]
	}
	return all[0]
}

// between are the rows that start in [from, to), by type, in a random order that is always the same,
// published or not. Late rows come in the middle.
func (s *Server) between(from, to int64) *[sides][]place {
	s.mu.Lock()
	defer s.mu.Unlock()
	span := [2]int64{from, to}
	if d := s.days[span]; d != nil {
		return d
	}
	d := new([sides][]place)
	s.eachRow(time.UnixMilli(from).Add(-maxOffset), time.UnixMilli(to), func(r *row) {
		if start := r.Start.UnixMilli(); from <= start && start < to {
			d[r.side] = append(d[r.side],
				place{r.Versions()[0].Published.UnixMilli(), styleOf(r.ID), r.Place(), r.world(), r.isLeg()})
		}
	})
	for i := range d {
		slices.SortFunc(d[i], func(x, y place) int { return cmp.Compare(x.order, y.order) })
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

// DayTotals is the list's total at an instant for a day of the account's time zone, of both types. Only
// the date of day matters.
func (s *Server) DayTotals(date, at time.Time) int {
	return len(s.rows(date, date, placed, at)) + len(s.rows(date, date, received, at))
}

// parse reads the query, and returns the name of a missing or wrong parameter. It also requires
// those with defaults at Wavix: without disposition=all Wavix lists only answered calls, and
// without per_page 25 rows.
func (e *exchange) parse() (invalid string) {
	// A day of the account's time zone, as a date only.
	day := func(name string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, e.options.Get(name), e.Timezone)
		if err != nil {
			invalid = name
		}
		return t
	}
	number := func(name string) int {
		n, err := strconv.ParseUint(e.options.Get(name), 10, 30)
		if err != nil || n == 0 {
			invalid = name
		}
		return int(n)
	}
	e.from, e.to, e.page, e.perPage = day("from"), day("to"), number("page"), min(number("per_page"), e.MaxPerPage)
	switch e.options.Get("type") {
	case Placed:
		e.side = placed
	case Received:
		e.side = received
	default:
		return "type"
	}
	if e.options.Get("disposition") != "all" {
		return "disposition"
	}
	return invalid
}

// records answers with rows: a page of the list, or the stream.
func (e *exchange) records() simulator.Reply {
	at := e.Visible()
	list := e.rows(e.from, e.to, e.side, at)
	total := len(list)
	list = list[min((e.page-1)*e.perPage, total):min(e.page*e.perPage, total)]
	items := make([]any, 0, len(list))
	for i := range list {
		r := e.row(list[i])
		one := any(r.json(&r.Versions()[r.At(at)]))
		items = append(items, slices.Repeat([]any{one}, r.Copies)...)
	}
	if e.endpoint == EndpointExport {
		var b bytes.Buffer
		for _, item := range items {
			b.Write(append(simulator.JSON(item), '\n'))
		}
		a := reply(b.Bytes())
		// as in Wavix's samples
		a.Header = http.Header{"Content-Type": {"application/x-ndjson"}, "Last-Modified": {"0"}, "Etag": {"0"}}
		return a
	}
	return reply(simulator.JSON(simulator.NewObject("items", items, "pagination", simulator.NewObject(
		"current_page", e.page, "per_page", e.perPage, "total", total, "total_pages", (total+e.perPage-1)/e.perPage))))
}
