package sim

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// keptAsked is how many requests are remembered.
const keptAsked = 20_000

// Asked is what a request asked for. It never holds the key.
type Asked struct {
	// Endpoint is one of this package's, Path as it came.
	Endpoint, Path string
	// From, To, Type, Disposition, Page and PerPage are the parameters as they came;
	// empty if they didn't.
	From, To, Type, Disposition, Page, PerPage string
	// Filters are the names of further documented parameters, which are ignored.
	Filters []string
	// Strays are the names of parameters that the generation doesn't document.
	Strays []string
	// InHeader and InQuery say where the key came.
	InHeader, InQuery bool
	// Status is what was answered.
	Status int
}

// askedLog keeps the latest requests.
type askedLog struct {
	mu   sync.Mutex
	list []Asked
}

func (l *askedLog) add(a Asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == keptAsked {
		l.list = slices.Delete(l.list, 0, keptAsked/2)
	}
	l.list = append(l.list, a)
}

func (l *askedLog) all() []Asked {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// appID is the parameter that older clients give the key in.
const appID = "appid"

// asked is what is kept of a request.
func (s *Server) asked(r *http.Request, endpoint string, options url.Values) Asked {
	a := Asked{
		Endpoint: endpoint, Path: r.URL.Path, InHeader: r.Header.Get("Authorization") != "", InQuery: options.Has(appID),
	}
	records := endpoint == EndpointList || endpoint == EndpointExport || endpoint == EndpointCSV
	fields := map[string]*string{
		"from": &a.From, "to": &a.To, "type": &a.Type, "disposition": &a.Disposition, "page": &a.Page, "per_page": &a.PerPage,
	}
	for name, values := range options {
		field := fields[name]
		switch {
		case name == appID && s.takesAppID():
		case records && field != nil && len(values) == 1:
			*field = values[0]
		case records && slices.Contains([]string{"from_search", "to_search", "sip_trunk", "uuid"}, name):
			a.Filters = append(a.Filters, name)
		default:
			a.Strays = append(a.Strays, name)
		}
	}
	slices.Sort(a.Filters)
	slices.Sort(a.Strays)
	return a
}
