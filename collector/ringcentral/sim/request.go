package sim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// parameters are the query parameters of each endpoint. RingCentral has defaults for most, and
// ignores unknown ones. Here each is required where it has a meaning, to detect a client's
// mistakes.
var parameters = map[string][]string{
	EndpointCallLog:     {"dateFrom", "dateTo", "type", "view", "perPage", "page"},
	EndpointExtensions:  {"type", "perPage", "page"},
	EndpointActiveCalls: {"type", "view", "page", "perPage"},
}

// request is an authorised request to the API. wrong is the first parameter that is wrong.
type request struct {
	*http.Request
	*scope
	server *Server
	query  url.Values
	wrong  *simulator.Reply
}

// api handles an endpoint: it checks the token, the rate limit and the permissions, in this order.
func (s *Server) api(endpoint string, company bool, serve func(*request) simulator.Reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := &request{Request: r, scope: &s.account, server: s, query: r.URL.Query()}
		if !company {
			q.scope = &s.extension
		}
		s.Answer(w, r, endpoint, func() simulator.Reply {
			refused := s.authenticate(r.Header.Get("Authorization"))
			if refused == nil {
				group := "heavy"
				if endpoint == EndpointExtensions {
					group = "medium"
				}
				refused = s.limit(group, w.Header())
			}
			if refused == nil {
				refused = s.permit(endpoint, company)
			}
			if refused != nil {
				return *refused
			}
			for name := range q.query {
				if !slices.Contains(parameters[endpoint], name) {
					q.fail(name)
				}
			}
			reply := serve(q)
			if q.wrong != nil {
				return *q.wrong
			}
			return reply
		})
	}
}

func (s *Server) permit(endpoint string, company bool) *simulator.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	permission := FullCompanyCallLog
	switch {
	case endpoint == EndpointRecording:
		permission = ReadCallRecording
	case endpoint == EndpointExtensions || !company:
		permission = ReadCallLog
	}
	if slices.Contains(s.permissions, permission) {
		return nil
	}
	return missingPermission(permission)
}

func (q *request) fail(name string) {
	if q.wrong == nil {
		q.wrong = badParameter(name)
	}
}

// text is a parameter that must be there exactly once.
func (q *request) text(name string) string {
	if len(q.query[name]) != 1 {
		q.fail(name)
	}
	return q.query.Get(name)
}

func (q *request) instant(name string) time.Time {
	t, err := time.Parse(milliseconds, q.text(name))
	if err != nil {
		q.fail(name)
	}
	return t
}

// number is a page number or a page size, which have the same bounds.
func (q *request) number(name string) int {
	n, err := strconv.Atoi(q.text(name))
	if err != nil || n < 1 || n > maxNumber {
		q.fail(name)
		return 1
	}
	return n
}
