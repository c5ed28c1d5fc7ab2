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

	mu          sync.Mutex // guards the fields below
	application Application
	tokens      map[string][]string // valid access tokens, and their roles
	// links are the next links that were issued, by path and query, and their targets. The server
	// refuses other links, to detect a client that builds links.
	links       map[string]target
	linksIssued int
}

// Start makes an authority and listens. After an error nothing stays open.
func Start(settings Settings) (*Server, error) {
	settings.setDefaults()
	s := &Server{
		Settings: settings, application: Application{Secret: settings.ClientSecret, Roles: []string{Role}},
		tokens: map[string][]string{},
		links:  map[string]target{},
	}
	var err error
	if s.Host, err = simulator.NewHost(settings.At, settings.Faults, s.routes()); err != nil {
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
	mux.HandleFunc("/", s.serveCallRecords) // it refuses all other paths
	return mux
}

// Close stops the server and the notifications. It may be called twice.
func (s *Server) Close() {
	s.close()
	s.Host.Close()
}
