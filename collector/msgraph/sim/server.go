package sim

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The defaults of who may come in.
const (
	defaultTenant = "11111111-2222-4333-8444-555555555555"
	defaultClient = "66666666-7777-4888-8999-aaaaaaaaaaaa"
	defaultSecret = "simulated-client-secret"
	// Role is the permission that the functions want.
	Role = "CallRecords.Read.All"
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
	feeds     map[string]feed
	links     links
	limits    recordLimits
	// subscribers are those who are told, by the teller.
	subscribers subscribers
	teller      *teller
	// distinct counts the links that need to differ from others.
	distinct atomic.Int64
	buffers  sync.Pool
	// key signs access tokens.
	key []byte

	mu      sync.Mutex
	clients registration
	caught  []Caught
}

// feed is what one function lists.
type feed struct {
	world *simulator.World
	rows  *rows
	// row is the name of the row's type.
	row string
}

// Start makes an authority and listens. An error leaves nothing open.
func Start(settings Settings) (*Server, error) {
	settings.defaults()
	s := &Server{
		settings: settings, timeline: simulator.NewTimeline(settings.Clock), faults: settings.Faults,
		recorder: simulator.NewRecorder(), key: make([]byte, 32), clients: newRegistration(&settings),
		feeds: map[string]feed{
			EndpointPSTN:          {world: settings.PSTN, row: "pstnCallLogRow"},
			EndpointDirectRouting: {world: settings.DirectRouting, row: "directRoutingLogRow"},
		},
	}
	s.teller = newTeller(s)
	s.limits.first, s.limits.next = settings.FirstPages, settings.NextPages
	// Read never fails.
	_, _ = rand.Read(s.key)
	s.prepare(EndpointPSTN, newPSTNRows)
	s.prepare(EndpointDirectRouting, newDirectRoutingRows)
	if err := s.listen(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) prepare(endpoint string, write func(*simulator.Mix) *rows) {
	f := s.feeds[endpoint]
	if f.world != nil {
		f.rows = write(f.world.Mix())
		s.feeds[endpoint] = f
	}
}

func (s *Server) listen() (err error) {
	if s.authority, err = simulator.NewAuthority(); err != nil {
		return err
	}
	certificate, err := s.authority.Leaf()
	if err != nil {
		return err
	}
	const loopback = "127.0.0.1:0"
	for _, l := range []struct {
		to          **simulator.Listener
		address     string
		certificate *tls.Certificate
		handler     http.HandlerFunc
	}{
		{&s.listener, s.settings.Listen, certificate, s.route},
		{&s.hostile, loopback, certificate, s.catch},
		{&s.managed, loopback, nil, s.managedIdentity},
	} {
		if *l.to, err = simulator.Serve(l.address, l.certificate, l.handler); err != nil {
			return fmt.Errorf("start simulated Graph: %w", err)
		}
	}
	return nil
}

// Close stops listening. It may be called twice.
func (s *Server) Close() {
	// Whoever subscribes now is told nothing.
	s.teller.close()
	for _, l := range []*simulator.Listener{s.listener, s.hostile, s.managed} {
		if l != nil {
			l.Close()
		}
	}
}

func (s *Settings) defaults() {
	set(&s.Listen, "127.0.0.1:0")
	set(&s.TenantID, defaultTenant)
	set(&s.ClientID, defaultClient)
	set(&s.ClientSecret, defaultSecret)
	set(&s.PageSize, 1000)
	set(&s.RecordPage, 60)
	set(&s.SessionPage, 60)
	set(&s.SegmentPage, 20)
	set(&s.ParticipantPage, 130)
	set(&s.FirstPages, 10)
	set(&s.NextPages, 50)
	s.Subscriptions.defaults()
	s.Delivery.defaults()
	set(&s.MaxRange, 90*24*time.Hour)
	set(&s.TokenLifetime, 3599*time.Second)
	if s.Audiences == nil {
		s.Audiences = []string{"https://graph.microsoft.com"}
	}
	if s.Roles == nil {
		s.Roles = []string{Role}
	}
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
