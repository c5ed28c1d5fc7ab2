package sim

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, by their names in faults and in the record of requests.
const (
	EndpointList   = "cdrs"     // GET /v1/cdrs
	EndpointExport = "cdrs_all" // the stream, GET /v1/cdrs/all
	EndpointCalls  = "calls"    // the calls in progress, GET /v1/calls
	EndpointOther  = "other"    // all other paths: always an error
)

// Forbidden is 403 for a valid key, Wavix's own fault. Wavix documents the scopes, but not the text for
// a key without calls:read.
const Forbidden simulator.Fault = "403"

// Settings configure the server. All have defaults.
type Settings struct {
	// Placed and Received are the listed calls: worlds of PlacedMix and ReceivedMix, or of parts of
	// these; nil means none.
	Placed, Received *simulator.World
	// Faults may be nil for none.
	Faults *simulator.Faults
	// APIKey has a fixed default.
	APIKey string
	// Timezone is the time zone of days; nil means UTC.
	Timezone *time.Location
	// MaxPerPage is the largest page; zero means 1000. A larger per_page is reduced to it.
	MaxPerPage int
}

// worlds are the worlds by side.
func (s *Settings) worlds() [sides]*simulator.World {
	return [...]*simulator.World{placed: s.Placed, received: s.Received}
}

func (s *Settings) setDefaults() {
	s.Placed, s.Received = cmp.Or(s.Placed, simulator.NoCalls()), cmp.Or(s.Received, simulator.NoCalls())
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(0))
	s.APIKey = cmp.Or(s.APIKey, "simulated-api-key")
	s.Timezone = cmp.Or(s.Timezone, time.UTC)
	s.MaxPerPage = cmp.Or(s.MaxPerPage, 1000)
}
