package sim

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The defaults of who may come in.
const (
	defaultAccount = "400643090008"
	defaultClient  = "SimulatedClientID0001"
	defaultSecret  = "simulated-client-secret"
)

// Server is the account. It is safe for concurrent use.
type Server struct {
	settings  Settings
	timeline  *simulator.Timeline
	wall      simulator.Clock
	faults    *simulator.Faults
	recorder  *simulator.Recorder
	authority *simulator.Authority
	listener  *simulator.Listener
	hostile   *simulator.Listener
	account   scope
	extension scope
	limits    map[string]*limiter
	buffers   sync.Pool
	// key signs JWTs and sync tokens.
	key []byte

	mu       sync.Mutex
	clients  registration
	sessions sessions
	sync     syncState
	deleted  []span
	strays   []string
	caught   []Caught
}

// span is a range of starts, from included.
type span struct{ from, to time.Time }

// Start makes an authority and listens. An error leaves nothing open.
func Start(settings Settings) (*Server, error) {
	settings.defaults()
	s := &Server{
		settings: settings, timeline: simulator.NewTimeline(settings.Clock), wall: settings.Wall, faults: settings.Faults,
		recorder: simulator.NewRecorder(), key: make([]byte, 32), clients: newRegistration(&settings),
		sync: syncState{offered: !settings.NoSync},
		limits: map[string]*limiter{
			GroupAuth:  newLimiter(GroupAuth, settings.Auth, settings.Window),
			GroupHeavy: newLimiter(GroupHeavy, settings.Heavy, settings.Window),
		},
	}
	// Read never fails.
	_, _ = rand.Read(s.key)
	if err := s.listen(); err != nil {
		s.Close()
		return nil, err
	}
	base := s.base(nil) + "/restapi/v1.0/account/" + settings.AccountID
	s.account = newScope(settings.Account, base, accountIDs)
	s.extension = newScope(settings.Extension, base+"/extension/"+userID, extensionIDs)
	s.clients.jwt = s.MintJWT(settings.JWTLifetime)
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
	if s.listener, err = simulator.Serve(s.settings.Listen, certificate, http.HandlerFunc(s.route)); err == nil {
		s.hostile, err = simulator.Serve("127.0.0.1:0", certificate, http.HandlerFunc(s.catch))
	}
	if err != nil {
		return fmt.Errorf("start simulated RingCentral: %w", err)
	}
	return nil
}

// Close stops listening. It may be called twice.
func (s *Server) Close() {
	for _, l := range []*simulator.Listener{s.listener, s.hostile} {
		if l != nil {
			l.Close()
		}
	}
}

// base is what a link begins with.
func (s *Server) base(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.settings.PublicURL != "":
		return s.settings.PublicURL
	case r == nil:
		return s.listener.URL()
	}
	return "https://" + r.Host
}

func (s *Settings) defaults() {
	set(&s.Listen, "127.0.0.1:0")
	set(&s.AccountID, defaultAccount)
	set(&s.ClientID, defaultClient)
	set(&s.ClientSecret, defaultSecret)
	set(&s.JWTLifetime, 365*24*time.Hour)
	set(&s.TokenLifetime, time.Hour)
	set(&s.ActiveLag, 5*time.Second)
	set(&s.Afterglow, 2*time.Minute)
	set(&s.SyncRefusal, http.StatusNotFound)
	set(&s.Heavy, 10)
	set(&s.Auth, 5)
	set(&s.Window, time.Minute)
	if s.Wall == nil {
		s.Wall = simulator.SystemClock{}
	}
	if s.Scopes == nil {
		s.Scopes = []string{ReadCallLog, ReadCallRecording, "ReadAccounts"}
	}
	if s.Permissions == nil {
		s.Permissions = []string{FullCompanyCallLog, ReadCallLog, ReadCallRecording}
	}
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
