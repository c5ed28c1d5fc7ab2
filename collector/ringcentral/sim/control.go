package sim

import (
	"crypto/x509"
	"net/http"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// BaseURL is the server's address, for base_url.
func (s *Server) BaseURL() string { return s.listener.URL() }

// HostileURL is where hostile links lead to.
func (s *Server) HostileURL() string { return s.hostile.URL() }

// SetPublicURL changes what links begin with, for a proxy in front.
func (s *Server) SetPublicURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings.PublicURL = url
}

// ClientID is the app's.
func (s *Server) ClientID() string { return s.settings.ClientID }

// ClientSecret is the secret that works.
func (s *Server) ClientSecret() string { return s.registered().secret }

// JWT is the one that works. It is a secret.
func (s *Server) JWT() string { return s.registered().jwt }

// CA is the certificate of the server's authority, in PEM.
func (s *Server) CA() []byte { return s.authority.PEM() }

// WriteCA writes CA to a file, for tls_config.ca_file.
func (s *Server) WriteCA(path string) error { return s.authority.WriteFile(path) }

// Pool holds CA, for clients in process.
func (s *Server) Pool() *x509.CertPool { return s.authority.Pool() }

// Now is the provider's time.
func (s *Server) Now() time.Time { return s.timeline.Now() }

// Visible is the instant up to which rows are published.
func (s *Server) Visible() time.Time { return s.timeline.Visible() }

// Advance moves the provider's time.
func (s *Server) Advance(d time.Duration) { s.timeline.Advance(d) }

// Pause publishes nothing more until Resume, and returns the instant of which the
// totals now are. Active calls stand still too.
func (s *Server) Pause() time.Time { return s.timeline.Pause() }

// Resume publishes what Pause held back.
func (s *Server) Resume() { s.timeline.Resume() }

// FailCarrier makes most calls fail that start from now on, for a while.
func (s *Server) FailCarrier(d time.Duration) {
	now := s.timeline.Now()
	for _, sc := range []*scope{&s.account, &s.extension} {
		if sc.world != nil {
			sc.world.FailTrunk("", now, now.Add(d))
		}
	}
}

// Active is cdr_active_calls of the company, as one knows it who asks at an instant;
// ActiveOfExtension that of the extension.
func (s *Server) Active(at time.Time) map[cdr.Direction]int { return s.account.active(s, at) }

// ActiveOfExtension is Active of the user who made the JWT.
func (s *Server) ActiveOfExtension(at time.Time) map[cdr.Direction]int {
	return s.extension.active(s, at)
}

// Delete erases the rows that start in [from, to) from all lists, as a user may do.
func (s *Server) Delete(from, to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleted = append(s.deleted, span{from, to})
}

// Requests is what was asked, and how it was answered.
func (s *Server) Requests() *simulator.Recorder { return s.recorder }

// Throttled is how many requests a group's limit refused; faults aren't among them.
func (s *Server) Throttled(group string) int { return s.limits[group].count() }

// Strays are the query parameters that nobody documents for what was asked, as
// endpoint and name.
func (s *Server) Strays() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.strays)
}

// Caught is a request that followed a hostile link.
type Caught struct {
	URI string
	// WithToken says that it brought an Authorization header.
	WithToken bool
}

// Caught are the requests that followed hostile links.
func (s *Server) Caught() []Caught {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.caught)
}

// catch answers whoever follows a hostile link.
func (s *Server) catch(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.caught = append(s.caught, Caught{URI: r.RequestURI, WithToken: r.Header.Get("Authorization") != ""})
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	// An empty last page: whoever comes here notices nothing.
	_, _ = w.Write([]byte(`{"records":[],"paging":{"perPage":100},"navigation":{}}`))
}
