package sim

import (
	"crypto/x509"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// BaseURL is the API's address, for base_url.
func (s *Server) BaseURL() string { return s.listener.URL() }

// APIKey is the key that works.
func (s *Server) APIKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

// SetAPIKey replaces the key.
func (s *Server) SetAPIKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// CA is the certificate of the server's authority, in PEM.
func (s *Server) CA() []byte { return s.authority.PEM() }

// WriteCA writes CA to a file, for tls_config.ca_file.
func (s *Server) WriteCA(path string) error { return s.authority.WriteFile(path) }

// Pool holds CA, for clients in process.
func (s *Server) Pool() *x509.CertPool { return s.authority.Pool() }

// Account is whose calls are listed.
func (s *Server) Account() *Account { return s.account }

// Now is the provider's time.
func (s *Server) Now() time.Time { return s.timeline.Now() }

// Visible is the instant up to which rows are published, and of which the calls in
// progress are.
func (s *Server) Visible() time.Time { return s.timeline.Visible() }

// Advance moves the provider's time.
func (s *Server) Advance(d time.Duration) { s.timeline.Advance(d) }

// Pause publishes nothing more until Resume, and returns the instant of which the
// totals now are.
func (s *Server) Pause() time.Time { return s.timeline.Pause() }

// Resume publishes what Pause held back.
func (s *Server) Resume() { s.timeline.Resume() }

// FailCarrier makes most calls of both types fail from now on for a while.
func (s *Server) FailCarrier(d time.Duration) {
	now := s.timeline.Now()
	s.account.failCarrier(now, now.Add(d))
}

// Generation is the present state of the API.
func (s *Server) Generation() Generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation
}

// Upgrade makes the API that of a generation, from the next request on.
func (s *Server) Upgrade(g Generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation = g
}

// Timezone is that of the days which requests name.
func (s *Server) Timezone() *time.Location {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.zone
}

// SetTimezone changes the account's time zone.
func (s *Server) SetTimezone(zone *time.Location) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone = zone
}

// Refuse refuses the requests to an endpoint whose key is right; empty: those to all
// that aren't told otherwise.
func (s *Server) Refuse(endpoint string, refusal Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals[endpoint] = refusal
}

// Requests is how often what was asked, and how it was answered.
func (s *Server) Requests() *simulator.Recorder { return s.recorder }

// Asked are the parameters of the requests that came last, oldest first: at least
// 10,000 of them are kept.
func (s *Server) Asked() []Asked { return s.log.all() }

// DayTotals is the total that the list gives at an instant for a day of the account's
// time zone, by type and with disposition=all. Of the time, the date counts.
func (s *Server) DayTotals(date time.Time, callType string, at time.Time) int {
	of, ok := sideOf(callType)
	if !ok {
		return 0
	}
	first := midnight(date, 0, s.Timezone())
	return s.account.listing(first, first, of, all, s.terms(at)).total()
}

// Active is how many calls are in progress at an instant, by direction.
func (s *Server) Active(at time.Time) map[cdr.Direction]int { return s.account.Active(at) }

func (s *Server) terms(at time.Time) terms {
	return terms{zone: s.Timezone(), order: s.settings.Order, copiesCount: s.settings.CopiesInTotal, at: at}
}
