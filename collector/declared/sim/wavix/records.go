package sim

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

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
	of, ok := sideOf(e.options.Get("type"))
	e.from, e.to, e.side, e.page, e.perPage = day("from"), day("to"), of, number("page"),
		min(number("per_page"), e.MaxPerPage)
	switch {
	case !ok:
		return "type"
	case e.options.Get("disposition") != "all":
		return "disposition"
	}
	return invalid
}

// records answers with rows: a page of the list or of CSV, or the export.
func (e *exchange) records() simulator.Reply {
	at := e.Visible()
	list := e.rows(e.from, e.to, e.side, at)
	total := len(list)
	list = list[min((e.page-1)*e.perPage, total):min(e.page*e.perPage, total)]
	each := func(f func(*row, *simulator.Version)) {
		for i := range list {
			r := e.at(&list[i])
			for range list[i].copies {
				f(&r, &r.Versions()[r.At(at)])
			}
		}
	}
	if e.endpoint == EndpointCSV {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		_ = w.Write(columns(e.generation))
		each(func(r *row, v *simulator.Version) { r.writeCSV(w, e.generation, v) })
		w.Flush()
		a := reply(b.Bytes())
		a.Header = http.Header{"Content-Type": {"text/csv; charset=utf-8"}}
		return a
	}
	names := columns(e.generation)
	rows := []any{}
	each(func(r *row, v *simulator.Version) { rows = append(rows, r.object(e.generation, v, names)) })
	if e.endpoint == EndpointExport {
		return export(rows)
	}
	return e.list(rows, total)
}

func (e *exchange) list(rows []any, total int) simulator.Reply {
	pages := (total + e.perPage - 1) / e.perPage
	return reply(simulator.JSON(simulator.NewObject("items", rows, "pagination",
		simulator.NewObject("current_page", e.page, "per_page", e.perPage, "total", total, "total_pages", pages))))
}

// export is rows as newline-delimited JSON.
func export(rows []any) simulator.Reply {
	a := reply(lines(rows))
	// as in Wavix's samples
	a.Header = http.Header{"Content-Type": {"application/x-ndjson"}, "Last-Modified": {"0"}, "Etag": {"0"}}
	return a
}
