package sim

import (
	"net/url"
	"slices"
	"strconv"
	"time"
)

// query is what a request for records asks for.
type query struct {
	from, to      time.Time
	side          side
	disposition   string
	page, perPage int
	// paged says that a page was asked for by number or size.
	paged bool
}

// skip is how many rows come before the page.
func (q *query) skip() int { return (q.page - 1) * q.perPage }

// defaultPerPage is how many rows a page has if nobody says.
const defaultPerPage = 25

// maxPage keeps the number of rows before a page within bounds.
const maxPage = 1 << 30

// parse reads a query; invalid is the name of the parameter that is missing or wrong.
func (s *Server) parse(options url.Values) (q query, invalid string) {
	zone := s.Timezone()
	var ok bool
	if q.from, ok = date(options, "from", zone); !ok {
		return q, "from"
	}
	if q.to, ok = date(options, "to", zone); !ok || q.to.Before(q.from) {
		return q, "to"
	}
	if q.side, ok = sideOf(options.Get("type")); !ok {
		return q, "type"
	}
	if q.disposition, ok = disposition(options); !ok {
		return q, "disposition"
	}
	q.paged = options.Has("page") || options.Has("per_page")
	if q.page, ok = count(options, "page", 1); !ok {
		return q, "page"
	}
	if q.perPage, ok = count(options, "per_page", defaultPerPage); !ok {
		return q, "per_page"
	}
	q.page, q.perPage = min(q.page, maxPage), min(q.perPage, s.settings.MaxPerPage)
	return q, ""
}

// date is a day of the account's time zone, as a date and nothing else.
func date(options url.Values, name string, zone *time.Location) (time.Time, bool) {
	t, err := time.ParseInLocation(time.DateOnly, options.Get(name), zone)
	return t, err == nil
}

// disposition is the filter, without which only answered calls are listed.
func disposition(options url.Values) (string, bool) {
	if !options.Has("disposition") {
		return "answered", true
	}
	d := options.Get("disposition")
	// Wavix's prose has `rejected`, its list of values doesn't.
	return d, slices.Contains([]string{"answered", "noanswer", "busy", "failed", "rejected", all}, d)
}

func count(options url.Values, name string, otherwise int) (int, bool) {
	if !options.Has(name) {
		return otherwise, true
	}
	n, err := strconv.ParseInt(options.Get(name), 10, 32)
	return int(n), err == nil && n >= 1
}
