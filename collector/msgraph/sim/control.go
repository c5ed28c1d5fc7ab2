package sim

import (
	"crypto/x509"
	"net/http"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// LoginURL is the identity platform's address, for login_url.
func (s *Server) LoginURL() string { return s.listener.URL() }

// GraphURL is Graph's address, for graph_url.
func (s *Server) GraphURL() string { return s.listener.URL() }

// HostileURL is where hostile links lead to.
func (s *Server) HostileURL() string { return s.hostile.URL() }

// ManagedIdentityEnvironment is what makes a process use the endpoint for managed
// identities.
func (s *Server) ManagedIdentityEnvironment() map[string]string {
	return map[string]string{"IDENTITY_ENDPOINT": s.managed.URL() + "/msi/token", "IDENTITY_HEADER": managedHeader}
}

// TenantID is the one tenant's.
func (s *Server) TenantID() string { return s.settings.TenantID }

// ClientID is the application's.
func (s *Server) ClientID() string { return s.settings.ClientID }

// ClientSecret is the secret that works.
func (s *Server) ClientSecret() string { return s.registered().secret }

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
func (s *Server) Advance(d time.Duration) {
	s.timeline.Advance(d)
	s.teller.wake()
}

// Pause publishes nothing more until Resume, and returns the instant of which the
// totals now are.
func (s *Server) Pause() time.Time { return s.timeline.Pause() }

// Resume publishes what Pause held back.
func (s *Server) Resume() {
	s.timeline.Resume()
	s.teller.wake()
}

// RecordsRefused is how many requests were over the limits of one call record.
func (s *Server) RecordsRefused() int { return s.limits.count() }

// FailTrunk makes a trunk fail from now on for a while, in both feeds: an SBC by its
// FQDN in lower case, an operator by its name.
func (s *Server) FailTrunk(trunk string, d time.Duration) {
	now := s.timeline.Now()
	for _, f := range s.feeds {
		if f.world != nil {
			f.world.FailTrunk(trunk, now, now.Add(d))
		}
	}
}

// BreakTrunk makes a trunk lose all calls from now on, until MendTrunk.
func (s *Server) BreakTrunk(trunk string) {
	now := s.timeline.Now()
	for _, f := range s.feeds {
		if f.world != nil {
			f.world.BreakTrunk(trunk, now, now.AddDate(1, 0, 0))
		}
	}
}

// MendTrunk ends what FailTrunk and BreakTrunk began.
func (s *Server) MendTrunk(trunk string) {
	now := s.timeline.Now()
	for _, f := range s.feeds {
		if f.world != nil {
			f.world.MendTrunk(trunk, now)
		}
	}
}

// ExpireTokens makes all tokens that were issued so far stop working.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients.generation++
}

// SetRoles grants these roles, and no others, to tokens issued from now on.
func (s *Server) SetRoles(roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients.roles = slices.Clone(roles)
}

// SetSecret replaces the client secret.
func (s *Server) SetSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients.secret, s.clients.secretExpired = secret, false
}

// ExpireSecret makes the client secret expire.
func (s *Server) ExpireSecret() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients.secretExpired = true
}

// AddCertificate lets a certificate sign assertions.
func (s *Server) AddCertificate(c *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients.certificates = append(s.clients.certificates, c)
}

// AddFederatedToken registers a workload identity's subject token.
func (s *Server) AddFederatedToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients.federated = append(s.clients.federated, token)
}

// Requests is what was asked, and how it was answered.
func (s *Server) Requests() *simulator.Recorder { return s.recorder }

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
	_, _ = w.Write([]byte(`{"@odata.count":0,"value":[]}`))
}
