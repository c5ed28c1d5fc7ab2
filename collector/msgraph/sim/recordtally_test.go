package sim

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// reader counts records as the contract's text has it, by what is served.
type reader struct {
	CallTotals
	settle   time.Duration
	calls    map[string]cdr.Outcome
	sessions map[string]bool
	settled  map[string]bool
}

func newReader(settle time.Duration) *reader {
	return &reader{
		CallTotals: newCallTotals(), settle: settle,
		calls: map[string]cdr.Outcome{}, sessions: map[string]bool{}, settled: map[string]bool{},
	}
}

// look reads all that is there.
func (r *reader) look(c *client) {
	c.t.Helper()
	r.Waiting = 0
	now := c.server.Now()
	seen := map[string]bool{}
	for _, listed := range c.list(begin.Add(-24*time.Hour), begin.Add(96*time.Hour)) {
		if seen[listed.ID] {
			continue // a row that is listed twice
		}
		seen[listed.ID] = true
		record := c.record(listed.ID)
		if record == nil {
			if _, ok := r.calls[listed.ID]; !ok {
				r.Waiting++
			}
			continue
		}
		if record.Version != listed.Version || !record.Start.Equal(listed.Start) {
			c.t.Errorf("%s is listed with version %d and start %s, and has %d and %s", listed.ID, listed.Version, listed.Start, record.Version, record.Start)
		}
		r.take(record, now)
	}
}

func (r *reader) take(c *servedRecord, now time.Time) {
	over := !now.Before(c.End.Add(r.settle))
	before, known := r.calls[c.ID]
	if !known && len(c.Sessions) == 0 && !over {
		r.Waiting++
		return
	}
	outcome, way, number := c.reading()
	callType := map[string]string{"groupCall": "group_call", "peerToPeer": "peer_to_peer"}[c.Type]
	switch {
	case !known:
		r.Records++
		r.call(c, callType, outcome, way, number)
	case before != outcome:
		r.OutcomeChanges[simulator.OutcomeChange{From: before, To: outcome}]++
	}
	r.calls[c.ID] = outcome
	for i := range c.Sessions {
		if s := &c.Sessions[i]; !r.sessions[c.ID+s.ID] {
			r.sessions[c.ID+s.ID] = true
			r.session(s)
		}
	}
	if over && !r.settled[c.ID] && (r.settle > 0 || len(c.Sessions) > 0 || now.Sub(c.End) > 48*time.Hour) {
		r.settled[c.ID] = true
		r.Settled++
		r.media(c)
	}
}

// reading is what the sessions say of the call.
func (c *servedRecord) reading() (outcome cdr.Outcome, way cdr.Direction, number string) {
	outcome, way = cdr.NotConnected, cdr.Internal
	for i := range c.Sessions {
		s := &c.Sessions[i]
		if s.Failure == nil || s.Failure.Stage == "midcall" {
			outcome = cdr.Answered
		}
		if caller, callee := s.Caller.phone(), s.Callee.phone(); way == cdr.Internal && callee != "" {
			way, number = cdr.Outbound, callee
		} else if way == cdr.Internal && caller != "" {
			way, number = cdr.Inbound, caller
		}
	}
	return outcome, way, number
}

func (r *reader) call(c *servedRecord, callType string, outcome cdr.Outcome, way cdr.Direction, number string) {
	country := ""
	for i, p := range places() {
		if strings.HasPrefix(number, p.Digits[:6]) { // what follows may be masked
			country = places()[i].Country
		}
	}
	r.Calls[simulator.CallKey{Direction: way, CallType: callType, Outcome: outcome}]++
	if outcome == cdr.Answered {
		key := simulator.DurationKey{Direction: way, CallType: callType}
		r.Durations[key] = plus(r.Durations[key], c.End.Sub(c.Start))
		r.Connected[simulator.ConnectedKey{Direction: way, CallType: callType, Country: country}] += c.End.Sub(c.Start)
	} else {
		r.Failures[simulator.FailureKey{Direction: way, Outcome: outcome}]++
	}
	if way == cdr.Outbound && (number == "911" || number == "933" || number == "112") {
		r.Emergency[simulator.EmergencyKey{Outcome: outcome, Test: number == "933"}]++
	}
}

// slugs are those of the simulator's reasons.
func (s *servedSession) reason() string {
	for _, f := range setupFailures() {
		if f.reason == s.Failure.Reason {
			return f.slug
		}
	}
	for _, f := range droppedSessions() {
		if f.reason == s.Failure.Reason {
			return f.slug
		}
	}
	return "unknown reason"
}

func (r *reader) session(s *servedSession) {
	has := func(m string) bool { return strings.Contains(","+strings.Join(s.Modalities, ",")+",", ","+m+",") }
	key := SessionKey{Media: "other"}
	switch {
	case has("video"):
		key.Media = "video"
	case has("screenSharing") || has("videoBasedScreenSharing"):
		key.Media = "screen_share"
	case has("audio"):
		key.Media = "audio"
	case has("data"):
		key.Media = "data"
	}
	if s.Failure != nil {
		key.Result = cdr.SessionSetupFailed
		if s.Failure.Stage == "midcall" {
			key.Result = cdr.SessionDropped
		}
		stage := map[string]string{"callSetup": "call_setup", "midcall": "midcall", "unknown": "unknown"}[s.Failure.Stage]
		r.SessionFailures[SessionFailureKey{stage, s.reason()}]++
	}
	r.Sessions[key]++
}

func (r *reader) media(c *servedRecord) {
	bypass := cdr.Unsaid
	for i := range c.Sessions {
		s := &c.Sessions[i]
		for _, e := range []*servedEnd{s.Caller, s.Callee} {
			if e != nil && e.Feedback != nil && e.Feedback.Rating != "notRated" {
				r.Ratings[e.Feedback.Rating]++
			}
		}
		for k := range s.Segments {
			for _, m := range s.Segments[k].Media {
				for n := range m.Streams {
					r.stream(s, &m, &m.Streams[n])
					if b := m.Streams[n].Bypass; b != nil && bypass != cdr.True {
						bypass = cdr.KnownBool(*b)
					}
				}
			}
		}
	}
	if bypass.Known() {
		r.MediaBypass[simulator.MediaBypassKey{Bypass: bypass}]++
	}
}

func (r *reader) stream(s *servedSession, m *servedMedium, x *servedStream) {
	key := StreamKey{Direction: "callee_to_caller", Network: "unknown", Platform: "unknown"}
	sender, network := s.Callee, m.CalleeNetwork
	if x.Direction == "callerToCallee" {
		key.Direction, sender, network = "caller_to_callee", s.Caller, m.CallerNetwork
	}
	if network != nil {
		key.Network = network.ConnectionType
	}
	if sender != nil && sender.Agent != nil {
		if key.Platform = "service"; sender.Agent.Role == "" {
			key.Platform = map[string]string{
				"windows": "windows", "macOS": "macos", "iOS": "ios", "android": "android", "web": "web", "ipPhone": "ip_phone",
				"roomSystem": "room_system", "surfaceHub": "surface_hub", "unknown": "unknown",
			}[sender.Agent.Platform]
		}
	}
	key.Media = map[string]string{
		"main-audio": "audio", "main-video": "video", "panoramic-video": "video", "applicationsharing-video": "screen_share", "data": "data",
	}[m.Label]
	if key.Media == "" {
		key.Media = "other"
	}
	key.Verdict = x.verdict(key.Media)
	r.Streams[key]++
	q := QualityKey{key.Media, key.Direction, key.Network}
	addRead(r.Jitter, q, x.Jitter)
	addRead(r.RoundTrip, q, x.RoundTrip)
	for into, ratio := range map[*map[QualityKey]Ratios]*float64{&r.Loss: x.Loss, &r.Concealed: x.Concealed} {
		if ratio != nil {
			(*into)[q] = Ratios{(*into)[q].Count + 1, (*into)[q].Millionth + int64(math.Round(*ratio*1e6))}
		}
	}
}

func addRead(into map[QualityKey]simulator.Span, key QualityKey, text *string) {
	if text != nil {
		into[key] = plus(into[key], readISO(*text))
	}
}

// readISO reads what Go can't: days, and the P and T.
func readISO(text string) time.Duration {
	plain := strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(text, "P0D"), "P"))
	d, err := time.ParseDuration(strings.TrimPrefix(plain, "t"))
	if err != nil {
		return -time.Hour * 1e5
	}
	return d
}

// verdict classifies a stream by the text of the published rules.
func (x *servedStream) verdict(media string) string {
	yes := func(poorly bool) string {
		if poorly {
			return "poor"
		}
		return "good"
	}
	switch media {
	case "audio":
		past := x.RoundTrip != nil && readISO(*x.RoundTrip) > 500*time.Millisecond ||
			x.Loss != nil && *x.Loss > 0.1 || x.Jitter != nil && readISO(*x.Jitter) > 30*time.Millisecond
		if x.RoundTrip == nil && x.Loss == nil && x.Jitter == nil || past && x.Packets == nil {
			return "unclassified"
		}
		return yes(past && *x.Packets > 500)
	case "video", "screen_share":
		rate := map[string]float64{"video": 7, "screen_share": 2}[media]
		switch {
		case x.FrameLoss != nil:
			return yes(*x.FrameLoss > 50)
		case x.FrameRate != nil:
			return yes(*x.FrameRate < rate)
		case x.LossLeft != nil:
			return yes(*x.LossLeft > 0.15)
		}
	}
	return "unclassified"
}

func compareCalls(t *testing.T, what string, got, want *CallTotals) {
	t.Helper()
	if got.Records != want.Records || got.Settled != want.Settled || got.Waiting != want.Waiting || got.Invalid != want.Invalid {
		t.Errorf("%s: served %d records, %d settled, %d waiting, %d invalid; totals say %d, %d, %d, %d", what,
			got.Records, got.Settled, got.Waiting, got.Invalid, want.Records, want.Settled, want.Waiting, want.Invalid)
	}
	same(t, what+": calls", got.Calls, want.Calls)
	same(t, what+": failures", got.Failures, want.Failures)
	same(t, what+": durations", got.Durations, want.Durations)
	same(t, what+": connected", got.Connected, want.Connected)
	same(t, what+": outcome changes", got.OutcomeChanges, want.OutcomeChanges)
	same(t, what+": emergency", got.Emergency, want.Emergency)
	same(t, what+": media bypass", got.MediaBypass, want.MediaBypass)
	same(t, what+": sessions", got.Sessions, want.Sessions)
	same(t, what+": session failures", got.SessionFailures, want.SessionFailures)
	same(t, what+": streams", got.Streams, want.Streams)
	same(t, what+": jitter", got.Jitter, want.Jitter)
	same(t, what+": round trip", got.RoundTrip, want.RoundTrip)
	same(t, what+": loss", got.Loss, want.Loss)
	same(t, what+": concealed", got.Concealed, want.Concealed)
	same(t, what+": ratings", got.Ratings, want.Ratings)
}
