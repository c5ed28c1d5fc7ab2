package web

// Status is what /api/v1/status answers and the page shows.
type Status struct {
	// Version is the program's. Empty: the handler's Settings give it.
	Version string   `json:"version"`
	Sources []Source `json:"sources"`
	OTLP    OTLP     `json:"otlp"`
	Ledger  Ledger   `json:"ledger"`

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
	// Budget is what the provider lets the source ask; absent where it doesn't say.
	Budget *Budget `json:"budget,omitempty"`
	// Subscription is what makes the provider notify us; absent where nothing does.
	Subscription *Subscription `json:"subscription,omitempty"`
}

// Subscription is how a provider is made to notify us.
type Subscription struct {
	// Expires is when it ends unless it is renewed; zero: there is none.
	Expires Time `json:"expires"`
	// LastNotification is when a notification was last accepted; zero: none was yet.
	LastNotification Time `json:"last_notification"`
}

// Budget is a provider's limit of requests.
type Budget struct {
	// Group is the provider's name of it; empty: it has none, or didn't say yet.
	Group string `json:"group,omitempty"`
	// Limit requests in any WindowSeconds; Remaining of them are left, nil if that
	// isn't known.
	Limit         int   `json:"limit"`
	Remaining     *int  `json:"remaining,omitempty"`
	WindowSeconds int64 `json:"window_seconds"`
	// FrozenUntil is when the provider may be asked again; zero: now.
	FrozenUntil Time `json:"frozen_until"`
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
	// Unread are the spans of time that can't be read, as FROM/TO: they are stepped over, and read again later.
	Unread []string `json:"unreadable,omitempty"`
	// Reads names the way in which the feed is read, where there are several.
	Reads string `json:"reads,omitempty"`
	// Waiting is how many records are known of and still to be fetched, Parked how many
	// were set aside and are tried seldom; absent where lists hold the records.
	Waiting *int `json:"waiting,omitempty"`
	Parked  *int `json:"parked,omitempty"`
	// NewestCall is the latest start of a call that was counted; zero: none was yet.
	NewestCall Time `json:"newest_call"`
	// Delay is how late records come; absent until some came.
	Delay *Delay `json:"delay,omitempty"`
	// Series is how many label sets the feed's metrics have, SeriesOverflow how many
	// observations were folded since the program started because there were too many.
	Series         int64 `json:"series"`
	SeriesOverflow int64 `json:"series_overflow"`
	// Snapshot says that the feed has no records: it tells what is there now, such as
	// InProgress calls, nil while that isn't known.
	Snapshot   bool `json:"snapshot,omitempty"`
	InProgress *int `json:"in_progress,omitempty"`
}

// Delay is how long after a call's end its record was first seen, of the calls of late
// that ended while the program ran.
type Delay struct {
	// Half of them came within MedianSeconds, nine in ten within P90Seconds.
	MedianSeconds float64 `json:"median_seconds"`
	P90Seconds    float64 `json:"p90_seconds"`
	// Records is how many that is reckoned from.
	Records int `json:"records"`
}

// Ledger is what the program keeps.
type Ledger struct {
	// SizeBytes is the size of its files; 0: that isn't known.
	SizeBytes int64 `json:"size_bytes"`
	// Series and SeriesOverflow are those of all feeds.
	Series         int64 `json:"series"`
	SeriesOverflow int64 `json:"series_overflow"`
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
