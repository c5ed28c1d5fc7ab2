package sim

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

var (
	errNoResource = errors.New("resource not found for the segment")
	errOption     = errors.New("query option is not supported here")
)

// encode makes JSON of a value that always has a JSON form.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // links are written as they are
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// orNull is null for an empty string.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// formatTime writes a UTC time in one of Graph's styles: with milliseconds, with seven digits, with an offset instead of Z, or without a fraction
// that is zero.
func formatTime(t time.Time, style int) string {
	t = t.Truncate(time.Millisecond)
	layout := "2006-01-02T15:04:05.000Z"
	switch {
	case style%4 == 1:
		layout = "2006-01-02T15:04:05.0000000Z"
	case style%4 == 2 && t.Nanosecond() == 0:
		layout = "2006-01-02T15:04:05Z"
	case style%4 == 3:
		layout = "2006-01-02T15:04:05.000+00:00"
	}
	return t.Format(layout)
}

// errorCodes are the codes that Graph gives with a status.
var errorCodes = map[int]string{
	http.StatusTooManyRequests:     "TooManyRequests",
	http.StatusInternalServerError: "UnknownError",
	http.StatusBadGateway:          "BadGateway",
	http.StatusServiceUnavailable:  "ServiceNotAvailable",
	http.StatusGatewayTimeout:      "GatewayTimeout",
}

const requestID = "5a5a0000-0000-4000-8000-00000000e440"

// answer is a JSON answer of Graph.
func (s *Server) answer(r *http.Request, status int, body []byte) simulator.Answer {
	now := s.timeline.Now()
	return simulator.Answer{
		Status: status, Body: body, Now: now, Header: http.Header{"Request-Id": {requestID}, "Cache-Control": {"no-cache"}},
		Error: func(status int) []byte { return graphError(errorCodes[status], "", r, now) },
	}
}

func graphError(code, message string, r *http.Request, now time.Time) []byte {
	return encode(map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]any{
			"date": now.Format("2006-01-02T15:04:05"), "request-id": requestID, "client-request-id": r.Header.Get("client-request-id"),
		},
	}})
}

// refuse is an error of Graph.
func (s *Server) refuse(r *http.Request, status int, code, message string) *simulator.Answer {
	a := s.answer(r, status, graphError(code, message, r, s.timeline.Now()))
	if status == http.StatusUnauthorized {
		a.Header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+s.LoginURL()+
			`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
	}
	return &a
}

func (s *Server) badRequest(r *http.Request, message string) *simulator.Answer {
	return s.refuse(r, http.StatusBadRequest, "BadRequest", message)
}

func (s *Server) notAllowed(r *http.Request) *simulator.Answer {
	return s.refuse(r, http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
}

// refuseByFault is the error that a fault of Graph's own stands for; nil for the other faults.
func (s *Server) refuseByFault(r *http.Request, fault simulator.Fault) *simulator.Answer {
	switch fault {
	case ExpiredToken:
		return s.refuse(r, http.StatusUnauthorized, "InvalidAuthenticationToken", tokenExpired)
	case Forbidden:
		return s.refuse(r, http.StatusForbidden, "Forbidden", "")
	case BadRequest:
		return s.badRequest(r, "")
	case NotYet:
		return s.refuse(r, http.StatusNotFound, "NotFound", "")
	case ExpiredLink400:
		return s.badRequest(r, "The $skip token is no longer valid.")
	case ExpiredLink410:
		return s.refuse(r, http.StatusGone, "Gone", "The link has expired.")
	default:
		return nil
	}
}

// isGeneral refuses the faults that only Graph has.
func isGeneral(f simulator.Fault) bool {
	switch f {
	case ExpiredToken, Forbidden, BadRequest, ExpiredLink400, ExpiredLink410, HostileLink, RepeatedLink, EmptyPage, ShortPage, CapitalLink,
		OtherNames, NotYet, OlderVersion:
		return false
	default:
		return true
	}
}

// reply is what a request to Graph is to be answered with.
type reply struct {
	request simulator.Request
	skip    int
	// refused is why the request is invalid; nil if it is valid.
	refused *simulator.Answer
	// prepare finds the data, once the request is known to be valid and authorised.
	prepare func(*reply) *simulator.Answer
	// fits says which faults of Graph's own can be done to the answer.
	fits func(simulator.Fault) bool
	// render makes the answer and says how many rows it has.
	render func(simulator.Fault) (*simulator.Answer, int)
}

// serve answers a request to Graph.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, q *reply) {
	q.request.Number = s.recorder.Begin(q.request.Endpoint)
	seen := simulator.Seen{Endpoint: q.request.Endpoint, At: s.timeline.Now(), Skip: q.skip}
	defer func() { s.recorder.End(seen) }()
	if denied := s.authorise(r); denied != nil {
		q.refused = denied
	}
	if q.refused == nil {
		q.refused = q.prepare(q)
	}
	seen.From, seen.To = q.request.From, q.request.To
	if q.refused != nil {
		seen.Status = q.refused.Status
		s.faults.Write(w, r, simulator.NoFault, *q.refused)
		return
	}
	fault := s.faults.Next(q.request, q.fits)
	a, rows := s.refuseByFault(r, fault), 0
	if a == nil {
		a, rows = q.render(fault)
	}
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, a.Status)
	if seen.Status == http.StatusOK && simulator.Delivers(fault) {
		seen.Rows = rows
	}
	s.faults.Write(w, r, fault, *a)
}

// page is a JSON answer with a body, compressed if both sides want that.
func (s *Server) page(r *http.Request, body []byte) *simulator.Answer {
	a := s.answer(r, http.StatusOK, body)
	if s.settings.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body) // a buffer accepts everything
		_ = z.Close()
		a.Body = b.Bytes()
		a.Header.Set("Content-Encoding", "gzip")
	}
	return &a
}

// link is what a next link leads to.
type link struct {
	target
	issued time.Time
}

// links are the next links that were issued, by path and query. One that wasn't issued isn't followed: a client that builds links is noticed.
type links struct {
	mu     sync.Mutex
	known  map[string]link // guarded by mu
	order  []string        // guarded by mu
	tokens int             // guarded by mu
}

// maxLinks is how many next links are remembered; older ones have expired.
const maxLinks = 50_000

// nextLink makes the link to the rest of a page, which a fault may change. Distinct adds a $skiptoken that no other link has.
func (s *Server) nextLink(r *http.Request, fault simulator.Fault, uri string, to target, distinct bool) string {
	host := "https://" + r.Host
	switch fault {
	case HostileLink:
		return s.hostile.URL() + r.RequestURI
	case RepeatedLink:
		return host + r.RequestURI
	default:
	}
	l := &s.links
	l.mu.Lock()
	defer l.mu.Unlock()
	if distinct {
		l.tokens++
		separator := "?"
		if strings.Contains(uri, "?") {
			separator = "&"
		}
		uri += fmt.Sprintf("%s$skiptoken=%d", separator, l.tokens)
	}
	if _, ok := l.known[uri]; !ok {
		l.order = append(l.order, uri)
	}
	l.known[uri] = link{target: to, issued: s.timeline.Now()}
	if len(l.order) > maxLinks {
		delete(l.known, l.order[0])
		l.order = l.order[1:]
	}
	return host + uri
}

// followLink finds what a next link leads to, or why it doesn't work.
func (s *Server) followLink(r *http.Request) (target, *simulator.Answer) {
	s.links.mu.Lock()
	to, ok := s.links.known[r.RequestURI]
	s.links.mu.Unlock()
	switch {
	case !ok || r.Method != http.MethodGet:
		return target{endpoint: EndpointOther}, s.badRequest(r, "The $skip token is not valid.")
	case s.settings.LinkLifetime > 0 && s.timeline.Now().Sub(to.issued) > s.settings.LinkLifetime:
		return to.target, s.refuseByFault(r, ExpiredLink410)
	}
	return to.target, nil
}

// capitalLinks spells the names of a body's next links otherwise.
func capitalLinks(body []byte, name string) []byte {
	return bytes.ReplaceAll(body, []byte(`@odata.nextLink"`), []byte(name+`"`))
}
