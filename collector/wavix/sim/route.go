package sim

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// endpoint is what a path leads to in a generation.
func (s *Server) endpoint(g Generation, r *http.Request) string {
	path := r.URL.Path
	old := g < GenerationC || s.settings.KeepOldPaths
	switch path {
	case "/v1/cdr":
		if old && strings.Contains(r.Header.Get("Accept"), "text/csv") {
			return EndpointCSV
		}
		return when(old, EndpointList)
	case "/v1/cdr/all":
		return when(old, EndpointExport)
	case "/v1/cdr.csv":
		return when(old, EndpointCSV)
	case "/v1/cdrs":
		return when(g >= GenerationC, EndpointList)
	case "/v1/cdrs/all":
		return when(g >= GenerationC, EndpointExport)
	case "/v1/calls":
		return when(g >= GenerationB, EndpointCalls)
	case "/v1/call":
		return when(g == GenerationA, EndpointCalls)
	}
	switch folder, id := pathParts(path); {
	case id == "":
		return EndpointOther
	case folder == "/v1/calls/":
		return when(g >= GenerationB, EndpointCall)
	case folder == "/v1/call/":
		return when(g == GenerationA, EndpointCall)
	}
	return EndpointOther
}

func when(yes bool, endpoint string) string {
	if yes {
		return endpoint
	}
	return EndpointOther
}

// pathParts cuts a path before its last part.
func pathParts(path string) (folder, last string) {
	i := strings.LastIndexByte(path, '/') + 1
	return path[:i], path[i:]
}

// serve answers a request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	g := s.Generation()
	endpoint := s.endpoint(g, r)
	options := r.URL.Query()
	number := s.recorder.Begin(endpoint)
	seen := simulator.Seen{Endpoint: endpoint, At: s.timeline.Now()}
	asked := s.asked(r, endpoint, options)
	defer func() {
		asked.Status = seen.Status
		s.log.add(asked)
		s.recorder.End(seen)
	}()
	q, refused := s.admit(r, endpoint, options)
	if refused != nil {
		seen.Status = refused.Status
		s.faults.Write(w, r, simulator.NoFault, *refused)
		return
	}
	if q != nil {
		seen.From, seen.To, seen.Skip = q.from, q.to.AddDate(0, 0, 1), q.skip()
	}
	e := exchange{Server: s, w: w, r: r, generation: g, query: q, seen: &seen}
	request := simulator.Request{Endpoint: endpoint, Number: number}
	switch endpoint {
	case EndpointList:
		e.list(request)
	case EndpointExport:
		e.export(request)
	case EndpointCSV:
		e.csv(request)
	default:
		e.calls(request)
	}
}

// admit checks a request before anything is looked up. The query is nil where there is
// none.
func (s *Server) admit(r *http.Request, endpoint string, options url.Values) (*query, *simulator.Answer) {
	if refused := s.authorise(r, endpoint, options); refused != nil {
		return nil, refused
	}
	if refused := s.throttle(); refused != nil {
		return nil, refused
	}
	switch {
	case endpoint == EndpointOther:
		return nil, s.refuse(http.StatusNotFound, "")
	case r.Method != http.MethodGet:
		return nil, s.refuse(http.StatusMethodNotAllowed, "")
	case endpoint == EndpointCalls || endpoint == EndpointCall:
		return nil, nil
	}
	q, invalid := s.parse(options)
	if invalid != "" {
		return nil, s.invalid(invalid)
	}
	return &q, nil
}
