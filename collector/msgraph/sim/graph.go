package sim

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// formatTime writes a UTC time in one of Graph's styles: with milliseconds, with seven digits, with
// an offset instead of Z, or without a zero fraction.
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

var errorCodes = map[int]string{
	http.StatusTooManyRequests: "TooManyRequests", http.StatusServiceUnavailable: "ServiceNotAvailable",
}

const requestID = "5a5a0000-0000-4000-8000-00000000e440"

func (s *Server) reply(r *http.Request, status int, body []byte) simulator.Reply {
	return simulator.Reply{
		Status: status, Body: body,
		Own: map[simulator.Fault]simulator.Reply{
			ExpiredToken: s.unauthorized(r), Forbidden: s.refuse(r, http.StatusForbidden, "Forbidden", ""),
		},
		Error: func(status int) []byte { return s.errorBody(r, errorCodes[status], "") },
	}
}

func (s *Server) errorBody(r *http.Request, code, message string) []byte {
	inner := simulator.NewObject(
		"date", s.Now().Format("2006-01-02T15:04:05"), "request-id", requestID, "client-request-id",
		r.Header.Get("client-request-id"))
	return simulator.JSON(simulator.NewObject("error",
		simulator.NewObject("code", code, "message", message, "innerError", inner)))
}

func (s *Server) refuse(r *http.Request, status int, code, message string) simulator.Reply {
	return simulator.Reply{Status: status, Refused: true, Header: http.Header{}, Body: s.errorBody(r, code, message)}
}

func (s *Server) badRequest(r *http.Request, message string) simulator.Reply {
	return s.refuse(r, http.StatusBadRequest, "BadRequest", message)
}

func (s *Server) unauthorized(r *http.Request) simulator.Reply {
	a := s.refuse(r, http.StatusUnauthorized, "InvalidAuthenticationToken",
		"Lifetime validation failed, the token is expired.")
	a.Header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+s.BaseURL()+
		`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
	return a
}

// serve answers a request to Graph, if its token allows it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, endpoint string, answer func() simulator.Reply) {
	w.Header().Set("Request-Id", requestID)
	w.Header().Set("Cache-Control", "no-cache")
	s.Answer(w, r, endpoint, func() simulator.Reply {
		if denied := s.authorise(r); denied != nil {
			return *denied
		}
		return answer()
	})
}

// page is a page of rows, of a record, or of a record's collection.
type page struct {
	*Server
	target
	request   *http.Request
	continued bool
	// size is the number of entries on the page; more says whether further pages follow.
	size int
	more bool
}

// answer is the answer with the page.
func (p *page) answer(body []byte) simulator.Reply {
	a := p.reply(p.request, http.StatusOK, body)
	if p.continued {
		a.Own[ExpiredLink] = p.refuse(p.request, http.StatusGone, "Gone", "The link has expired.")
	}
	return a
}

// maxLinks is how many next links are remembered; beyond it all of them expire.
const maxLinks = 50_000

// next makes the link to the rest of the page. A distinct link has a unique $skiptoken.
func (p *page) next(uri string, to target, distinct bool) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if distinct {
		p.linksIssued++
		separator := "?"
		if strings.Contains(uri, "?") {
			separator = "&"
		}
		uri += fmt.Sprintf("%s$skiptoken=%d", separator, p.linksIssued)
	}
	if len(p.links) > maxLinks {
		clear(p.links)
	}
	p.links[uri] = to
	return "https://" + p.request.Host + uri
}

func (s *Server) followLink(r *http.Request) (to target, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to, ok = s.links[r.RequestURI]; !ok {
		to.endpoint = EndpointOther
	}
	return to, ok
}
