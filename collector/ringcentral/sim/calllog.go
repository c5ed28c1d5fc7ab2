package sim

import (
	"maps"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	maxNumber    = 1000                       // most rows of a page, and most pages
	milliseconds = "2006-01-02T15:04:05.000Z" // RingCentral's time format
	// ActiveLag is how late calls appear among the active ones, afterglow how long they stay after
	// their end.
	ActiveLag = 5 * time.Second
	afterglow = 2 * time.Minute
)

type page struct {
	*request
	number, perPage int // number counts from 1
	detailed        bool
	rows            []any
	more            bool
}

// newPage is a page of rows in a view.
func (q *request) newPage(view string) *page {
	if q.text("type") != "Voice" {
		q.fail("type")
	}
	if q.text("view") != view {
		q.fail("view")
	}
	return &page{
		request: q, number: q.number("page"), perPage: min(q.number("perPage"), q.server.MaxPerPage),
		detailed: view == "Detailed", rows: []any{},
	}
}

func (p *page) skip() int { return (p.number - 1) * p.perPage }

func (p *page) add(c *simulator.Call, v *simulator.Version) {
	p.rows = append(p.rows, p.row(c, v, p.detailed))
}

// link leads to a page of the same list.
func (p *page) link(number int) string {
	query := maps.Clone(p.query)
	query.Set("page", strconv.Itoa(number))
	query.Set("perPage", strconv.Itoa(p.perPage))
	return p.server.BaseURL() + p.URL.Path + "?" + query.Encode()
}

// finish is the answer with the page.
func (p *page) finish() simulator.Reply {
	paging := simulator.NewObject("perPage", p.perPage)
	if start := p.skip(); len(p.rows) > 0 {
		paging = simulator.NewObject("page", p.number, "perPage", p.perPage, "pageStart", start, "pageEnd",
			start+len(p.rows)-1)
	}
	navigation := simulator.NewObject("firstPage", simulator.NewObject("uri", p.link(1)))
	if p.more {
		navigation.Set("nextPage", simulator.NewObject("uri", p.link(p.number+1)))
	}
	if p.number > 1 {
		navigation.Set("previousPage", simulator.NewObject("uri", p.link(p.number-1)))
	}
	return reply(simulator.JSON(simulator.NewObject("uri", p.server.BaseURL()+p.RequestURI, "records", p.rows,
		"paging", paging, "navigation", navigation)))
}

// callLog lists the rows that start in a range of time, both ends included, newest first.
func (s *Server) callLog(q *request) simulator.Reply {
	p := q.newPage("Detailed")
	ask := simulator.Query{
		From: q.instant("dateFrom"), To: q.instant("dateTo"), ToIncluded: true, At: s.Visible(), Skip: p.skip(),
		Limit: p.perPage,
	}
	if ask.To.Before(ask.From) {
		q.fail("dateFrom")
	}
	if q.wrong == nil {
		p.more = q.world.Page(ask, p.add)
	}
	return p.finish()
}

// activeCalls lists the calls in progress, and those that ended a moment ago, newest first.
func (s *Server) activeCalls(q *request) simulator.Reply {
	p, at := q.newPage("Simple"), s.Visible().Add(-ActiveLag)
	skip := p.skip()
	q.world.EachActive(at, afterglow, func(c *simulator.Call, v *simulator.Version, connected bool) {
		switch {
		case skip > 0:
			skip--
		case len(p.rows) == p.perPage:
			p.more = true
		case connected:
			live := simulator.Version{Kind: v.Kind, InProgress: true, Published: c.Start.Add(ActiveLag)}
			if c.Number%2 == 0 {
				live.Duration = at.Sub(c.Start).Truncate(time.Second)
			}
			p.add(c, &live)
		default:
			p.add(c, v)
		}
	})
	return p.finish()
}

func (s *Server) recording(q *request) simulator.Reply {
	id, err := strconv.ParseUint(q.PathValue("id"), 10, 63)
	if err != nil {
		return *notFound("recordingId")
	}
	sc := []*scope{&s.account, &s.extension}[id%2]
	var c simulator.Call
	if !sc.world.Call(id/2, &c) || c.At(s.Visible()) < 0 {
		return *notFound("recordingId")
	}
	v := &c.Versions()[c.At(s.Visible())]
	if !v.Recorded {
		return *notFound("recordingId")
	}
	return reply(simulator.JSON(simulator.NewObject(
		"contentType", "audio/mpeg", "contentUri", sc.contentURI(q.PathValue("id")), "duration",
		int(v.Duration/time.Second), "id", q.PathValue("id"))))
}
