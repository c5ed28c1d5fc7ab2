package sim

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/simtest"
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
	for i, p := range CallRecordsMix().Prefixes {
		if strings.HasPrefix(number, p.Digits[:6]) { // what follows may be masked
			country = CallRecordsMix().Prefixes[i].Country
		}
	}
	r.Calls[simulator.CallKey{Direction: way, CallType: callType, Outcome: outcome}]++
	if outcome == cdr.Answered {
		key := simulator.DurationKey{Direction: way, CallType: callType}
		r.Durations[key] = simulator.Span{Count: r.Durations[key].Count + 1, Sum: r.Durations[key].Sum + c.End.Sub(c.Start)}
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
	for _, f := range setupFailures {
		if f.reason == s.Failure.Reason {
			return f.slug
		}
	}
	for _, f := range droppedSessions {
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
		into[key] = simulator.Span{Count: into[key].Count + 1, Sum: into[key].Sum + readISO(*text)}
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
	simtest.Same(t, what+": calls", got.Calls, want.Calls)
	simtest.Same(t, what+": failures", got.Failures, want.Failures)
	simtest.Same(t, what+": durations", got.Durations, want.Durations)
	simtest.Same(t, what+": connected", got.Connected, want.Connected)
	simtest.Same(t, what+": outcome changes", got.OutcomeChanges, want.OutcomeChanges)
	simtest.Same(t, what+": emergency", got.Emergency, want.Emergency)
	simtest.Same(t, what+": media bypass", got.MediaBypass, want.MediaBypass)
	simtest.Same(t, what+": sessions", got.Sessions, want.Sessions)
	simtest.Same(t, what+": session failures", got.SessionFailures, want.SessionFailures)
	simtest.Same(t, what+": streams", got.Streams, want.Streams)
	simtest.Same(t, what+": jitter", got.Jitter, want.Jitter)
	simtest.Same(t, what+": round trip", got.RoundTrip, want.RoundTrip)
	simtest.Same(t, what+": loss", got.Loss, want.Loss)
	simtest.Same(t, what+": concealed", got.Concealed, want.Concealed)
	simtest.Same(t, what+": ratings", got.Ratings, want.Ratings)
}

// TestCallTotalsAreWhatWasServed: whoever reads everything once counts the totals.
func TestCallTotalsAreWhatWasServed(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 300, nil)})
	for name, at := range map[string]time.Time{"in the day": begin.Add(12 * time.Hour), "after it": begin.Add(96 * time.Hour)} {
		for _, settle := range []time.Duration{0, 90 * time.Minute} {
			_, c, _ := startRecords(t, r, at, nil)
			got := newReader(settle)
			got.look(c)
			want := r.Totals(at, settle)
			compareCalls(t, name+", settle "+settle.String(), &got.CallTotals, &want)
			if len(want.Streams) < 60 || len(want.Ratings) != 5 || len(want.Emergency) == 0 || len(want.SessionFailures) < 10 {
				t.Errorf("%s: a world too small to tell: %d kinds of streams, %d ratings, %d emergencies, %d failures", name,
					len(want.Streams), len(want.Ratings), len(want.Emergency), len(want.SessionFailures))
			}
		}
	}
}

// TestCallTotalsOfSeveralLooks: calls count by the first version that was seen with a
// session, sessions by the first that was seen with them, media when the call has
// settled.
func TestCallTotalsOfSeveralLooks(t *testing.T) {
	v := UsualVersions()
	v.Moved, v.Young, v.Later = 0.5, 0.5, 0.3
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 200, only(func(_ *simulator.Kind, x *shape) bool { return x.most < 20 })), Versions: v})
	_, c, clock := startRecords(t, r, begin, nil)
	view := CallView{Settle: 90 * time.Minute}
	got := newReader(view.Settle)
	looks := []time.Duration{6 * time.Hour, 15 * time.Hour, 40 * time.Hour, 72 * time.Hour}
	for n := range 12 {
		looks = append(looks, 9*time.Hour+time.Duration(n)*20*time.Minute)
	}
	slices.Sort(looks)
	for _, after := range looks {
		view.At = append(view.At, begin.Add(after))
		clock.Set(begin.Add(after))
		got.look(c)
		want := r.TotalsOf(view)
		compareCalls(t, after.String(), &got.CallTotals, &want)
	}
	if want := r.TotalsOf(view); len(want.OutcomeChanges) == 0 {
		t.Error("no outcome has changed")
	}
	once := r.Totals(begin.Add(72*time.Hour), 90*time.Minute)
	if many := r.TotalsOf(view); many.Records != once.Records || many.Calls == nil {
		t.Errorf("%d records by many looks, %d by one", many.Records, once.Records)
	}
}

// TestCallTotalsOfARange: only calls that start in it, as they were first seen, count.
func TestCallTotalsOfARange(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 400, nil)})
	at, noon := begin.Add(96*time.Hour), begin.Add(12*time.Hour)
	whole := r.Totals(at, 0)
	rest := r.TotalsOf(CallView{From: noon, At: []time.Time{at}})
	if listed, _ := r.list(span{noon.UnixMilli(), at.UnixMilli()}, nil, at, 1000); rest.Records+rest.Invalid != len(listed) || rest.Records >= whole.Records {
		t.Errorf("%d of %d records after noon, %d are listed", rest.Records, whole.Records, len(listed))
	}
	if none := r.TotalsOf(CallView{}); none.Records != 0 {
		t.Errorf("who never looked counted %d", none.Records)
	}
}

// TestRoutedCallsHaveRecords: the calls of Direct Routing have records under their
// correlation ids, also after a restart that forgot which were given out.
func TestRoutedCallsHaveRecords(t *testing.T) {
	routing := world(t, DirectRoutingMix(), 300, nil)
	at := begin.Add(48 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 100, nil), Routed: routing, RoutedShare: 0.5})
	_, c, _ := startRecords(t, r, at, func(s *Settings) { s.DirectRouting = routing })
	rows, _ := c.read("getDirectRoutingCalls" + day)
	if len(rows) < 300 {
		t.Fatalf("%d rows", len(rows))
	}
	got := newReader(0)
	got.look(c)
	want := r.Totals(at, 0)
	compareCalls(t, "with routed calls", &got.CallTotals, &want)

	correlated := map[string]bool{}
	routing.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool {
		correlated[call.CallID.String()] = true
		return true
	})
	again := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 100, nil), Routed: routing, RoutedShare: 0.5})
	_, fresh, _ := startRecords(t, again, at, nil)
	shared := 0
	for id := range got.calls {
		if !correlated[id] {
			continue
		}
		shared++
		if fresh.record(id) == nil {
			t.Errorf("%s isn't found after a restart", id)
		}
	}
	if shared < 90 || shared > 160 {
		t.Errorf("%d of 300 routed calls have records", shared)
	}
}
