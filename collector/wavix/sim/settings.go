package sim

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, as faults and the record of requests name them, independent of their paths in a generation.
const (
	EndpointList   = "cdrs"     // GET /v1/cdr or /v1/cdrs
	EndpointExport = "cdrs_all" // the stream, .../all
	EndpointCSV    = "cdrs_csv" // /v1/cdr.csv
	EndpointCalls  = "calls"    // the calls in progress
	EndpointOther  = "other"    // any other path: always an error
)

// The types of call, as the parameter `type` has them.
const (
	Placed   = "placed"
	Received = "received"
)

// Generation is a state of Wavix's API (see the package's tests for its paths).
type Generation uint8

// The generations.
const (
	// GenerationA is that of 2025 and before: the key as `appid`, /v1/cdr, /v1/cdr/all, /v1/cdr.csv and /v1/call, numbers as JSON numbers,
	// uuid.
	GenerationA Generation = iota + 1
	// GenerationB is that of early 2026: the key as bearer, /v1/cdr, /v1/calls, money as strings.
	GenerationB
	// GenerationC is that of June 2026, which Wavix's OpenAPI document describes: /v1/cdrs, /v1/calls, and call_id beside uuid.
	GenerationC
	// GenerationD is C after uuid and parent_uuid, deprecated there, were dropped.
	GenerationD
)

// Order is the order of rows within a type, which Wavix doesn't document.
type Order uint8

// The orders. In each, late rows come in the middle.
const (
	Ascending Order = iota
	Descending
	// Shuffled means nothing, but is the same each time.
	Shuffled
)

// The faults that are Wavix's own.
const (
	// SuccessFalse and ErrorTrue are errors with status 200.
	SuccessFalse simulator.Fault = "success false 200"
	ErrorTrue    simulator.Fault = "error true 200"
	// FeatureDisabled and MissingScope are 403 to a key that is valid: Wavix documents the scopes, but not the text for one without calls:read.
	FeatureDisabled simulator.Fault = "403 feature disabled"
	MissingScope    simulator.Fault = "403 missing scope"
	// NoItems leaves out `items`, or `calls`.
	NoItems        simulator.Fault = "no items"
	ZeroPerPage    simulator.Fault = "per_page 0"      // per_page is 0
	SwappedMembers simulator.Fault = "swapped members" // has the pagination before the items
	// CutLine ends a stream within a line, ShortStream after half of the lines, both as if that were its end. ErrorInStream ends half of
	// the lines with an object that says success false.
	CutLine       simulator.Fault = "cut line"
	ShortStream   simulator.Fault = "short stream"
	ErrorInStream simulator.Fault = "error in stream"
	// BlankLines has empty lines between those of a stream, NoFinalNewline none at its end.
	BlankLines     simulator.Fault = "blank lines"
	NoFinalNewline simulator.Fault = "no final newline"
)

// Harmless are Wavix's faults that a correct client doesn't notice.
func Harmless() []simulator.Fault {
	return []simulator.Fault{ZeroPerPage, SwappedMembers, BlankLines, NoFinalNewline}
}

// Harmful are Wavix's own faults after which the same request succeeds.
func Harmful() []simulator.Fault {
	return []simulator.Fault{SuccessFalse, ErrorTrue, NoItems, CutLine, ShortStream, ErrorInStream}
}

// Settings say what the server is. All have defaults.
type Settings struct {
	// At is where the provider's time stands until it is moved; zero: it goes as the machine's.
	At time.Time
	// Placed and Received are the calls that are listed: worlds of PlacedMix and ReceivedMix, or of parts of these; nil for none.
	Placed, Received *simulator.World
	// Faults go wrong; nil for none.
	Faults *simulator.Faults
	// APIKey has a fixed default.
	APIKey string

	// Generation is GenerationC if zero.
	Generation Generation
	// KeepOldPaths keeps /v1/cdr, /v1/cdr/all and /v1/cdr.csv alive in later generations. AcceptAppID goes on taking the key as `appid`.
	KeepOldPaths, AcceptAppID bool

	// Order is that of rows. Timezone is that of days; UTC if nil.
	Order    Order
	Timezone *time.Location
	// MaxPerPage is the greatest page; 1000 if zero. A greater per_page is lowered to it.
	MaxPerPage int
	// CopiesInTotal counts a row that is listed twice as two in the pagination. Without it a copy stands beside its row, and the total is
	// that of records.
	CopiesInTotal bool
	// ExportFewer leaves out of the export what Wavix's sample of it lacks: the trunk, the parent, answered_by.
	ExportFewer bool
	// Linger is how long a call that ended stays among those in progress, with the event of its end.
	Linger time.Duration
	// RequestsPerMinute is answered; more is refused with 429. Zero is no limit. The minute is the provider's.
	RequestsPerMinute int
}

func (s *Settings) setDefaults() {
	s.Placed, s.Received = cmp.Or(s.Placed, simulator.NoCalls()), cmp.Or(s.Received, simulator.NoCalls())
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(simulator.FaultSettings{}))
	s.APIKey = cmp.Or(s.APIKey, "simulated-api-key")
	s.Generation = cmp.Or(s.Generation, GenerationC)
	s.Timezone = cmp.Or(s.Timezone, time.UTC)
	s.MaxPerPage = cmp.Or(s.MaxPerPage, 1000)
}
