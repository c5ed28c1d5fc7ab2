package sim

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Server is Wavix's API. It is safe for concurrent use.
type Server struct {
	settings  Settings
	account   *Account
	timeline  *simulator.Timeline
	faults    *simulator.Faults
	recorder  *simulator.Recorder
	authority *simulator.Authority
	listener  *simulator.Listener
	log       askedLog
	limiter   limiter

	mu         sync.Mutex
	key        string
	generation Generation
	zone       *time.Location
	// refusals are by endpoint; empty: of the others.
	refusals map[string]Refusal
}

// Start makes an authority and listens. An error leaves nothing open.
func Start(settings Settings) (*Server, error) {
	settings.defaults()
	s := &Server{
		settings: settings, account: settings.Account, timeline: simulator.NewTimeline(settings.Clock), faults: settings.Faults,
		recorder: simulator.NewRecorder(), key: settings.APIKey, generation: settings.Generation, zone: settings.Timezone,
		refusals: map[string]Refusal{},
	}
	var err error
	if s.authority, err = simulator.NewAuthority(); err != nil {
		return nil, err
	}
	certificate, err := s.authority.Leaf()
	if err != nil {
		return nil, err
	}
	if s.listener, err = simulator.Serve(settings.Listen, certificate, http.HandlerFunc(s.serve)); err != nil {
		return nil, fmt.Errorf("start simulated Wavix: %w", err)
	}
	return s, nil
}

// Close stops listening. It may be called twice.
func (s *Server) Close() { s.listener.Close() }
