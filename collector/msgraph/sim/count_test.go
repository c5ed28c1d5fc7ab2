package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// served is what a row says, read the plain way.
type served struct {
	ID         *string     `json:"id"`
	Type       string      `json:"callType"`
	Start      *time.Time  `json:"startDateTime"`
	Invite     *time.Time  `json:"inviteDateTime"`
	End        *time.Time  `json:"endDateTime"`
	Duration   int         `json:"duration"`
	Success    *bool       `json:"successfulCall"`
	SIP        *int64      `json:"finalSipCode"`
	Sub        *int64      `json:"callEndSubReason"`
	SBC        string      `json:"trunkFullyQualifiedDomainName"`
	Operator   string      `json:"operator"`
	Caller     *string     `json:"callerNumber"`
	Callee     *string     `json:"calleeNumber"`
	Charge     json.Number `json:"charge"`
	Connection json.Number `json:"connectionCharge"`
	Currency   string      `json:"currency"`
	Bypass     *bool       `json:"mediaBypassEnabled"`
	Media      string      `json:"mediaPathLocation"`
	Signaling  string      `json:"signalingLocation"`
}

// tally counts rows that were served, by the contract's text.
type tally struct {
	simulator.Totals
	seen map[string]bool
}

func newTally() *tally {
	return &tally{seen: map[string]bool{}, Totals: simulator.Totals{
		Calls: map[simulator.CallKey]int{}, Failures: map[simulator.FailureKey]int{},
		Durations: map[simulator.DurationKey]simulator.Span{}, Connected: map[simulator.ConnectedKey]time.Duration{},
		Setup: map[simulator.SetupKey]simulator.Span{}, Charges: map[simulator.ChargeKey]simulator.Amount{},
		Corrections: map[simulator.CorrectionKey]simulator.Amount{}, MediaBypass: map[simulator.MediaBypassKey]int{},
		Locations: map[simulator.LocationKey]int{}, Emergency: map[simulator.EmergencyKey]int{},
	}}
}

func (c *tally) add(raw json.RawMessage) {
	c.Rows++
	if c.seen[string(raw)] {
		c.Duplicates++
		return
	}
	c.seen[string(raw)] = true
	var r served
	if err := json.Unmarshal(raw, &r); err != nil || r.Start == nil || r.Duration < 0 {
		c.Invalid++
		return
	}
	c.Records++
	direct := r.SBC != ""
	trunk := strings.ToLower(r.SBC)
	if !direct {
		trunk = r.Operator
	}
	outcome := r.outcome(direct)
	way, kind := directionOf(r.Type), snake(r.Type)
	duration := time.Duration(r.Duration) * time.Second
	c.Calls[simulator.CallKey{Direction: way, CallType: kind, Outcome: outcome, Trunk: trunk}]++
	country := r.country(way)
	if outcome == cdr.Answered {
		key := simulator.DurationKey{Direction: way, CallType: kind, Trunk: trunk}
		c.Durations[key] = plus(c.Durations[key], duration)
		c.Connected[simulator.ConnectedKey{Direction: way, CallType: kind, Trunk: trunk, Country: country}] += duration
		if r.Invite != nil {
			key := simulator.SetupKey{Direction: way, Trunk: trunk}
			c.Setup[key] = plus(c.Setup[key], r.Start.Sub(*r.Invite))
		}
	} else {
		c.Failures[simulator.FailureKey{Direction: way, Trunk: trunk, Outcome: outcome, SIPCode: decimal(r.SIP), SubCode: decimal(r.Sub)}]++
	}
	if r.Bypass != nil {
		c.MediaBypass[simulator.MediaBypassKey{Trunk: trunk, Bypass: cdr.KnownBool(*r.Bypass)}]++
	}
	if r.Media != "" || r.Signaling != "" {
		c.Locations[simulator.LocationKey{Media: r.Media, Signaling: r.Signaling}]++
	}
	if callee := text(r.Callee); way == cdr.Outbound && slices.Contains([]string{"911", "933", "112", "999"}, callee) {
		c.Emergency[simulator.EmergencyKey{Outcome: outcome, Test: callee == "933"}]++
	}
	c.money(simulator.ChargeKey{Direction: way, CallType: kind, Country: country}, &r)
}

func plus(s simulator.Span, d time.Duration) simulator.Span {
	return simulator.Span{Count: s.Count + 1, Sum: s.Sum + d}
}

func decimal(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (c *tally) money(key simulator.ChargeKey, r *served) {
	key.Currency = r.Currency
	if key.Currency == "" {
		key.Currency = "XXX"
	}
	for component, amount := range map[string]json.Number{"usage": r.Charge, "connection": r.Connection} {
		f, _ := amount.Float64()
		key.Component = component
		switch n := simulator.Amount(int64(f*10_000 + 0.5)); {
		case f > 0:
			c.Charges[key] += n
		case f < 0:
			c.Corrections[simulator.CorrectionKey{ChargeKey: key, Sign: "credit"}] += simulator.Amount(int64(-f*10_000 + 0.5))
		}
	}
}

// outcome is the contract's, as an ordered list.
func (r *served) outcome(direct bool) cdr.Outcome {
	if !direct {
		if r.Duration > 0 {
			return cdr.Answered
		}
		return cdr.NotConnected
	}
	if r.Success != nil && *r.Success {
		return cdr.Answered
	}
	ended := r.End != nil && r.End.Year() > 1
	if r.Success == nil && r.SIP != nil && (*r.SIP == 0 || *r.SIP == 200) && ended && r.Duration > 0 {
		return cdr.Answered
	}
	if r.SIP == nil {
		return cdr.Unknown
	}
	return byCodes(*r.SIP, *r.Sub)
}

func byCodes(sip, sub int64) cdr.Outcome {
	in := func(n int64, list ...int64) bool { return slices.Contains(list, n) }
	switch {
	case in(sub/1000, 549, 569, 531) || in(sub, 500001, 510532, 510544, 510559, 560402, 560403, 10140, 10191, 10202, 10320, 10553):
		return cdr.Failed
	case in(sub, 10199, 10500, 510534, 510560, 510562, 510563):
		return cdr.NotAllowed
	case sub == 511404:
		return cdr.InvalidNumber
	case sub == 10037, sip == 480, sip == 408 && in(sub, 0, 560408):
		return cdr.NoAnswer
	case in(sip, 486, 600):
		return cdr.Busy
	case sip == 487:
		return cdr.Cancelled
	case in(sip, 603, 607, 608):
		return cdr.Rejected
	case in(sip, 404, 410, 416, 484, 485, 604):
		return cdr.InvalidNumber
	case in(sip, 403, 433):
		return cdr.NotAllowed
	case sip >= 400 && sip < 700:
		return cdr.Failed
	}
	return cdr.Unknown
}

func directionOf(kind string) cdr.Direction {
	words := strings.Split(snake(kind), "_")
	switch {
	case slices.Contains(words, "in"):
		return cdr.Inbound
	case slices.Contains(words, "out"):
		return cdr.Outbound
	}
	return cdr.DirectionUnknown
}

func snake(kind string) string {
	var b strings.Builder
	for i, c := range kind {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// country is by the prefixes that are in the world.
func (r *served) country(way cdr.Direction) string {
	number := text(r.Callee)
	if way == cdr.Inbound {
		number = text(r.Caller)
	}
	for prefix, country := range map[string]string{
		"+1425": "US", "+1212": "US", "+1613": "CA", "+1876": "JM", "+44": "GB", "+49": "DE", "+33": "FR", "+46": "SE", "+800": "001",
	} {
		if way != cdr.DirectionUnknown && strings.HasPrefix(number, prefix) {
			return country
		}
	}
	return ""
}

// TestTotalsAreWhatWasServed counts the rows that came over HTTPS, and compares.
func TestTotalsAreWhatWasServed(t *testing.T) {
	clock := simulator.NewManualClock(begin)
	busy := func(s *simulator.Settings) {
		s.Malformed, s.Duplicated, s.Revised, s.NoID, s.Incidents = 0.03, 0.05, 0.2, 0.02, 0.3
	}
	_, c := start(t, Settings{
		PSTN: world(t, PSTNMix(), 4000, busy), DirectRouting: world(t, DirectRoutingMix(), 4000, busy), Clock: clock,
	})
	for _, after := range []time.Duration{8 * time.Hour, 90 * time.Hour} {
		clock.Set(begin.Add(after))
		for function, w := range map[string]*simulator.World{
			"getPstnCalls": c.server.settings.PSTN, "getDirectRoutingCalls": c.server.settings.DirectRouting,
		} {
			got := newTally()
			rows, _ := c.read(function + day)
			for _, row := range rows {
				got.add(row)
			}
			compare(t, function, &got.Totals, w.Totals(clock.Now()))
		}
	}
}

func compare(t *testing.T, what string, got *simulator.Totals, want simulator.Totals) {
	t.Helper()
	// Copies of malformed rows aren't duplicates of a record.
	if got.Rows != want.Rows || got.Records != want.Records || got.Invalid != want.Invalid || got.Records == 0 {
		t.Errorf("%s: %d rows, %d records, %d invalid; want %d, %d, %d", what, got.Rows, got.Records, got.Invalid, want.Rows, want.Records, want.Invalid)
	}
	same(t, what+" calls", got.Calls, want.Calls)
	same(t, what+" failures", got.Failures, want.Failures)
	same(t, what+" durations", got.Durations, want.Durations)
	same(t, what+" connected", got.Connected, want.Connected)
	same(t, what+" setup", got.Setup, want.Setup)
	same(t, what+" charges", got.Charges, want.Charges)
	same(t, what+" corrections", got.Corrections, want.Corrections)
	same(t, what+" media bypass", got.MediaBypass, want.MediaBypass)
	same(t, what+" locations", got.Locations, want.Locations)
	same(t, what+" emergency", got.Emergency, want.Emergency)
}

func same[K, V comparable](t *testing.T, what string, got, want map[K]V) {
	t.Helper()
	for key := range maps.Keys(want) {
		if got[key] != want[key] {
			t.Errorf("%s %+v: %v, want %v", what, key, got[key], want[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d label sets, want %d", what, len(got), len(want))
	}
}
