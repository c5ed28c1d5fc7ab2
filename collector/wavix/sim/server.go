package sim

import (
	"cmp"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Server is Wavix's API. It is safe for concurrent use.
type Server struct {
	*simulator.Host
	*Account
	settings Settings
	days     days
	limiter  simulator.Limiter

	mu         sync.Mutex // guards what follows
	generation Generation
	refusals   map[string]string // by endpoint
}

// Start makes an authority and listens. An error leaves nothing open.
func Start(settings Settings) (*Server, error) {
	settings.setDefaults()
	s := &Server{
		settings: settings, Account: &Account{[sides]*simulator.World{settings.Placed, settings.Received}}, generation: settings.Generation,
		refusals: map[string]string{}, limiter: simulator.Limiter{Limit: settings.RequestsPerMinute, Window: time.Minute},
	}
	var err error
	if s.Host, err = simulator.NewHost(settings.At, settings.Faults, http.HandlerFunc(s.serve), ""); err != nil {
		return nil, err
	}
	return s, nil
}

// APIKey is the key that works.
func (s *Server) APIKey() string { return s.settings.APIKey }

// Upgrade makes the API that of a generation, from the next request on.
func (s *Server) Upgrade(g Generation) { s.change(func() { s.generation = g }) }

func (s *Server) change(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
}

// The texts of a 403 to a key that is valid.
const (
	FeatureDisabled = "Request failed. The feature is disabled for your account."
	// MissingScope is for a key without calls:read. Wavix documents the scopes, but not this text.
	MissingScope = "Forbidden"
)

// Refuse refuses the requests to an endpoint with a text; empty: no more.
func (s *Server) Refuse(endpoint, text string) {
	s.change(func() { s.refusals[endpoint] = text })
}

// DayTotals is the total that the list gives at an instant for a day of the account's time zone, by type. Only the date of the time counts.
func (s *Server) DayTotals(date time.Time, callType string, at time.Time) int {
	of, _ := sideOf(callType)
	return len(s.rows(date, date, of, at))
}

// routes are the paths of the generations.
var routes = []struct {
	path, endpoint string
	first, last    Generation
}{
	{"/v1/cdr", EndpointList, GenerationA, GenerationB},
	{"/v1/cdr/all", EndpointExport, GenerationA, GenerationB},
	{"/v1/cdr.csv", EndpointCSV, GenerationA, GenerationB},
	{"/v1/cdrs", EndpointList, GenerationC, GenerationD},
	{"/v1/cdrs/all", EndpointExport, GenerationC, GenerationD},
	{"/v1/call", EndpointCalls, GenerationA, GenerationA},
	{"/v1/calls", EndpointCalls, GenerationB, GenerationD},
}

// endpoint is what a path leads to in a generation.
func (s *Server) endpoint(g Generation, r *http.Request) string {
	for _, route := range routes {
		kept := s.settings.KeepOldPaths && route.endpoint != EndpointCalls
		if r.URL.Path == route.path && g >= route.first && (g <= route.last || kept) {
			return route.endpoint
		}
	}
	return EndpointOther
}

// exchange is a request and what is known about it.
type exchange struct {
	*Server
	generation Generation
	endpoint   string
	options    url.Values
	// The query's days, type and page.
	from, to      time.Time
	side          side
	page, perPage int
}

// appID is the parameter that older clients give the key in.
const appID = "appid"

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	e := exchange{Server: s, options: r.URL.Query()}
	s.change(func() { e.generation = s.generation })
	e.endpoint = s.endpoint(e.generation, r)
	s.Answer(w, r, e.endpoint, func() simulator.Reply {
		if status, message := e.admit(r); status != 0 {
			return refuse(status, message)
		}
		if s.limiter.Limit > 0 {
			if _, wait := s.limiter.Take(s.Now()); wait > 0 {
				w.Header().Set("Retry-After", simulator.WholeSeconds(wait))
				return refuse(http.StatusTooManyRequests, "")
			}
		}
		switch {
		case e.endpoint == EndpointOther || r.Method != http.MethodGet:
			return refuse(http.StatusNotFound, "")
		case e.endpoint == EndpointCalls:
			return e.calls()
		}
		if invalid := e.parse(); invalid != "" {
			return refuse(http.StatusBadRequest, "Missing or invalid parameter "+invalid)
		}
		a := e.records()
		a.From, a.To, a.Continued = e.from, e.to.AddDate(0, 0, 1), e.page > 1
		return a
	})
}

// admit checks the key, which must be where the generation takes it and nowhere else; status 0 is good.
func (e *exchange) admit(r *http.Request) (status int, message string) {
	header, old := r.Header.Get("Authorization"), e.options.Has(appID)
	inHeader := e.generation != GenerationA && header == "Bearer "+e.settings.APIKey && !old
	inQuery := (e.generation == GenerationA || e.settings.AcceptAppID) && e.options.Get(appID) == e.settings.APIKey && header == ""
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case !inHeader && !inQuery:
		return http.StatusUnauthorized, "Unauthorized"
	case e.refusals[e.endpoint] != "":
		return http.StatusForbidden, e.refusals[e.endpoint]
	}
	return 0, ""
}

// failureOf is the body of Wavix's errors; 401 alone has a member `error`.
func failureOf(status int, message string) []byte {
	if status == http.StatusServiceUnavailable {
		message = "Service temporary unavailable"
	}
	o := simulator.NewObject("success", false)
	if status == http.StatusUnauthorized {
		o.Set("error", true)
	}
	o.Set("message", cmp.Or(message, http.StatusText(status)))
	return simulator.JSON(o)
}

func refuse(status int, message string) simulator.Reply {
	return simulator.Reply{Status: status, Refused: true, Body: failureOf(status, message)}
}

// reply is a reply of JSON; the faults that fit any request can happen to it.
func reply(body []byte) simulator.Reply {
	failed := func(body []byte) func(*simulator.Reply) {
		return simulator.Instead(simulator.Reply{Status: http.StatusOK, Body: body})
	}
	return simulator.Reply{
		Status: http.StatusOK, Body: body, Error: func(status int) []byte { return failureOf(status, "") },
		Own: map[simulator.Fault]func(*simulator.Reply){
			SuccessFalse: failed(failureOf(http.StatusServiceUnavailable, "")),
			ErrorTrue:    failed([]byte(`{"error":true,"message":"Internal error"}`)),
		},
	}
}
