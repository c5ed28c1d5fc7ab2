package sim

import (
	"net/http"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Server is the identity platform and Graph, both at BaseURL. It is safe for concurrent use.
type Server struct {
	*simulator.Host
	*notifier
	Settings

	mu          sync.Mutex // guards what follows
	application Application
	tokens      map[string][]string             // access tokens that work, and their roles
	limits      map[limitKey]*simulator.Limiter // of requests for one call record
	// links are the next links that were issued, by path and query, and what they lead to. One that wasn't issued isn't followed: a client
	// that builds links is noticed.
	links       map[string]target
	linksIssued int
}

// Start makes an authority and listens. An error leaves nothing open.
func Start(settings Settings) (*Server, error) {
	settings.setDefaults()
	s := &Server{
		Settings: settings, application: Application{Secret: settings.ClientSecret, Roles: []string{Role}}, tokens: map[string][]string{}, limits: map[limitKey]*simulator.Limiter{},
		links: map[string]target{},
	}
	var err error
	if s.Host, err = simulator.NewHost(settings.At, settings.Faults, s.routes(), `{"@odata.count":0,"value":[]}`); err != nil {
		return nil, err
	}
	s.notifier = newNotifier(s)
	return s, nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", s.serveToken)
	mux.HandleFunc(subscriptionsPath, s.serveSubscriptions)
	mux.HandleFunc(subscriptionsPath+"/{id}", s.serveSubscriptions)
	mux.HandleFunc("/", s.serveCallRecords) // which refuses all other paths
	return mux
}

// Close stops sending notifications and listening. It may be called twice.
func (s *Server) Close() {
	s.close()
	s.Host.Close()
}
