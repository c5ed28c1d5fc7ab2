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
	Settings

	mu sync.Mutex
	// days are the rows of spans of days, by first and last millisecond, kept because the pages of
	// a list are requested one after the other. Guarded by mu.
	days map[[2]int64]*[sides][]place
}

// Start makes an authority and listens. After an error nothing stays open.
func Start(settings Settings) (*Server, error) {
	settings.setDefaults()
	s := &Server{Settings: settings, days: map[[2]int64]*[sides][]place{}}
	var err error
	if s.Host, err = simulator.NewHost(time.Time{}, settings.Faults, http.HandlerFunc(s.serve)); err != nil {
		return nil, err
	}
	return s, nil
}

// exchange is a request and what is known about it.
type exchange struct {
	*Server
	endpoint string
	options  url.Values
	// The query's days, type and page.
	from, to      time.Time
	side          side
	page, perPage int
}

// endpoints are the targets of paths.
var endpoints = map[string]string{
	"/v1/cdrs": EndpointList, "/v1/cdrs/all": EndpointExport, "/v1/calls": EndpointCalls,
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	e := exchange{Server: s, options: r.URL.Query()}
	e.endpoint = cmp.Or(endpoints[r.URL.Path], EndpointOther)
	s.Answer(w, r, e.endpoint, func() simulator.Reply {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+e.APIKey && e.options.Get("appid") != e.APIKey:
			return refuse(http.StatusUnauthorized, "Unauthorized")
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

// failureOf is the body of Wavix's errors; only 401 has a member `error`.
func failureOf(status int, message string) []byte {
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

// calls answers with the calls in progress.
func (e *exchange) calls() simulator.Reply {
	list, at := []any{}, e.Visible()
	e.eachActive(at, func(r *row) {
		from, to := r.parties(true)
		begin, answered, _ := r.life()
		o := simulator.NewObject("uuid", r.ID.String(), "id", r.ID.String(), "direction", r.side.direction().String(),
			"from", from, "to", to, "call_started", timeText(begin),
			"call_completed", nil, "event_payload", nil, "machine_detected", false, "tag", "example-campaign")
		if answered.IsZero() || answered.After(at) {
			o.Set("event_type", "ringing", "event_time", timeText(begin), "call_answered", nil)
		} else {
			o.Set("event_type", "answered", "event_time", timeText(answered), "call_answered", timeText(answered))
		}
		list = append(list, o)
	})
	return reply(simulator.JSON(simulator.NewObject("success", true, "calls", list)))
}
