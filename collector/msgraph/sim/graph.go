package sim

import (
	"net/http"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// graph answers a request to the two functions.
func (s *Server) graph(w http.ResponseWriter, r *http.Request) {
	to, refused := s.target(r)
	endpoint := to.endpoint
	if endpoint == "" {
		endpoint = EndpointOther
	}
	number := s.recorder.Begin(endpoint)
	seen := simulator.Seen{Endpoint: endpoint, At: s.timeline.Now(), From: to.from, To: to.to, Skip: to.skip}
	defer func() { s.recorder.End(seen) }()
	if a, ok := s.authorise(r); !ok {
		refused = &a
	}
	if refused != nil {
		seen.Status = refused.Status
		s.faults.Write(w, r, simulator.NoFault, *refused)
		return
	}
	p := s.page(r, to)
	defer p.release()
	request := simulator.Request{Endpoint: endpoint, Continued: to.continued(), HasNext: p.more, From: to.from, To: to.to, Number: number}
	fault := s.faults.Next(request, p.fits)
	a := s.graphAnswer(r, p, fault)
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, a.Status)
	if seen.Status == http.StatusOK && simulator.Delivers(fault) {
		seen.Rows = p.count
	}
	s.faults.Write(w, r, fault, a)
}

// graphAnswer is a page as a fault of Graph's own changes it.
func (s *Server) graphAnswer(r *http.Request, p *page, fault simulator.Fault) simulator.Answer {
	switch fault {
	case ExpiredToken:
		return s.refusal(r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	case Forbidden:
		return s.refusal(r, http.StatusForbidden, "Forbidden", "")
	case ExpiredLink400:
		return s.refusal(r, http.StatusBadRequest, "BadRequest", "The $skip token is no longer valid.")
	case ExpiredLink410:
		return s.refusal(r, http.StatusGone, "Gone", "The link has expired.")
	default:
		body, encoding := p.body(fault)
		a := s.answer(r, http.StatusOK, body)
		if encoding != "" {
			a.Header.Set("Content-Encoding", encoding)
		}
		return a
	}
}

// target is what a request asks for, or why it is refused. Requests that the
// real one might let pass are refused where the documentation doesn't promise
// that they work.
func (s *Server) target(r *http.Request) (link, *simulator.Answer) {
	refuse := func(to link, status int, code, message string) (link, *simulator.Answer) {
		a := s.refusal(r, status, code, message)
		return to, &a
	}
	path, options, _ := strings.Cut(r.RequestURI, "?")
	if strings.Contains(r.RequestURI, "?") {
		return s.followed(r, options)
	}
	q, err := parsePath(path)
	to := link{query: q}
	switch {
	case r.Method != http.MethodGet:
		return refuse(to, http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	case err != nil:
		return refuse(to, http.StatusBadRequest, "BadRequest", err.Error())
	case q.to.Sub(q.from) > s.settings.MaxRange:
		return refuse(to, http.StatusNotAcceptable, "", "")
	}
	return to, nil
}

// followed is where a request with a query leads: next links have one, and
// nothing else may.
func (s *Server) followed(r *http.Request, options string) (link, *simulator.Answer) {
	to, ok := s.links.follow(r.RequestURI)
	var a simulator.Answer
	switch {
	case !ok && !strings.HasPrefix(options, "$skip="):
		a = s.refusal(r, http.StatusBadRequest, "BadRequest", errOptions.Error())
	case !ok || r.Method != http.MethodGet:
		a = s.refusal(r, http.StatusBadRequest, "BadRequest", "The $skip token is not valid.")
	case s.settings.LinkLifetime > 0 && s.timeline.Now().Sub(to.issued) > s.settings.LinkLifetime:
		a = s.refusal(r, http.StatusGone, "Gone", "The link has expired.")
	default:
		return to, nil
	}
	return to, &a
}

// continued says whether a next link was followed.
func (l *link) continued() bool { return !l.issued.IsZero() }
