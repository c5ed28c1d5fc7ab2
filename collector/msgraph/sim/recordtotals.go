package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// CallTotals are the expected counts of call records, by the metrics' label sets without the base
// labels and `late`. They cover the records that the API returns, and come from what was drawn for
// their calls, never from the exporter's mapping.
type CallTotals struct {
	// Totals have the number of calls counted (Records), of malformed ones (Invalid), and the
	// totals of calls, without trunk and codes.
	simulator.Totals
	// Settled is the number of calls whose media were counted too.
	Settled int
}

// Totals are the counts of a reader that reads at the times of the view.
func (r *CallRecords) Totals(v simulator.View) CallTotals {
	t := CallTotals{Totals: simulator.Totals{Metrics: simulator.Tables{}}}
	if len(v.At) == 0 {
		return t
	}
	var p recordPlan
	for _, s := range r.sources {
		s.world.Each(v.From, v.At[len(v.At)-1].Add(time.Millisecond), func(c *simulator.Call) bool {
			if s.plan(c, &p) {
				t.add(&p, &v)
			}
			return true
		})
	}
	return t
}

// add counts a record as the reader saw it. The call counts with the first version that has a
// session, or once it has settled; each session with the first version that has it; ratings and
// media once the call has settled.
func (t *CallTotals) add(p *recordPlan, view *simulator.View) {
	last := view.At[len(view.At)-1]
	if p.flaw != simulator.NoFlaw {
		if p.readable(last) >= 0 || isListFlaw(p.flaw) && p.published(last) >= 0 {
			t.Invalid++
		}
		return
	}
	if p.start.Before(view.From) {
		return
	}
	var counted, settled bool
	var outcome cdr.Outcome
	var times recordTimes
	sessions := 0
	for _, at := range view.At {
		i := p.readable(at)
		if i < 0 {
			continue
		}
		v := &p.versions[i]
		over := !at.Before(p.end.Add(view.Settle))
		if !counted && v.sessions == 0 && !over {
			continue
		}
		before := outcome
		outcome = p.outcome(v)
		switch {
		case !counted:
			t.addCall(p, v, outcome)
			times.first = v
		case outcome != before:
			t.Metrics.Count("cdr_call_outcome_changes_total", before, outcome)
		}
		if outcome.Connected() {
			t.addTimes(p, v, &times)
		}
		counted = true
		for ; sessions < v.sessions; sessions++ {
			t.addSession(p, p.outline(sessions), v)
		}
		if over && !settled && (view.Settle > 0 || p.sessions == 0 || v.sessions > 0) {
			settled = true
			t.addMedia(p, v)
		}
	}
}

// picksUp maps services that aren't persons to the outcomes of their sessions. All other services
// connect people.
var picksUp = map[string]cdr.Outcome{
	"voicemail": cdr.Voicemail, "exchangeUnifiedMessagingService": cdr.Voicemail, attendant: cdr.Machine,
	callQueue: cdr.Machine, "customBot": cdr.Machine,
	"responseGroupService": cdr.Machine, "responseGroupServiceAnnouncementService": cdr.Machine,
	"skypeForBusinessUnifiedCommunicationApplicationPlatform": cdr.Machine,
}

// legOutcome is how a session ended, as a leg of its call.
func (s *session) legOutcome(v *recordVersion) cdr.Outcome {
	if s.failure != nil && v.explained && !s.failure.Dropped {
		return cdr.NotConnected
	}
	return cmp.Or(picksUp[s.callee.role], cdr.Answered)
}

// outcome is a version's outcome of the call: answered if a person answered one of its sessions,
// else by the service that answered.
func (p *recordPlan) outcome(v *recordVersion) cdr.Outcome {
	best := cdr.NotConnected
	for _, wanted := range []cdr.Outcome{cdr.Machine, cdr.Voicemail, cdr.Answered} {
		for i := range v.sessions {
			if p.outline(i).legOutcome(v) == wanted {
				best = wanted
			}
		}
	}
	return best
}

// connected is the union of the connected sessions' times: of all, or of persons' sessions only.
func (p *recordPlan) connected(v *recordVersion, persons bool) (sum time.Duration) {
	var all []cdr.Interval
	for i := range v.sessions {
		s := p.outline(i)
		if outcome := s.legOutcome(v); outcome.Connected() && (!persons || outcome == cdr.Answered) {
			all = append(all, cdr.Interval{From: s.start, To: s.end})
		}
	}
	slices.SortFunc(all, func(a, b cdr.Interval) int { return a.From.Compare(b.From) })
	var until time.Time
	for _, i := range all {
		if from := later(i.From, until); i.To.After(from) {
			sum, until = sum+i.To.Sub(from), i.To
		}
	}
	return cmp.Or(sum, p.end.Sub(p.start)) // without lengths of sessions, use the record's
}

// addCall counts the parts of a call that count once, immediately.
func (t *CallTotals) addCall(p *recordPlan, v *recordVersion, outcome cdr.Outcome) {
	t.Records++
	direction, m := p.direction(v), t.Metrics
	m.Count("cdr_calls_total", direction, p.callType(), outcome, "")
	if !outcome.Connected() {
		m.Count("cdr_call_failures_total", direction, "", outcome, "", "")
	}
	if p.kind.Emergency != cdr.NoEmergency && direction == cdr.Outbound {
		m.Count("cdr_emergency_calls_total", outcome, p.kind.Emergency == cdr.EmergencyTest)
	}
}

// recordTimes are what was counted of a call's times, with the labels of its first version.
type recordTimes struct {
	first     *recordVersion
	talked    bool
	connected time.Duration
}

// addTimes counts talk time with the first version in which a person answered, and by how much connected time grew.
func (t *CallTotals) addTimes(p *recordPlan, v *recordVersion, was *recordTimes) {
	direction, country := p.direction(was.first), ""
	if direction != cdr.Internal {
		country = p.call.Country()
	}
	if p.outcome(v) == cdr.Answered && !was.talked {
		was.talked = true
		t.Metrics.Observe("cdr_call_duration_seconds", p.connected(v, true).Microseconds(), direction, p.callType(), "")
	}
	if by := p.connected(v, false) - was.connected; by > 0 {
		was.connected += by
		t.Metrics.Add("cdr_call_connected_seconds_total", by.Microseconds(), direction, p.callType(), "", country)
	}
}

// direction is a version's direction. A version without sessions names no telephone.
func (p *recordPlan) direction(v *recordVersion) cdr.Direction {
	if v.sessions > 0 {
		return p.kind.Direction
	}
	return cdr.Internal
}

func (p *recordPlan) callType() string {
	if p.shape.group {
		return "group_call"
	}
	return "peer_to_peer"
}

// addSession counts a session, which is a leg of its call, with the first version that has it.
func (t *CallTotals) addSession(p *recordPlan, s *session, v *recordVersion) {
	t.Metrics.Count("cdr_call_legs_total", cmp.Or(cdr.CallType(s.callee.role), p.callType()), s.legOutcome(v))
	result := cdr.SessionOK
	if s.failure != nil && v.explained {
		if result = cdr.SessionSetupFailed; s.failure.Dropped {
			result = cdr.SessionDropped
		}
		t.Metrics.Count("cdr_session_failures_total", s.failure.Label, s.failure.Slug)
	}
	t.Metrics.Count("cdr_sessions_total", result, s.content.Label)
}

// addMedia counts what counts once per call, when it has settled.
func (t *CallTotals) addMedia(p *recordPlan, v *recordVersion) {
	t.Settled++
	bypass := cdr.Unsaid
	for i := range v.sessions {
		s := p.outline(i)
		// neither an agent nor another service follows: the caller leaves at the session's end
		if s.callee.role == attendant || s.callee.role == callQueue {
			t.Metrics.Count("cdr_queue_calls_total", "", cdr.QueueAbandoned)
			t.Metrics.Observe("cdr_queue_wait_seconds", s.end.Sub(s.start).Microseconds(), "",
				cdr.QueueAbandoned)
		}
		if i < v.media {
			p.drawMedia(s, i, v.remeasured)
		}
		for _, e := range []*participant{&s.caller, &s.callee} {
			if v.rated && e.rating != "" && !e.missing {
				t.Metrics.Count("cdr_ratings_total", e.rating)
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
		t.Metrics.Count("cdr_media_bypass_calls_total", "", bypass)
	}
}

func (t *CallTotals) addStream(x *stream) {
	t.Metrics.Count("cdr_media_streams_total", x.medium, x.way, x.network, x.platform, x.verdict)
	for histogram, n := range map[string]cdr.Int{
		"cdr_media_jitter_seconds": x.Jitter, "cdr_media_round_trip_seconds": x.RoundTrip,
		"cdr_media_packet_loss_ratio": x.Loss, "cdr_media_concealed_ratio": x.Concealed,
	} {
		if n.Known {
			t.Metrics.Observe(histogram, n.Value, x.medium, x.way, x.network)
		}
	}
}
