package sim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// scope is what is seen of the company, or of one extension.
type scope struct {
	world *simulator.World
	// uri is where its resources are.
	uri string
	ids ids
	*rows
}

func newScope(w *simulator.World, uri string, numbers ids) scope {
	s := scope{world: w, uri: uri, ids: numbers}
	if w != nil {
		s.rows = newRows(w.Mix(), uri, numbers)
	}
	return s
}

// request is what is asked of the API.
type request struct {
	*http.Request
	endpoint string
	*scope
	company bool
	// id is that of a single resource.
	id    string
	query url.Values
	// header is what every answer has.
	header http.Header
}

// route finds what a request is for.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/restapi/oauth/token":
		s.oauth(w, r, EndpointToken, s.token)
	case "/restapi/oauth/revoke":
		s.oauth(w, r, EndpointRevoke, s.revoke)
	default:
		s.api(w, r)
	}
}

// target finds the resource; the refusal says that there is none.
func (s *Server) target(r *http.Request) (*request, *refusal) {
	q := &request{Request: r, endpoint: EndpointOther, header: http.Header{}}
	rest, ok := strings.CutPrefix(r.URL.Path, "/restapi/v1.0/account/")
	if !ok {
		return q, refuse(http.StatusNotFound, "CMN-120", "Invalid URI")
	}
	parts := strings.Split(rest, "/")
	account := parts[0]
	parts = parts[1:]
	q.scope, q.company = &s.account, true
	extension := "~"
	if len(parts) > 2 && parts[0] == "extension" {
		extension, parts = parts[1], parts[2:]
		q.scope, q.company = &s.extension, false
	}
	if !q.resource(parts) {
		return q, refuse(http.StatusNotFound, "CMN-120", "Invalid URI")
	}
	switch {
	case account != "~" && account != s.settings.AccountID:
		return q, notFound("accountId")
	case extension != "~" && extension != userID:
		return q, notFound("extensionId")
	case r.Method != http.MethodGet:
		return q, refuse(http.StatusMethodNotAllowed, "CMN-202", "Operation is not supported")
	}
	return q, nil
}

// resource sets the endpoint by what follows account and extension.
func (q *request) resource(parts []string) bool {
	if len(parts) == 2 && parts[1] != "" {
		q.id = parts[1]
		switch {
		case parts[0] == "call-log":
			q.endpoint = EndpointRecord
		case parts[0] == "recording" && q.company:
			q.endpoint = EndpointRecording
		}
		return q.endpoint != EndpointOther
	}
	if len(parts) != 1 {
		return false
	}
	switch {
	case parts[0] == "call-log":
		q.endpoint = EndpointCallLog
	case parts[0] == "active-calls":
		q.endpoint = EndpointActiveCalls
	case parts[0] == "call-log-extract-sync" && q.company:
		q.endpoint = EndpointSync
	}
	return q.endpoint != EndpointOther
}

// authorise checks the token, the limit and the permissions, in this order.
func (s *Server) authorise(q *request) *refusal {
	method, token, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	if !strings.EqualFold(method, "Bearer") || token == "" {
		return refuse(http.StatusUnauthorized, "OAU-151", "Authorization method not supported")
	}
	open, found := s.find(token)
	switch {
	case !found && !strings.HasPrefix(token, "U0pD"):
		return named(http.StatusUnauthorized, "TokenInvalid", "OAU-149", "Unparsable access token")
	case !found:
		return lostToken()
	case open.expired:
		return expiredToken()
	case !s.within(GroupHeavy, q.header):
		return refuse(http.StatusTooManyRequests, "CMN-301", "Request rate exceeded")
	}
	return s.permit(q)
}

func lostToken() *refusal {
	return named(http.StatusUnauthorized, "TokenInvalid", "OAU-213", "Token not found")
}

func expiredToken() *refusal {
	return named(http.StatusUnauthorized, "TokenExpired", "OAU-128", "Access token expired.")
}

// permit checks the app's scopes and the user's permissions.
func (s *Server) permit(q *request) *refusal {
	known := s.registered()
	scope, permission := ReadCallLog, ReadCallLog
	switch {
	case q.endpoint == EndpointRecording:
		scope, permission = ReadCallRecording, ReadCallRecording
	case q.company:
		permission = FullCompanyCallLog
	}
	// Recordings include the log; CallLog is the scope's older name.
	if !slices.Contains(known.scopes, scope) &&
		(scope != ReadCallLog || !slices.Contains(known.scopes, ReadCallRecording) && !slices.Contains(known.scopes, "CallLog")) {
		return lacking("CMN-401", scope)
	}
	if !slices.Contains(known.permissions, permission) {
		if s.settings.OldNames && permission == FullCompanyCallLog {
			permission = "ReadCompanyCallLog"
		}
		return lacking("CMN-408", permission)
	}
	return nil
}
