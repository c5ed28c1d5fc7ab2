package sim

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Server is the identity platform and Graph. It is safe for concurrent use.
type Server struct {
	settings  Settings
	timeline  *simulator.Timeline
	faults    *simulator.Faults
	recorder  *simulator.Recorder
	authority *simulator.Authority
	listener  *simulator.Listener
	hostile   *simulator.Listener
	managed   *simulator.Listener
	links     links
	limits    recordLimits
	notifier  *notifier

	mu     sync.Mutex
	client registration      // guarded by mu
	tokens map[string]access // access tokens that were issued; guarded by mu
	caught []Caught          // guarded by mu
}

// Start makes an authority and listens. An error leaves nothing open.
func Start(settings Settings) (*Server, error) {
	settings.setDefaults()
	s := &Server{
		settings: settings, timeline: simulator.NewTimeline(settings.Clock), faults: settings.Faults, recorder: simulator.NewRecorder(),
		client: registration{secret: settings.ClientSecret, roles: []string{Role}}, tokens: map[string]access{},
		links: links{known: map[string]link{}}, limits: recordLimits{first: settings.FirstPages, next: settings.NextPages},
	}
	s.notifier = newNotifier(s)
	if err := s.listen(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) listen() (err error) {
	if s.authority, err = simulator.NewAuthority(); err != nil {
		return err
	}
	certificate, err := s.authority.Leaf()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		listener    **simulator.Listener
		certificate *tls.Certificate
		handler     http.Handler
	}{
		{&s.listener, certificate, s.routes()},
		{&s.hostile, certificate, http.HandlerFunc(s.catch)},
		{&s.managed, nil, s.identity(EndpointManagedIdentity, s.managedToken)}, // plain HTTP on loopback, as in App Service
	} {
		if *l.listener, err = simulator.Serve("127.0.0.1:0", l.certificate, l.handler); err != nil {
			return fmt.Errorf("start simulated Graph: %w", err)
		}
	}
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{tenant}/v2.0/.well-known/openid-configuration", s.identity(EndpointOpenID, s.openID))
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", s.identity(EndpointToken, s.token))
	mux.HandleFunc(subscriptionsPath, s.serveSubscriptions)
	mux.HandleFunc(subscriptionsPath+"/{id}", s.serveSubscriptions)
	mux.HandleFunc("POST "+subscriptionsPath+"/{id}/reauthorize", s.serveSubscriptions)
	mux.HandleFunc("/", s.serveCallRecords) // which refuses all other paths
	return mux
}

// Close stops listening. It may be called twice.
func (s *Server) Close() {
	s.notifier.close()
	for _, l := range []*simulator.Listener{s.listener, s.hostile, s.managed} {
		if l != nil {
			l.Close()
		}
	}
}

// LoginURL is the identity platform's address, for login_url.
func (s *Server) LoginURL() string { return s.listener.URL() }

// GraphURL is Graph's address, for graph_url.
func (s *Server) GraphURL() string { return s.listener.URL() }

// ManagedIdentityEnvironment has the variables that make a process use the endpoint for managed identities.
func (s *Server) ManagedIdentityEnvironment() map[string]string {
	return map[string]string{"IDENTITY_ENDPOINT": s.managed.URL() + managedPath, "IDENTITY_HEADER": managedHeader}
}

// TenantID is the id of the only tenant.
func (s *Server) TenantID() string { return s.settings.TenantID }

// ClientID is the application's.
func (s *Server) ClientID() string { return s.settings.ClientID }

// WriteCA writes the certificate of the server's authority to a file, for tls_config.ca_file.
func (s *Server) WriteCA(path string) error { return s.authority.WriteFile(path) }

// CA is the certificate of the server's authority, in PEM.
func (s *Server) CA() []byte { return s.authority.PEM() }

// Pool holds the certificate of the server's authority, for clients in process.
func (s *Server) Pool() *x509.CertPool { return s.authority.Pool() }

// Now is the provider's time.
func (s *Server) Now() time.Time { return s.timeline.Now() }

// Visible is the instant up to which rows are published.
func (s *Server) Visible() time.Time { return s.timeline.Visible() }

// Advance moves the provider's time.
func (s *Server) Advance(d time.Duration) { s.timeline.Advance(d) }

// Pause publishes nothing more until Resume, and returns the instant for which totals are to be computed now.
func (s *Server) Pause() time.Time { return s.timeline.Pause() }

// Resume publishes what Pause held back.
func (s *Server) Resume() { s.timeline.Resume() }

// Requests has the requests and their answers.
func (s *Server) Requests() *simulator.Recorder { return s.recorder }

// RecordsRefused is how many requests exceeded the limits of one call record.
func (s *Server) RecordsRefused() int { return s.limits.refusals() }

// BreakTrunk makes a trunk lose all calls from now on, until MendTrunk: an SBC by its FQDN in lower case, an operator by its name.
func (s *Server) BreakTrunk(trunk string) {
	now := s.timeline.Now()
	s.eachWorld(func(w *simulator.World) { w.BreakTrunk(trunk, now, now.AddDate(1, 0, 0)) })
}

// MendTrunk ends BreakTrunk.
func (s *Server) MendTrunk(trunk string) {
	now := s.timeline.Now()
	s.eachWorld(func(w *simulator.World) { w.MendTrunk(trunk, now) })
}

func (s *Server) eachWorld(f func(*simulator.World)) {
	for _, w := range []*simulator.World{s.settings.PSTN, s.settings.DirectRouting} {
		if w != nil {
			f(w)
		}
	}
}

// Caught is a request that followed a hostile link.
type Caught struct {
	URI string
	// WithToken says that it had an Authorization header.
	WithToken bool
}

// Caught has the requests that followed hostile links.
func (s *Server) Caught() []Caught {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.caught)
}

// catch records a request that followed a hostile link, and answers with an empty last page: the client notices nothing.
func (s *Server) catch(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.caught = append(s.caught, Caught{URI: r.RequestURI, WithToken: r.Header.Get("Authorization") != ""})
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"@odata.count":0,"value":[]}`))
}
