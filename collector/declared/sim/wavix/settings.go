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

// The types of call, as values of the parameter `type`.
const (
	Placed   = "placed"
	Received = "received"
)

// Generation is a state of Wavix's API (see the package's tests for its paths).
type Generation uint8

// The generations.
const (
	// GenerationA is 2025 and before: the key as `appid`, /v1/cdr, /v1/cdr/all, /v1/cdr.csv and
	// /v1/call, numbers as JSON numbers, uuid.
	GenerationA Generation = iota + 1
	// GenerationB is early 2026: the key as bearer, /v1/cdr, /v1/calls, money as strings.
	GenerationB
	// GenerationC is June 2026, which Wavix's OpenAPI document describes: /v1/cdrs, /v1/calls, and
	// call_id in addition to uuid.
	GenerationC
	// GenerationD is C without the deprecated uuid and parent_uuid.
	GenerationD
)

// Order is the order of rows within a type, which Wavix doesn't document.
type Order uint8

// The orders. In each, late rows come in the middle.
const (
	Ascending Order = iota
	Descending
	// Shuffled is a random order that is always the same.
	Shuffled
)

// Forbidden is 403 for a valid key, Wavix's own fault. Wavix documents the scopes, but not the text for
// a key without calls:read.
const Forbidden simulator.Fault = "403"

// Settings configure the server. All have defaults.
type Settings struct {
	// At is where the provider's clock stands until it is moved; zero means that it follows the
	// machine's clock.
	At time.Time
	// Placed and Received are the listed calls: worlds of PlacedMix and ReceivedMix, or of parts of
	// these; nil means none.
	Placed, Received *simulator.World
	// Faults may be nil for none.
	Faults *simulator.Faults
	// APIKey has a fixed default.
	APIKey string

	// Generation is GenerationC if zero.
	Generation Generation
	// KeepOldPaths keeps /v1/cdr, /v1/cdr/all and /v1/cdr.csv in later generations. AcceptAppID
	// still accepts the key as `appid`.
	KeepOldPaths, AcceptAppID bool

	// Order is the order of rows. Timezone is the time zone of days; nil means UTC.
	Order    Order
	Timezone *time.Location
	// MaxPerPage is the largest page; zero means 1000. A larger per_page is reduced to it.
	MaxPerPage int
	// Linger is how long an ended call stays among those in progress, with the event of its end.
	Linger time.Duration
	// RequestsPerMinute is the limit of requests in a minute of the provider's clock; more get 429.
	// Zero means no limit.
	RequestsPerMinute int
}

func (s *Settings) setDefaults() {
	s.Placed, s.Received = cmp.Or(s.Placed, simulator.NoCalls()), cmp.Or(s.Received, simulator.NoCalls())
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(0))
	s.APIKey = cmp.Or(s.APIKey, "simulated-api-key")
	s.Generation = cmp.Or(s.Generation, GenerationC)
	s.Timezone = cmp.Or(s.Timezone, time.UTC)
	s.MaxPerPage = cmp.Or(s.MaxPerPage, 1000)
}
