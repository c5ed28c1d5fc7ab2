package sim

import (
	"cmp"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Server is Wavix's API. It is safe for concurrent use.
type Server struct {
	*simulator.Host
	Settings
	worlds  [sides]*simulator.World
	limiter simulator.Limiter
	present atomic.Uint32 // the generation

	mu sync.Mutex
	// days are the rows of spans of days, by first and last millisecond, kept because the pages of
	// a list are requested one after the other. Guarded by mu.
	days map[[2]int64]*[sides][]place
}

// Start makes an authority and listens. After an error nothing stays open.
func Start(settings Settings) (*Server, error) {
	settings.setDefaults()
	s := &Server{
		Settings: settings, worlds: [sides]*simulator.World{settings.Placed, settings.Received},
		days:    map[[2]int64]*[sides][]place{},
		limiter: simulator.Limiter{Limit: settings.RequestsPerMinute, Window: time.Minute},
	}
	s.Upgrade(settings.Generation)
	var err error
	if s.Host, err = simulator.NewHost(settings.At, settings.Faults, http.HandlerFunc(s.serve)); err != nil {
		return nil, err
	}
	return s, nil
}

// Upgrade switches the API to a generation, starting with the next request.
func (s *Server) Upgrade(g Generation) { s.present.Store(uint32(g)) }

// DayTotals is the list's total at an instant for a day of the account's time zone, by type. Only
// the date of day matters.
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

// endpoint is the target of a path in a generation.
func (s *Server) endpoint(g Generation, r *http.Request) string {
	for _, route := range routes {
		kept := s.KeepOldPaths && route.endpoint != EndpointCalls
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

// appID is the parameter with the key for older clients.
const appID = "appid"

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	e := exchange{Server: s, options: r.URL.Query(), generation: Generation(s.present.Load())}
	e.endpoint = s.endpoint(e.generation, r)
	s.Answer(w, r, e.endpoint, func() simulator.Reply {
		if !e.admits(r) {
			return refuse(http.StatusUnauthorized, "Unauthorized")
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
		return e.records()
	})
}

// admits checks the key, which must be where the generation expects it and nowhere else.
func (e *exchange) admits(r *http.Request) bool {
	header, old := r.Header.Get("Authorization"), e.options.Has(appID)
	inHeader := e.generation != GenerationA && header == "Bearer "+e.APIKey && !old
	inQuery := (e.generation == GenerationA || e.AcceptAppID) && e.options.Get(appID) == e.APIKey && header == ""
	return inHeader || inQuery
}

// failureOf is the body of Wavix's errors; only 401 has a member `error`.
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

// reply is a JSON answer, with the fault that fits any request.
func reply(body []byte) simulator.Reply {
	return simulator.Reply{
		Status: http.StatusOK, Body: body, Error: func(status int) []byte { return failureOf(status, "") },
		Own: map[simulator.Fault]simulator.Reply{Forbidden: refuse(http.StatusForbidden, "Forbidden")},
	}
}
