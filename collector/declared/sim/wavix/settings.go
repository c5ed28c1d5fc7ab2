package sim

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, by their names in faults and in the record of requests, independent of a
// generation's paths.
const (
	EndpointList   = "cdrs"     // GET /v1/cdr or /v1/cdrs
	EndpointExport = "cdrs_all" // the stream, .../all
	EndpointCSV    = "cdrs_csv" // /v1/cdr.csv
	EndpointCalls  = "calls"    // the calls in progress
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
	// Old is the API of 2025: /v1/cdr, /v1/cdr/all, /v1/cdr.csv and /v1/call, numbers as JSON numbers,
	// uuid. Otherwise it is that of June 2026, which Wavix's OpenAPI document describes: /v1/cdrs,
	// /v1/calls, and call_id in addition to uuid. Both take the key as bearer or as `appid`.
	Old bool
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
