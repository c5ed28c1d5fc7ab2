package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// CallTotals are what must have been counted of call records, by the label sets of the contract without the base labels and `late`. They are counted
// over the records that the API renders, from what was written down when their calls were drawn, never by the exporter's mapping.
type CallTotals struct {
	// Totals have the number of calls that were counted (Records), of records that are published and not counted, since they have no session yet or
	// aren't found by their id (Waiting), of malformed ones (Invalid), and the totals of calls, without trunk and codes.
	simulator.Totals
	// Settled is the number of the calls whose media were counted too.
	Settled int

	// Sessions is cdr_sessions_total, SessionFailures cdr_session_failures_total.
	Sessions        map[SessionKey]int
	SessionFailures map[SessionFailureKey]int
	// Streams is cdr_media_streams_total.
	Streams map[StreamKey]int
	// Jitter and RoundTrip are cdr_media_jitter_seconds and cdr_media_round_trip_seconds; Loss and Concealed are cdr_media_packet_loss_ratio and
	// cdr_media_concealed_ratio.
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
	// From is the earliest start, as it was when a record was first seen; zero is without bound.
	From time.Time
	// At are the instants at which the reader had fetched all that could be, ascending.
	At []time.Time
	// Settle is how long after its end a call's media are counted. Zero: with the first version that has a session.
	Settle time.Duration
}

// Totals are what a reader has counted that fetched everything once, at an instant, with a settle time.
func (r *CallRecords) Totals(at time.Time, settle time.Duration) CallTotals {
	return r.TotalsOf(CallView{At: []time.Time{at}, Settle: settle})
}

// TotalsOf are what a reader has counted that looked as the view says.
func (r *CallRecords) TotalsOf(v CallView) CallTotals {
	t := newCallTotals()
	if len(v.At) == 0 {
		return t
	}
	from := v.From
	if !from.IsZero() {
		from = from.Add(-maxShift)
	}
	var p recordPlan
	for _, s := range r.sources {
		s.world.Each(from, v.At[len(v.At)-1].Add(time.Millisecond), func(c *simulator.Call) bool {
			if s.plan(c, &p) {
				t.add(&p, &v)
			}
			return true
		})
	}
	return t
}

func newCallTotals() CallTotals {
	return CallTotals{
		Totals: simulator.NewTotals(), Sessions: map[SessionKey]int{}, SessionFailures: map[SessionFailureKey]int{}, Streams: map[StreamKey]int{},
		Jitter: map[QualityKey]simulator.Span{}, RoundTrip: map[QualityKey]simulator.Span{},
		Loss: map[QualityKey]Ratios{}, Concealed: map[QualityKey]Ratios{}, Ratings: map[string]int{},
	}
}

// add counts a record by what the reader saw of it: the call by the first version with a session, or once it has settled; each session by the first
// version that has it; ratings and media once the call has settled.
func (t *CallTotals) add(p *recordPlan, view *CallView) {
	last := view.At[len(view.At)-1]
	if p.flaw != simulator.NoFlaw {
		if p.readable(last) >= 0 || isListFlaw(p.flaw) && p.published(last) >= 0 {
			t.Invalid++
		}
		return
	}
	var seen, counted, settled bool
	var outcome cdr.Outcome
	sessions := 0
	for _, at := range view.At {
		i := p.readable(at)
		if i < 0 {
			continue
		}
		v := &p.all[i]
		if !seen && v.start.Before(view.From) {
			return
		}
		seen = true
		over := !at.Before(p.end.Add(view.Settle))
		if !counted && v.sessions == 0 && !over {
			continue
		}
		before := outcome
		outcome = p.outcome(v)
		switch {
		case !counted:
			t.addCall(p, v, outcome)
		case outcome != before:
			t.OutcomeChanges[simulator.OutcomeChange{From: before, To: outcome}]++
		}
		counted = true
		for ; sessions < v.sessions; sessions++ {
			t.addSession(p.outline(sessions), v)
		}
		if over && !settled && (view.Settle > 0 || p.sessions == 0 || v.sessions > 0) {
			settled = true
			t.addMedia(p, v)
		}
	}
	if !counted && p.published(last) >= 0 {
		t.Waiting++
	}
}

// outcome is what a version says of the call: answered if one of its sessions got through.
func (p *recordPlan) outcome(v *recordVersion) cdr.Outcome {
	for i := range v.sessions {
		if f := p.outline(i).failure; f == nil || !v.explained || f.stage.result == cdr.SessionDropped {
			return cdr.Answered
		}
	}
	return cdr.NotConnected
}

// addCall counts what counts once per call, at once.
func (t *CallTotals) addCall(p *recordPlan, v *recordVersion, outcome cdr.Outcome) {
	t.Records++
	direction, country, callType := cdr.Internal, "", "peer_to_peer"
	if v.sessions > 0 {
		direction = p.kind.Direction // a version without sessions has no telephone
	}
	if direction != cdr.Internal {
		country = p.call.Country()
	}
	if p.shape.group {
		callType = "group_call"
	}
	t.Calls[simulator.CallKey{Direction: direction, CallType: callType, Outcome: outcome}]++
	if outcome.Connected() {
		length := p.end.Sub(v.start)
		simulator.AddSpan(t.Durations, simulator.DurationKey{Direction: direction, CallType: callType}, length)
		t.Connected[simulator.ConnectedKey{Direction: direction, CallType: callType, Country: country}] += length
	} else {
		t.Failures[simulator.FailureKey{Direction: direction, Outcome: outcome}]++
	}
	if p.kind.Emergency != cdr.NoEmergency && direction == cdr.Outbound {
		t.Emergency[simulator.EmergencyKey{Outcome: outcome, Test: p.kind.Emergency == cdr.EmergencyTest}]++
	}
}

func (t *CallTotals) addSession(s *session, v *recordVersion) {
	result := cdr.SessionOK
	if s.failure != nil && v.explained {
		result = s.failure.stage.result
		t.SessionFailures[SessionFailureKey{Stage: s.failure.stage.label, Reason: s.failure.slug}]++
	}
	t.Sessions[SessionKey{Result: result, Media: s.content.label}]++
}

// addMedia counts what counts once per call, when it has settled.
func (t *CallTotals) addMedia(p *recordPlan, v *recordVersion) {
	t.Settled++
	bypass := cdr.Unsaid
	for i := range v.sessions {
		s := p.outline(i)
		if i < v.media {
			p.drawMedia(s, i, v.remeasured)
		}
		for _, e := range []*participant{&s.caller, &s.callee} {
			if v.rated && e.rating != "" && !e.missing {
				t.Ratings[e.rating]++
			}
		}
		for _, part := range s.segments {
			for _, m := range part.media {
				for _, x := range m.streams {
					t.addStream(x)
					if x.bypass.Known() && bypass != cdr.True {
						bypass = x.bypass
					}
				}
			}
		}
	}
	if bypass.Known() {
		t.MediaBypass[simulator.MediaBypassKey{Bypass: bypass}]++
	}
}

func (t *CallTotals) addStream(x *stream) {
	t.Streams[x.key]++
	key := QualityKey{x.key.Media, x.key.Direction, x.key.Network}
	for histogram, n := range map[*map[QualityKey]simulator.Span]cdr.Int{&t.Jitter: x.jitter, &t.RoundTrip: x.roundTrip} {
		if n.Known {
			simulator.AddSpan(*histogram, key, time.Duration(n.Value)*time.Microsecond)
		}
	}
	for histogram, n := range map[*map[QualityKey]Ratios]cdr.Int{&t.Loss: x.loss, &t.Concealed: x.concealed} {
		if n.Known {
			before := (*histogram)[key]
			(*histogram)[key] = Ratios{before.Count + 1, before.Millionth + n.Value}
		}
	}
}
