package sim

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// records answers a request about call records.
func (s *Server) records(w http.ResponseWriter, r *http.Request) {
	a, refused := s.asks(r)
	number := s.recorder.Begin(a.endpoint)
	seen := simulator.Seen{Endpoint: a.endpoint, At: s.timeline.Now(), Skip: a.Skip}
	defer func() { s.recorder.End(seen) }()
	if denied, ok := s.authorise(r); !ok {
		refused = &denied
	}
	if refused == nil {
		refused = s.limited(r, &a)
	}
	if refused != nil {
		seen.Status = refused.Status
		s.faults.Write(w, r, simulator.NoFault, *refused)
		return
	}
	p := s.turn(r, a)
	if a.In != nil {
		seen.From, seen.To = time.UnixMilli(a.In.Low).UTC(), time.UnixMilli(a.In.High).UTC()
	}
	fault := s.faults.Next(simulator.Request{Endpoint: a.endpoint, Continued: a.continued, HasNext: p.more, Number: number}, p.fits)
	answer := p.answer(fault)
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, answer.Status)
	if seen.Status == http.StatusOK && simulator.Delivers(fault) {
		seen.Rows = p.count
	}
	s.faults.Write(w, r, fault, answer)
}

// limited refuses a request for a record that was asked for too often.
func (s *Server) limited(r *http.Request, a *asked) *simulator.Answer {
	if a.ID == "" {
		return nil
	}
	wait := s.limits.take(strings.ToLower(a.ID), a.continued, s.timeline.Now())
	if wait == 0 {
		return nil
	}
	refused := s.refusal(r, http.StatusTooManyRequests, "TooManyRequests", "")
	refused.Header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return &refused
}

// recordPage is what one request about call records is due.
type recordPage struct {
	asked
	server  *Server
	request *http.Request
	// rows are a list's, plan and version a record's; missing says why there is none.
	rows    []listedRecord
	plan    plan
	version int
	missing string
	found   bool
	// count is how many entries come, more whether more follow.
	count int
	more  bool
	limit int
}

// turn finds what a request is due.
func (s *Server) turn(r *http.Request, a asked) *recordPage {
	p := &recordPage{asked: a, server: s, request: r}
	if a.What == restRecords {
		p.list()
		return p
	}
	p.find()
	if !p.found {
		return p
	}
	size, all := s.settings.SessionPage, p.plan.all[p.version].sessions
	switch a.What {
	case "":
		if !a.expand.sessions {
			all = 0
		}
	case restSegments:
		size, all = s.settings.SegmentPage, len(p.plan.outline(a.Session).segments)
	case restParticipants:
		size, all = s.settings.ParticipantPage, len(p.plan.participants(&p.plan.all[p.version]))
	}
	p.limit = p.preferred(size)
	p.count = min(all-a.Skip, p.limit)
	p.more = a.Skip+p.count < all
	return p
}

func (p *recordPage) preferred(size int) int {
	if p.Size != 0 {
		return min(p.Size, size)
	}
	return size
}

// list finds a page of the list: no record is kept longer than the retention.
func (p *recordPage) list() {
	s := p.server
	p.limit = p.preferred(s.settings.RecordPage)
	p.In.Low = max(p.In.Low, s.timeline.Now().Add(-retention).UnixMilli())
	p.In.High = min(p.In.High, s.timeline.Now().UnixMilli())
	if s.settings.CallRecords == nil {
		return
	}
	p.rows, p.more = s.settings.CallRecords.list(*p.In, p.After, s.timeline.Visible(), p.limit)
	p.count = len(p.rows)
}

// find finds a record by its id.
func (p *recordPage) find() {
	s, now := p.server, p.server.timeline.Now()
	id, _ := parseUUID(p.ID)
	switch {
	case s.settings.CallRecords == nil || !s.settings.CallRecords.find(id, now, &p.plan) || listFlaw(p.plan.flaw):
		return
	case now.Sub(p.plan.start) > retention:
		p.missing = "Call records older than 30 days are not available."
		return
	}
	p.version = p.plan.readAt(s.timeline.Visible())
	if p.continued {
		p.version = p.Version
	}
	p.found = p.version >= 0
}

// fits says whether one of Graph's own faults can be done to the page.
func (p *recordPage) fits(f simulator.Fault) bool {
	switch f {
	case ExpiredLink400, ExpiredLink410, RepeatedLink:
		return p.continued && p.found == (p.What != restRecords)
	case CapitalLink:
		return p.more
	case OtherNames:
		return false
	case EmptyPage:
		return p.count > 0 && (p.What != "" || p.expand.sessions)
	case ShortPage:
		return p.count > 1 && (p.What != "" || p.expand.sessions)
	case HostileLink:
		return p.What == restRecords || p.found && (p.What != "" || p.expand.sessions)
	case NotYet, BadRequest:
		return p.found
	case OlderVersion:
		return p.found && p.version > 0 && !p.continued
	default:
		return true
	}
}

// answer is the page as a fault of Graph's own changes it.
func (p *recordPage) answer(fault simulator.Fault) simulator.Answer {
	s, r := p.server, p.request
	switch fault {
	case ExpiredToken:
		return s.refusal(r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	case Forbidden:
		return s.refusal(r, http.StatusForbidden, "Forbidden", "")
	case BadRequest:
		return s.refusal(r, http.StatusBadRequest, "BadRequest", "")
	case ExpiredLink400:
		return s.refusal(r, http.StatusBadRequest, "BadRequest", "The $skiptoken is no longer valid.")
	case ExpiredLink410:
		return s.refusal(r, http.StatusGone, "Gone", "The link has expired.")
	case NotYet:
		return s.refusal(r, http.StatusNotFound, "NotFound", "")
	case OlderVersion:
		p.version--
	default:
	}
	if p.What != restRecords && !p.found {
		return s.refusal(r, http.StatusNotFound, "NotFound", p.missing)
	}
	a := s.answer(r, http.StatusOK, p.body(fault))
	if s.settings.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		a.Body = compress(a.Body)
		a.Header.Set("Content-Encoding", "gzip")
	}
	return a
}

// body writes what is due.
func (p *recordPage) body(fault simulator.Fault) []byte {
	switch fault {
	case EmptyPage:
		p.count, p.limit, p.more = 0, 0, true
	case ShortPage:
		p.count /= 2
		p.limit, p.more = p.count, true
	default:
	}
	w := p.writer(fault)
	switch p.What {
	case restRecords:
		p.writeList(w)
	case "":
		w.record(&p.plan, p.version, p.expand)
	default:
		w.object("", func() { p.writeInner(w) })
	}
	return w.bytes()
}
