package web

// Status is what /api/v1/status answers and the page shows.
type Status struct {
	// Version is the program's. Empty: the handler's Settings give it.
	Version string   `json:"version"`
	Sources []Source `json:"sources"`
	OTLP    OTLP     `json:"otlp"`

	// Ready, NotReady (why it isn't ready) and Now (the clock that ages on the
	// page are reckoned by) are set by the handler.
	Ready    bool   `json:"ready"`
	NotReady string `json:"not_ready,omitempty"`
	Now      Time   `json:"now"`
}

// Source is one account of one provider.
type Source struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Feeds    []Feed `json:"feeds"`
}

// Feed is how far one feed has been read and how that goes.
type Feed struct {
	Feed  string `json:"feed"`
	State State  `json:"state"`
	// Watermark: every call that started before it has been looked for at least
	// once. Zero: nothing has been read yet.
	Watermark Time `json:"watermark"`
	// LastSuccess is when a read last ended well; zero: never.
	LastSuccess Time `json:"last_success"`
	// Records is how many were counted since the feed's origin.
	Records int64 `json:"records"`
	// NextRead is when the next read is due; zero: one is going on or none is planned.
	NextRead Time `json:"next_read"`
	// LastError is what went wrong last, redacted; empty: nothing. Advice says what
	// to do about it, LastErrorAt when it happened.
	LastError   string `json:"last_error"`
	Advice      string `json:"advice,omitempty"`
	LastErrorAt Time   `json:"last_error_at"`
}

// State is a feed's state.
type State string

// The states of a feed.
const (
	StateOK         State = "ok"
	StateCatchingUp State = "catching_up"
	StateThrottled  State = "throttled"
	StateError      State = "error"
)

// OTLP is how delivery to the OTLP endpoint goes.
type OTLP struct {
	// OutboxRecords is how many log records wait; Oldest is when the first of them
	// was written, zero while none waits.
	OutboxRecords int64     `json:"outbox_records"`
	Oldest        Time      `json:"oldest"`
	State         OTLPState `json:"state"`
	// LastError is what the endpoint or the way to it said last, redacted; empty:
	// nothing. Advice says what to do about it.
	LastError string `json:"last_error,omitempty"`
	Advice    string `json:"advice,omitempty"`
}

// OTLPState is the state of delivery.
type OTLPState string

// The states of delivery.
const (
	// OTLPOff: no endpoint is configured.
	OTLPOff OTLPState = "off"
	OTLPOK  OTLPState = "ok"
	// OTLPError: the last attempt failed; it is tried again.
	OTLPError OTLPState = "error"
	// OTLPFull: the outbox holds all it may.
	OTLPFull OTLPState = "full"
)

// complete is the status with all that a reader relies on: lists that are empty
// rather than null. The backend's own lists stay as they are.
func (s Status) complete() Status {
	sources := make([]Source, len(s.Sources))
	copy(sources, s.Sources)
	for i := range sources {
		if sources[i].Feeds == nil {
			sources[i].Feeds = []Feed{}
		}
	}
	s.Sources = sources
	if s.OTLP.State == "" {
		s.OTLP.State = OTLPOff
	}
	return s
}
