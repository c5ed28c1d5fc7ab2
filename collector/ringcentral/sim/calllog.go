package sim

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	// defaultRange is how much of the log a request without dateFrom gets.
	defaultRange = 24 * time.Hour
	// maxPerPage is how many rows a page has at most; a greater perPage is lowered to it.
	maxPerPage = 1000
	// milliseconds is how RingCentral writes times.
	milliseconds = "2006-01-02T15:04:05.000Z"
	// Calls appear among the active ones activeLag late, and stay for afterglow after their end.
	activeLag = 5 * time.Second
	afterglow = 2 * time.Minute
)

type link struct {
	URI string `json:"uri"`
}

type navigation struct {
	FirstPage    *link `json:"firstPage,omitempty"`
	NextPage     *link `json:"nextPage,omitempty"`
	PreviousPage *link `json:"previousPage,omitempty"`
}

// paging says which rows a page has. Totals are given by a fault alone.
type paging struct {
	Page          int  `json:"page,omitempty"`
	PerPage       int  `json:"perPage"`
	PageStart     *int `json:"pageStart,omitempty"`
	PageEnd       *int `json:"pageEnd,omitempty"`
	TotalPages    int  `json:"totalPages,omitempty"`
	TotalElements int  `json:"totalElements,omitempty"`
}

// envelope is the body of a list.
type envelope struct {
	URI string
	// Records are left out if nil, as is what a kind of list doesn't have.
	Records    []any
	Paging     *paging
	Navigation *navigation
	Sync       *syncInfo
}

func (e *envelope) object() simulator.Object {
	o := simulator.NewObject("uri", e.URI)
	if e.Records != nil {
		o.Set("records", e.Records)
	}
	if e.Sync != nil {
		o.Set("syncInfo", e.Sync)
		return o
	}
	o.Set("paging", e.Paging)
	o.Set("navigation", e.Navigation)
	return o
}

// host is what links begin with.
func (q *request) host() string {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	if q.server.public != "" {
		return q.server.public
	}
	return "https://" + q.Host
}

// page is a page of a list.
type page struct {
	*request
	number, perPage int // number counts from 1
	detailed        bool
	rows            []any
	more            bool
}

func (q *request) newPage() *page {
	p := &page{request: q, number: q.number("page", 1), detailed: q.isDetailed(), rows: []any{}}
	if p.perPage = maxPerPage; q.query.Get("perPage") != "max" {
		p.perPage = min(q.number("perPage", 100), maxPerPage)
	}
	return p
}

func (p *page) skip() int { return (p.number - 1) * p.perPage }

func (p *page) add(c *simulator.Call, v *simulator.Version) {
	p.rows = append(p.rows, p.row(c, v, p.detailed))
}

// link leads to a page of the same list. It has a dateTo only if the request had one.
func (p *page) link(number, perPage int) *link {
	query := maps.Clone(p.query)
	query.Set("page", strconv.Itoa(number))
	query.Set("perPage", strconv.Itoa(perPage))
	return &link{p.host() + p.URL.Path + "?" + query.Encode()}
}

// again leads to the same page by another link: its first parameter comes last.
func (p *page) again() *link {
	first, rest, several := strings.Cut(p.URL.RawQuery, "&")
	if !several {
		return p.link(p.number, p.perPage)
	}
	return &link{p.host() + p.URL.Path + "?" + rest + "&" + first}
}

// envelope is the page as a part of its rows, with the number and the size that it claims.
func (p *page) envelope(rows []any, number, perPage int, more bool) envelope {
	e := envelope{URI: p.host() + p.RequestURI, Records: rows, Paging: &paging{PerPage: perPage}, Navigation: &navigation{FirstPage: p.link(1, perPage)}}
	if len(rows) > 0 {
		start := (number - 1) * perPage
		end := start + len(rows) - 1
		e.Paging.Page, e.Paging.PageStart, e.Paging.PageEnd = number, &start, &end
	}
	if more {
		e.Navigation.NextPage = p.link(number+1, perPage)
	}
	if number > 1 {
		e.Navigation.PreviousPage = p.link(number-1, perPage)
	}
	return e
}

// finish is the reply with the page, and with what the faults of pages make of it.
func (p *page) finish() simulator.Reply {
	whole := p.envelope(p.rows, p.number, p.perPage, p.more)
	r := p.reply(whole.object())
	r.Continued = p.skip() > 0
	spoil := func(change func(*envelope)) func(*simulator.Reply) {
		return func(r *simulator.Reply) {
			e := whole
			e.Navigation = &navigation{whole.Navigation.FirstPage, whole.Navigation.NextPage, whole.Navigation.PreviousPage}
			change(&e)
			r.Body = simulator.JSON(e.object())
		}
	}
	r.Own[NoRecords] = spoil(func(e *envelope) { e.Records, e.Paging = nil, &paging{PerPage: p.perPage} })
	r.Own[EmptyPage] = spoil(func(e *envelope) {
		e.Records, e.Paging, e.Navigation.NextPage = []any{}, &paging{PerPage: p.perPage}, p.again()
	})
	r.Own[HostileNext] = spoil(func(e *envelope) {
		e.Navigation.NextPage = &link{p.server.HostileURL() + strings.TrimPrefix(p.link(p.number+1, p.perPage).URI, p.host())}
	})
	r.Own[RepeatedNext] = spoil(func(e *envelope) { e.Navigation.NextPage = &link{p.host() + p.RequestURI} })
	r.Own[OddPaging] = spoil(func(e *envelope) {
		zero := 0
		e.Paging = &paging{Page: 1, PerPage: p.perPage, PageStart: &zero, PageEnd: &zero, TotalPages: 1, TotalElements: 1}
	})
	if half := p.perPage / 2; p.perPage%2 == 0 && len(p.rows) > half {
		r.Own[CutPage] = spoil(func(e *envelope) { *e = p.envelope(p.rows[:half], 2*p.number-1, half, true) })
	}
	return r
}

// callLog lists the rows that start in a range of time, both ends included, newest first.
func (s *Server) callLog(q *request) simulator.Reply {
	p := q.newPage()
	ask := simulator.Query{At: s.Visible(), ToIncluded: true, Lists: q.lists(), To: q.instant("dateTo", s.Now()), Skip: p.skip(), Limit: p.perPage}
	ask.From = q.instant("dateFrom", ask.To.Add(-defaultRange))
	if ask.To.Before(ask.From) {
		q.fail("dateFrom")
	}
	if q.wrong != nil {
		return simulator.Reply{}
	}
	// Links have it, unlike dateTo: without a dateTo, new rows shift the pages.
	q.query.Set("dateFrom", ask.From.Format(milliseconds))
	if q.world != nil {
		p.more = q.world.Page(ask, p.add)
	}
	r := p.finish()
	r.From, r.To = ask.From, ask.To
	return r
}

// activeCalls lists the calls in progress, and those that ended a moment ago, newest first.
func (s *Server) activeCalls(q *request) simulator.Reply {
	p, lists, at := q.newPage(), q.lists(), s.Visible().Add(-activeLag)
	if q.world == nil {
		return p.finish()
	}
	skip := p.skip()
	q.world.EachActive(at, afterglow, func(c *simulator.Call, v *simulator.Version, connected bool) {
		switch {
		case lists&(1<<v.Kind.List) == 0:
		case skip > 0:
			skip--
		case len(p.rows) == p.perPage:
			p.more = true
		case connected:
			live := simulator.Version{Kind: v.Kind, State: simulator.InProgress, Published: c.Start.Add(activeLag)}
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

// active counts the calls in progress, as a client sees them that asks at an instant.
func (sc *scope) active(at time.Time) map[cdr.Direction]int {
	if sc.world == nil {
		return map[cdr.Direction]int{}
	}
	return sc.world.Active(at.Add(-activeLag))
}

// recording is the description of a recording.
func (s *Server) recording(q *request) simulator.Reply {
	id, err := strconv.ParseUint(q.PathValue("id"), 10, 63)
	if err != nil {
		return q.refuse(notFound("recordingId"))
	}
	sc := []*scope{&s.account, &s.extension}[id%2]
	var c simulator.Call
	v := sc.visible(int64(id/2), &c, s.Visible())
	if v == nil || !v.Recorded {
		return q.refuse(notFound("recordingId"))
	}
	return q.reply(map[string]any{
		"id": q.PathValue("id"), "contentUri": sc.contentURI(q.PathValue("id")), "contentType": "audio/mpeg", "duration": int(v.Duration / time.Second),
	})
}

// visible fills in the call at a place and returns the version that is visible at an instant; nil if there is none.
func (sc *scope) visible(place int64, c *simulator.Call, at time.Time) *simulator.Version {
	if place < 0 || sc.world == nil || !sc.world.Call(uint64(place), c) || c.At(at) < 0 {
		return nil
	}
	return &c.Versions()[c.At(at)]
}
