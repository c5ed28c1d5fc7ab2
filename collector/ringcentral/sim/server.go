package sim

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Server is the account. It is safe for concurrent use.
type Server struct {
	*simulator.Host
	Settings
	account, extension scope
	limits             map[string]*simulator.Limiter // by group of endpoints
	jwt                string

	mu          sync.Mutex // guards the fields below
	permissions []string   // of the user who made the JWT
	sessions    []string   // valid access tokens, the oldest first
}

// Start makes an authority and listens. After an error nothing stays open.
func Start(settings Settings) (*Server, error) {
	settings.setDefaults()
	s := &Server{
		Settings: settings,
		limits: map[string]*simulator.Limiter{
			"auth":   {Limit: settings.Auth, Window: settings.Window},
			"medium": {Limit: 4 * settings.Heavy, Window: settings.Window},
			"heavy":  {Limit: settings.Heavy, Window: settings.Window},
		},
		permissions: []string{FullCompanyCallLog, ReadCallLog, ReadCallRecording},
	}
	var err error
	if s.Host, err = simulator.NewHost(settings.At, settings.Faults, s.routes()); err != nil {
		return nil, err
	}
	account := s.BaseURL() + "/restapi/v1.0/account/" + accountID
	s.account = scope{world: settings.Account, account: account, uri: account, number: 0}
	s.extension = scope{world: settings.Extension, account: account, uri: account + "/extension/" + userID, number: 1}
	s.jwt = s.mintJWT()
	return s, nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /restapi/oauth/token", s.oauth(EndpointToken, s.token))
	mux.HandleFunc("POST /restapi/oauth/revoke", s.oauth(EndpointRevoke, s.revoke))
	for _, route := range []struct {
		path, endpoint string
		company        bool
		serve          func(*request) simulator.Reply
	}{
		{"call-log", EndpointCallLog, true, s.callLog},
		{"active-calls", EndpointActiveCalls, true, s.activeCalls},
		{"extension", EndpointExtensions, true, s.extensions},
		{"recording/{id}", EndpointRecording, true, s.recording},
		{"extension/~/call-log", EndpointCallLog, false, s.callLog},
		{"extension/~/active-calls", EndpointActiveCalls, false, s.activeCalls},
	} {
		mux.HandleFunc("GET /restapi/v1.0/account/~/"+route.path, s.api(route.endpoint, route.company, route.serve))
	}
	mux.HandleFunc("/", s.api(EndpointOther, true, func(q *request) simulator.Reply {
		return *apiError(http.StatusNotFound, "", "CMN-120", "Invalid URI")
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("RCRequestId", "5a5a0000-0000-4000-8000-00000000e440")
		w.Header().Set("Cache-Control", "no-cache, no-store, max-age=0")
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) change(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
}

// limit counts a request to a group, sets the headers that every answer of the group has, and
// refuses a request over the limit.
func (s *Server) limit(group string, h http.Header) *simulator.Reply {
	l := s.limits[group]
	left, wait := l.Take(time.Now())
	h.Set("X-Rate-Limit-Group", group)
	h.Set("X-Rate-Limit-Window", simulator.WholeSeconds(l.Window))
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(l.Limit))
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(left))
	if wait == 0 {
		return nil
	}
	h.Set("Retry-After", simulator.WholeSeconds(wait))
	return rateExceeded()
}
