package sim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// parameters are the query parameters of each endpoint that the simulator knows.
var parameters = map[string][]string{
	EndpointCallLog:     {"dateFrom", "dateTo", "direction", "type", "view", "perPage", "page"},
	EndpointSync:        {"syncType", "syncToken", "dateFrom", "recordCount", "view"},
	EndpointActiveCalls: {"direction", "type", "view", "page", "perPage"},
}

// request is a request to the API that was authorised. The first parameter that is wrong is kept in wrong.
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
		q := &request{Request: r, scope: &s.account, server: s}
		if !company {
			q.scope = &s.extension
		}
		s.Answer(w, r, endpoint, func() simulator.Reply {
			refused := s.authenticate(r.Header.Get("Authorization"))
			if refused == nil {
				refused = s.limit(GroupHeavy, w.Header())
			}
			if refused == nil {
				refused = s.permit(endpoint, company)
			}
			if refused == nil {
				refused = q.read(endpoint)
			}
			if refused != nil {
				return *refused
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
	// ReadCallRecording includes the log.
	scopes, permission := []string{ReadCallLog, ReadCallRecording}, ReadCallLog
	switch {
	case endpoint == EndpointRecording:
		scopes, permission = []string{ReadCallRecording}, ReadCallRecording
	case company:
		permission = FullCompanyCallLog
	}
	if !slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(s.scopes, scope) }) {
		return missingPermission("CMN-401", scopes[0])
	}
	if slices.Contains(s.permissions, permission) {
		return nil
	}
	return missingPermission("CMN-408", permission)
}

// read checks the path and parses the query. RingCentral ignores parameters that it doesn't know; here they are noticed.
func (q *request) read(endpoint string) *simulator.Reply {
	if account := q.PathValue("account"); account != "" && account != "~" && account != accountID {
		return notFound("accountId")
	}
	if extension := q.PathValue("extension"); extension != "" && extension != "~" && extension != userID {
		return notFound("extensionId")
	}
	var err error
	if q.query, err = url.ParseQuery(q.URL.RawQuery); err != nil {
		return apiError(http.StatusBadRequest, "", "CMN-104", "Cannot parse request")
	}
	for name := range q.query {
		if !slices.Contains(parameters[endpoint], name) {
			return badParameter(name)
		}
	}
	return nil
}

// reply is a reply of JSON; the faults that fit any request can happen to it.
func (q *request) reply(body []byte) simulator.Reply {
	a := reply(body)
	a.Gzip = q.server.settings.Gzip
	a.Own = map[simulator.Fault]func(*simulator.Reply){
		LostToken: simulator.Instead(*lostToken()), ExpiredToken: simulator.Instead(*expiredToken()),
		Forbidden: simulator.Instead(*missingPermission("CMN-408", FullCompanyCallLog)),
		KilledSession: func(r *simulator.Reply) {
			_, token, _ := strings.Cut(q.Header.Get("Authorization"), " ")
			q.server.closeSession(token)
			*r = *lostToken()
		},
	}
	return a
}

// one is a parameter that may be given once.
func (q *request) one(name, otherwise string) string {
	values := q.query[name]
	if len(values) > 1 {
		q.fail(name)
	}
	if len(values) == 0 {
		return otherwise
	}
	return values[0]
}

func (q *request) fail(name string) {
	if q.wrong == nil {
		q.wrong = badParameter(name)
	}
}

// choices are the values of a parameter that may be repeated; none is all of them.
func (q *request) choices(name string, values ...string) []string {
	given := q.query[name]
	for _, text := range given {
		if !slices.Contains(values, text) {
			q.fail(name)
		}
	}
	if len(given) == 0 {
		return values
	}
	return given
}

func (q *request) isDetailed() bool {
	view := q.one("view", "Simple")
	if view != "Simple" && view != "Detailed" {
		q.fail("view")
	}
	return view == "Detailed"
}

// instant is a parameter with a time. A date alone, or a time without an offset, isn't valid.
func (q *request) instant(name string, otherwise time.Time) time.Time {
	text := q.one(name, "")
	if text == "" {
		return otherwise
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		q.fail(name)
	}
	return t.UTC().Truncate(time.Millisecond)
}

// number is a parameter with a number of at least 1.
func (q *request) number(name string, otherwise int) int {
	text := q.one(name, strconv.Itoa(otherwise))
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1_000_000 {
		q.fail(name)
		return 1
	}
	return n
}

// The lists of the worlds: by type, then by direction.
const (
	voiceIn = iota
	voiceOut
	otherIn
	otherOut
)

// lists is the set of lists that type and direction choose.
func (q *request) lists() (mask uint8) {
	types, directions := q.choices("type", "Voice", "Fax"), q.choices("direction", "Inbound", "Outbound")
	for list, is := range [...][2]string{
		voiceIn: {"Voice", "Inbound"}, voiceOut: {"Voice", "Outbound"}, otherIn: {"Fax", "Inbound"}, otherOut: {"Fax", "Outbound"},
	} {
		if slices.Contains(types, is[0]) && slices.Contains(directions, is[1]) {
			mask |= 1 << list
		}
	}
	return mask
}
