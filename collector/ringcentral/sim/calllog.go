package sim

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	maxPerPage   = 1000                       // most rows of a page, and most pages
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
	rows            []any // left out if nil
	more            bool
	// next and paging replace the page's own if a fault sets them.
	next   string
	paging simulator.Object
}

func (q *request) newPage() *page {
	if q.text("type") != "Voice" {
		q.fail("type")
	}
	return &page{
		request: q, number: q.number("page"), perPage: q.number("perPage"), detailed: q.isDetailed(),
		rows: []any{},
	}
}

func (p *page) skip() int { return (p.number - 1) * p.perPage }

func (p *page) add(c *simulator.Call, v *simulator.Version) {
	p.rows = append(p.rows, p.row(c, v, p.detailed))
}

// link leads to a page of the same list.
func (p *page) link(number, perPage int) string {
	query := maps.Clone(p.query)
	query.Set("page", strconv.Itoa(number))
	query.Set("perPage", strconv.Itoa(perPage))
	return p.server.BaseURL() + p.URL.Path + "?" + query.Encode()
}

// again leads to the same page by a different link: its first parameter comes last.
func (p *page) again() string {
	first, rest, _ := strings.Cut(p.URL.RawQuery, "&")
	return p.server.BaseURL() + p.URL.Path + "?" + rest + "&" + first
}

func (p *page) render() []byte {
	paging, next := p.paging, p.next
	if paging == nil {
		paging = simulator.NewObject("perPage", p.perPage)
	}
	if start := p.skip(); p.paging == nil && len(p.rows) > 0 {
		paging = simulator.NewObject("page", p.number, "perPage", p.perPage, "pageStart", start, "pageEnd",
			start+len(p.rows)-1)
	}
	if next == "" && p.more {
		next = p.link(p.number+1, p.perPage)
	}
	navigation := simulator.NewObject("firstPage", simulator.NewObject("uri", p.link(1, p.perPage)))
	if next != "" {
		navigation.Set("nextPage", simulator.NewObject("uri", next))
	}
	if p.number > 1 {
		navigation.Set("previousPage", simulator.NewObject("uri", p.link(p.number-1, p.perPage)))
	}
	o := simulator.NewObject("uri", p.server.BaseURL()+p.RequestURI)
	if p.rows != nil {
		o.Set("records", p.rows)
	}
	o.Set("paging", paging, "navigation", navigation)
	return simulator.JSON(o)
}

// finish is the answer with the page, as the page faults change it.
func (p *page) finish() simulator.Reply {
	r := p.reply(p.render())
	r.Continued = p.number > 1
	spoil := func(fault simulator.Fault, change func(*page)) {
		r.Own[fault] = func(r *simulator.Reply) {
			spoilt := *p
			change(&spoilt)
			r.Body = spoilt.render()
		}
	}
	spoil(NoRecords, func(q *page) { q.rows = nil })
	spoil(EmptyPage, func(q *page) { q.rows, q.next = []any{}, p.again() })
	spoil(HostileNext, func(q *page) {
		q.next = p.server.HostileURL() + strings.TrimPrefix(p.link(p.number+1, p.perPage), p.server.BaseURL())
	})
	spoil(RepeatedNext, func(q *page) { q.next = p.server.BaseURL() + p.RequestURI })
	spoil(OddPaging, func(q *page) {
		q.paging = simulator.NewObject("page", 1, "perPage", p.perPage, "pageStart", 0, "pageEnd", 0, "totalPages", 1,
			"totalElements", 1)
	})
	if half := p.perPage / 2; p.perPage%2 == 0 && len(p.rows) > half {
		spoil(CutPage, func(q *page) { q.rows, q.number, q.perPage, q.more = p.rows[:half], 2*p.number-1, half, true })
	}
	return r
}

// callLog lists the rows that start in a range of time, both ends included, newest first.
func (s *Server) callLog(q *request) simulator.Reply {
	p := q.newPage()
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
	r := p.finish()
	r.From, r.To = ask.From, ask.To
	return r
}

// activeCalls lists the calls in progress, and those that ended a moment ago, newest first.
func (s *Server) activeCalls(q *request) simulator.Reply {
	p, at := q.newPage(), s.Visible().Add(-ActiveLag)
	skip := p.skip()
	q.world.EachActive(at, afterglow, func(c *simulator.Call, v *simulator.Version, connected bool) {
		switch {
		case skip > 0:
			skip--
		case len(p.rows) == p.perPage:
			p.more = true
		case connected:
			live := simulator.Version{Kind: v.Kind, State: simulator.InProgress, Published: c.Start.Add(ActiveLag)}
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
	return q.reply(simulator.JSON(simulator.NewObject(
		"contentType", "audio/mpeg", "contentUri", sc.contentURI(q.PathValue("id")), "duration",
		int(v.Duration/time.Second), "id", q.PathValue("id"))))
}
