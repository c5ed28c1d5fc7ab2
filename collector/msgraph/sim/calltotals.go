package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// CallTotals are what must have been counted of call records, by the label sets of the
// contract without the base labels and `late`. They are counted from how calls were
// made, never by the exporter's mapping.
type CallTotals struct {
	// Records is the number of calls that were counted, Settled of those whose media were
	// counted too.
	Records, Settled int
	// Waiting is the number of records that are published and not counted: they have no
	// session yet, or aren't found by their id.
	Waiting int
	// Invalid is the number of malformed records.
	Invalid int

	// Calls is cdr_calls_total, whose trunk is empty, and Failures is
	// cdr_call_failures_total, without codes.
	Calls    map[simulator.CallKey]int
	Failures map[simulator.FailureKey]int
	// Durations is cdr_call_duration_seconds, Connected cdr_call_connected_seconds_total.
	Durations map[simulator.DurationKey]simulator.Span
	Connected map[simulator.ConnectedKey]time.Duration
	// OutcomeChanges is cdr_call_outcome_changes_total, Emergency
	// cdr_emergency_calls_total and MediaBypass cdr_media_bypass_calls_total.
	OutcomeChanges map[simulator.OutcomeChange]int
	Emergency      map[simulator.EmergencyKey]int
	MediaBypass    map[simulator.MediaBypassKey]int

	// Sessions is cdr_sessions_total, SessionFailures cdr_session_failures_total.
	Sessions        map[SessionKey]int
	SessionFailures map[SessionFailureKey]int
	// Streams is cdr_media_streams_total.
	Streams map[StreamKey]int
	// Jitter and RoundTrip are cdr_media_jitter_seconds and cdr_media_round_trip_seconds;
	// Loss and Concealed are cdr_media_packet_loss_ratio and cdr_media_concealed_ratio.
	Jitter, RoundTrip map[QualityKey]simulator.Span
	Loss, Concealed   map[QualityKey]Ratios
	// Ratings is cdr_ratings_total, by rating.
	Ratings map[string]int
}

// The label sets.
type (
	// SessionKey labels a session.
	SessionKey struct {
		Result cdr.SessionResult
		Media  string
	}
	// SessionFailureKey labels a session that failed.
	SessionFailureKey struct{ Stage, Reason string }
	// StreamKey labels a stream.
	StreamKey struct{ Media, Direction, Network, Platform, Verdict string }
	// QualityKey labels what was measured of a stream.
	QualityKey struct{ Media, Direction, Network string }
)

// Ratios is a histogram of ratios: its count, and its sum in millionths.
type Ratios struct {
	Count     int
	Millionth int64
}

// Sum is the sum of the ratios.
func (r Ratios) Sum() float64 { return float64(r.Millionth) / 1e6 }

// CallView is what a reader of call records looked at.
type CallView struct {
	// From and To are the half-open range of starts, as they were when a record was first
	// seen; zero is without bound.
	From, To time.Time
	// At are the instants at which the reader had fetched all that could be, ascending.
	At []time.Time
	// Continuous says that between the first and the last of them the reader missed no
	// version, and settled each call at its time.
	Continuous bool
	// Settle is how long after its end a call's media are counted. Zero: with the first
	// version that has a session.
	Settle time.Duration
}

// Totals are what a reader has counted who fetched everything once, at an instant, with
// a settle time.
func (r *CallRecords) Totals(at time.Time, settle time.Duration) CallTotals {
	return r.TotalsOf(CallView{At: []time.Time{at}, Settle: settle})
}

// TotalsOf are what a reader has counted who looked as the view says. It takes about a
// second for ten thousand calls.
func (r *CallRecords) TotalsOf(v CallView) CallTotals {
	t := newCallTotals()
	if len(v.At) == 0 {
		return t
	}
	var p plan
	for _, s := range r.sources {
		from := v.From
		if !from.IsZero() {
			from = from.Add(-maxShift)
		}
		last := v.At[len(v.At)-1]
		s.world.Each(from, last.Add(time.Millisecond), func(c *simulator.Call) bool {
			if s.plan(c, &p) {
				t.read(&p, &v)
			}
			return true
		})
	}
	return t
}

func newCallTotals() CallTotals {
	return CallTotals{
		Calls: map[simulator.CallKey]int{}, Failures: map[simulator.FailureKey]int{},
		Durations: map[simulator.DurationKey]simulator.Span{}, Connected: map[simulator.ConnectedKey]time.Duration{},
		OutcomeChanges: map[simulator.OutcomeChange]int{}, Emergency: map[simulator.EmergencyKey]int{},
		MediaBypass: map[simulator.MediaBypassKey]int{}, Sessions: map[SessionKey]int{},
		SessionFailures: map[SessionFailureKey]int{}, Streams: map[StreamKey]int{},
		Jitter: map[QualityKey]simulator.Span{}, RoundTrip: map[QualityKey]simulator.Span{},
		Loss: map[QualityKey]Ratios{}, Concealed: map[QualityKey]Ratios{}, Ratings: map[string]int{},
	}
}
