package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// look is that a reader fetched a version of a record.
type look struct {
	at      time.Time
	version int
}

// read counts a record by what the reader saw of it.
func (t *CallTotals) read(p *plan, v *CallView) {
	if p.flaw != simulator.NoFlaw {
		if last := v.At[len(v.At)-1]; p.readAt(last) >= 0 || listFlaw(p.flaw) && p.at(last) >= 0 {
			t.Invalid++
		}
		return
	}
	looks := v.looks(p)
	if len(looks) == 0 {
		if p.at(v.At[len(v.At)-1]) >= 0 {
			t.Waiting++
		}
		return
	}
	if !v.within(p.all[looks[0].version].start) {
		return
	}
	first := v.counted(p, looks)
	if first < 0 {
		t.Waiting++
		return
	}
	t.count(p, looks[first:])
	if settled := v.settled(p, looks); settled >= 0 {
		t.settle(p, &p.all[looks[settled].version])
	}
}

func (v *CallView) within(start time.Time) bool {
	return (v.From.IsZero() || !start.Before(v.From)) && (v.To.IsZero() || start.Before(v.To))
}

// looks are the versions that the reader fetched, and when. One that never stopped
// reading fetches each as it is published, and once more when the call has settled.
func (v *CallView) looks(p *plan) []look {
	if !v.Continuous {
		var looks []look
		for _, at := range v.At {
			if version := p.readAt(at); version >= 0 {
				looks = append(looks, look{at, version})
			}
		}
		return looks
	}
	first, last := v.At[0], v.At[len(v.At)-1]
	instants := []time.Time{later(first, p.readable)}
	for i := range p.releases() {
		if at := p.all[i].at; at.After(instants[0]) {
			instants = append(instants, at)
		}
	}
	settles := p.end.Add(v.Settle)
	var looks []look
	for _, at := range instants {
		if at.After(last) {
			break
		}
		if len(looks) > 0 && looks[len(looks)-1].at.Before(settles) && settles.Before(at) {
			looks = append(looks, look{settles, p.readAt(settles)})
		}
		looks = append(looks, look{at, p.readAt(at)})
	}
	if n := len(looks); n > 0 && looks[n-1].at.Before(settles) && !settles.After(last) {
		looks = append(looks, look{settles, p.readAt(settles)})
	}
	return looks
}

// counted is the look with which a call counts: the first at a version that has a
// session, or the first after it has settled. -1: none yet.
func (v *CallView) counted(p *plan, looks []look) int {
	for i, l := range looks {
		if p.all[l.version].sessions > 0 || !l.at.Before(p.end.Add(v.Settle)) {
			return i
		}
	}
	return -1
}

// settled is the look with which a call's media count. -1: none yet.
func (v *CallView) settled(p *plan, looks []look) int {
	for i, l := range looks {
		if v.Settle == 0 && p.sessions > 0 && p.all[l.version].sessions == 0 {
			continue
		}
		if !l.at.Before(p.end.Add(v.Settle)) {
			return i
		}
	}
	return -1
}

// count counts a call by the first look, and what further ones bring.
func (t *CallTotals) count(p *plan, looks []look) {
	t.Records++
	first := &p.all[looks[0].version]
	t.call(p, first)
	outcome, known := p.outcome(first), 0
	for i, l := range looks {
		r := &p.all[l.version]
		for ; known < r.sessions; known++ {
			s := p.outline(known)
			t.session(&s, r)
		}
		if now := p.outcome(r); i > 0 && now != outcome {
			t.OutcomeChanges[simulator.OutcomeChange{From: outcome, To: now}]++
			outcome = now
		}
	}
}

// outcome is what becomes of the call as a version tells it: answered if one of its
// sessions got through.
func (p *plan) outcome(r *release) cdr.Outcome {
	for i := range r.sessions {
		s := p.outline(i)
		if s.failure == nil || !r.told || s.failure.stage.result == cdr.SessionDropped {
			return cdr.Answered
		}
	}
	return cdr.NotConnected
}

// direction is the call's as a version tells it: telephones come first, and without a
// session nobody knows.
func (p *plan) direction(r *release) cdr.Direction {
	if r.sessions == 0 {
		return cdr.Internal
	}
	return p.kind.Direction
}

// callType is the label.
func (p *plan) callType() string {
	if p.shape.group {
		return "group_call"
	}
	return "peer_to_peer"
}

// call counts what counts once per call, at once.
func (t *CallTotals) call(p *plan, r *release) {
	direction, outcome, country := p.direction(r), p.outcome(r), ""
	if direction != cdr.Internal {
		country = p.call.Country()
	}
	t.Calls[simulator.CallKey{Direction: direction, CallType: p.callType(), Outcome: outcome}]++
	if outcome.Connected() {
		duration := p.end.Sub(r.start)
		key := simulator.DurationKey{Direction: direction, CallType: p.callType()}
		t.Durations[key] = addSpan(t.Durations[key], duration)
		t.Connected[simulator.ConnectedKey{Direction: direction, CallType: p.callType(), Country: country}] += duration
	} else {
		t.Failures[simulator.FailureKey{Direction: direction, Outcome: outcome}]++
	}
	if p.kind.Emergency != cdr.NoEmergency && direction == cdr.Outbound {
		t.Emergency[simulator.EmergencyKey{Outcome: outcome, Test: p.kind.Emergency == cdr.EmergencyTest}]++
	}
}

// session counts a session by the first version that was seen with it.
func (t *CallTotals) session(s *session, r *release) {
	result := cdr.SessionOK
	if s.failure != nil && r.told {
		result = s.failure.stage.result
		t.SessionFailures[SessionFailureKey{Stage: s.failure.stage.label, Reason: s.failure.slug}]++
	}
	t.Sessions[SessionKey{Result: result, Media: s.carries.label}]++
}

// settle counts what counts once per call, when it has settled.
func (t *CallTotals) settle(p *plan, r *release) {
	t.Settled++
	bypass := cdr.Unsaid
	for i := range r.sessions {
		s := p.session(i, r.again)
		if r.rated {
			t.rate(&s.caller)
			t.rate(&s.callee)
		}
		if i >= r.media {
			continue
		}
		for k := range s.segments {
			for j := range s.segments[k].media {
				bypass = t.media(&s.segments[k].media[j], bypass)
			}
		}
	}
	if bypass.Known() {
		t.MediaBypass[simulator.MediaBypassKey{Bypass: bypass}]++
	}
}

func (t *CallTotals) rate(e *end) {
	if e.rating != "" && !e.gone {
		t.Ratings[e.rating]++
	}
}

// media counts the streams of a medium, and says whether one of the call's bypassed.
func (t *CallTotals) media(m *medium, bypass cdr.Bool) cdr.Bool {
	for i := range m.streams {
		s := &m.streams[i]
		way := "callee_to_caller"
		if s.toCallee {
			way = "caller_to_callee"
		}
		t.Streams[StreamKey{m.line.label, way, s.network, s.platform, s.verdict}]++
		key := QualityKey{m.line.label, way, s.network}
		addMicros(t.Jitter, key, s.jitter)
		addMicros(t.RoundTrip, key, s.roundTrip)
		addRatio(t.Loss, key, s.loss)
		addRatio(t.Concealed, key, s.concealed)
		if s.bypass.Known() && bypass != cdr.True {
			bypass = s.bypass
		}
	}
	return bypass
}

func addSpan(s simulator.Span, d time.Duration) simulator.Span {
	return simulator.Span{Count: s.Count + 1, Sum: s.Sum + d}
}

func addMicros(m map[QualityKey]simulator.Span, key QualityKey, n cdr.Int) {
	if n.Known {
		m[key] = addSpan(m[key], time.Duration(n.Value)*time.Microsecond)
	}
}

func addRatio(m map[QualityKey]Ratios, key QualityKey, n cdr.Int) {
	if n.Known {
		m[key] = Ratios{m[key].Count + 1, m[key].Millionth + n.Value}
	}
}
