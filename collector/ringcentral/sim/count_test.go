package sim

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/simtest"
)

// servedParty is a party of a row, read the plain way.
type servedParty struct {
	Phone     string `json:"phoneNumber"`
	Extension string `json:"extensionNumber"`
	Name      string `json:"name"`
}

// served is what a row says.
type served struct {
	ID         *string     `json:"id"`
	Session    string      `json:"sessionId"`
	Telephony  string      `json:"telephonySessionId"`
	Start      *time.Time  `json:"startTime"`
	Duration   *int        `json:"duration"`
	Millis     *int        `json:"durationMs"`
	Type       string      `json:"type"`
	Direction  string      `json:"direction"`
	Action     string      `json:"action"`
	Result     string      `json:"result"`
	From       servedParty `json:"from"`
	To         servedParty `json:"to"`
	ExtensionA *struct {
		ID int64 `json:"id"`
	} `json:"extension"`
	Recording *struct {
		ID, Type string
	} `json:"recording"`
	Billing *struct {
		Included  json.Number `json:"costIncluded"`
		Purchased json.Number `json:"costPurchased"`
	} `json:"billing"`
	Legs []struct {
		Type   string `json:"legType"`
		Result string `json:"result"`
		Master bool   `json:"master"`
	} `json:"legs"`
	Modified *time.Time `json:"lastModifiedTime"`
	Target   *struct{ TelephonySessionID string }
}

// tally counts rows that were served, by the contract's text. Grouped says that a
// session counts once.
type tally struct {
	simulator.Totals
	grouped    bool
	seen       map[string]bool
	sessions   map[string]bool
	recordings map[string]bool
}

func newTally(grouped bool) *tally {
	return &tally{
		grouped: grouped, seen: map[string]bool{}, sessions: map[string]bool{}, recordings: map[string]bool{},
		Totals: simulator.Totals{
			Ignored: map[string]int{}, Calls: map[simulator.CallKey]int{}, Failures: map[simulator.FailureKey]int{},
			Durations: map[simulator.DurationKey]simulator.Span{}, Connected: map[simulator.ConnectedKey]time.Duration{},
			Charges: map[simulator.ChargeKey]simulator.Amount{}, Corrections: map[simulator.CorrectionKey]simulator.Amount{},
			Emergency: map[simulator.EmergencyKey]int{}, Legs: map[simulator.LegKey]int{}, Recordings: map[string]int{},
		},
	}
}

// outcomes are the contract's, without case.
var outcomes = map[string]cdr.Outcome{
	"accepted": cdr.Answered, "call connected": cdr.Answered, "answered elsewhere": cdr.Answered, "911": cdr.Answered, "933": cdr.Answered,
	"voicemail": cdr.Voicemail, "sent to voicemail": cdr.Voicemail, "callback requested": cdr.Voicemail,
	"missed": cdr.NoAnswer, "no answer": cdr.NoAnswer, "answered not accepted": cdr.NoAnswer,
	"busy": cdr.Busy, "hang up": cdr.Cancelled, "abandoned": cdr.Cancelled, "stopped": cdr.Cancelled,
	"rejected": cdr.Rejected, "declined": cdr.Rejected, "blocked": cdr.Rejected, "reply": cdr.Rejected,
	"wrong number": cdr.InvalidNumber,
	"not allowed":  cdr.NotAllowed, "restricted number": cdr.NotAllowed, "international disabled": cdr.NotAllowed,
	"international restricted": cdr.NotAllowed, "no calling credit": cdr.NotAllowed, "suspended account": cdr.NotAllowed,
	"call failed": cdr.Failed, "call failure": cdr.Failed, "internal error": cdr.Failed, "carrier is not active": cdr.Failed,
	"edge trunk misconfigured": cdr.Failed, "ip phone offline": cdr.Failed,
}

func outcomeOf(result string) cdr.Outcome {
	return outcomes[strings.ToLower(strings.TrimSpace(result))]
}

// outcome is the row's, and whether it is final.
func (r *served) outcome() (cdr.Outcome, bool) {
	if r.Result == "" || r.Result == "Missed" {
		for _, l := range r.Legs {
			if l.Result == "Accepted" {
				return cdr.Answered, true
			}
		}
	}
	return outcomeOf(r.Result), r.Result != "" && r.Result != "In Progress"
}

func (r *served) valid(raw json.RawMessage) bool {
	return json.Unmarshal(raw, r) == nil && r.Start != nil && r.ID != nil && (r.Duration == nil || *r.Duration >= 0)
}

func (r *served) isCall() bool {
	return r.Type == "Voice" &&
		!slices.Contains([]string{"E911 Update", "Monitoring", "Barge In Call", "Paging", "Text Relay", "Phone Login"}, r.Action)
}

// add counts a row as one knows it who asks at an instant.
func (c *tally) add(raw json.RawMessage, at time.Time) {
	c.Rows++
	if c.seen[string(raw)] {
		c.Duplicates++
		return
	}
	c.seen[string(raw)] = true
	var r served
	if !r.valid(raw) {
		c.Invalid++
		return
	}
	if !r.isCall() {
		c.Ignored[cdr.CallType(r.Action)]++
		return
	}
	outcome, final := r.outcome()
	if !final && at.Sub(*r.Start) <= 48*time.Hour {
		c.Waiting++
		return
	}
	c.Records++
	if r.Recording != nil && !c.recordings[r.Recording.ID] {
		c.recordings[r.Recording.ID] = true
		c.Recordings[map[string]string{"Automatic": "automatic", "OnDemand": "on_demand"}[r.Recording.Type]]++
	}
	c.money(&r)
	session := r.Telephony + "/" + r.Session
	if c.grouped && c.sessions[session] {
		return
	}
	c.sessions[session] = true
	c.Sessions++
	c.count(&r, outcome)
}

func (c *tally) count(r *served, outcome cdr.Outcome) {
	way, kind := r.way(), cdr.CallType(r.Action)
	c.Calls[simulator.CallKey{Direction: way, CallType: kind, Outcome: outcome}]++
	if outcome.Connected() {
		key := simulator.DurationKey{Direction: way, CallType: kind}
		c.Durations[key] = simulator.Span{Count: c.Durations[key].Count + 1, Sum: c.Durations[key].Sum + r.length()}
		c.Connected[simulator.ConnectedKey{Direction: way, CallType: kind, Country: r.country()}] += r.length()
	} else {
		c.Failures[simulator.FailureKey{Direction: way, Outcome: outcome}]++
	}
	for _, l := range r.Legs {
		c.Legs[simulator.LegKey{Type: cdr.CallType(l.Type), Outcome: outcomeOf(l.Result)}]++
	}
	emergency := r.Action == "Emergency" || slices.Contains([]string{"911", "933"}, r.Result) ||
		slices.Contains([]string{"911", "933", "112", "999"}, r.To.Phone)
	if way == cdr.Outbound && emergency {
		c.Emergency[simulator.EmergencyKey{Outcome: outcome, Test: r.To.Phone == "933"}]++
	}
}

// length is the duration, in milliseconds where they are given.
func (r *served) length() time.Duration {
	switch {
	case r.Millis != nil:
		return time.Duration(*r.Millis) * time.Millisecond
	case r.Duration != nil:
		return time.Duration(*r.Duration) * time.Second
	}
	return 0
}

func (r *served) way() cdr.Direction {
	switch {
	case r.From.Phone == "" && r.To.Phone == "" && r.From.Extension != "" && r.To.Extension != "":
		return cdr.Internal
	case r.Direction == "Inbound":
		return cdr.Inbound
	case r.Direction == "Outbound":
		return cdr.Outbound
	}
	return cdr.DirectionUnknown
}

// country is by the prefixes that are in the world.
func (r *served) country() string {
	number := r.To.Phone
	if r.way() == cdr.Inbound {
		number = r.From.Phone
	}
	number = strings.TrimPrefix(number, "+")
	for prefix, country := range map[string]string{
		"1425": "US", "1650": "US", "1613": "CA", "1876": "JM", "44": "GB", "49": "DE", "33": "FR", "800": "001",
	} {
		if strings.HasPrefix(number, prefix) {
			return country
		}
	}
	return ""
}

func (c *tally) money(r *served) {
	if r.Billing == nil {
		return
	}
	for component, text := range map[string]json.Number{"included": r.Billing.Included, "purchased": r.Billing.Purchased} {
		exact, ok := new(big.Rat).SetString(text.String())
		if !ok {
			continue
		}
		exact.Mul(exact, big.NewRat(10_000, 1))
		n := simulator.Amount(exact.Num().Int64())
		key := simulator.ChargeKey{Direction: r.way(), CallType: cdr.CallType(r.Action), Country: r.country(), Component: component, Currency: "USD"}
		switch {
		case n > 0:
			c.Charges[key] += n
		case n < 0:
			c.Corrections[simulator.CorrectionKey{ChargeKey: key, Sign: "credit"}] -= n
		}
	}
}

func busy(s *simulator.Settings) {
	s.Malformed, s.Duplicated, s.Revised, s.Incidents, s.InProgress, s.Unsaid = 0.03, 0.05, 0.2, 0.2, 0.2, 0.1
}

// TestTotalsAreWhatWasServed counts the rows that came over HTTPS, and compares.
func TestTotalsAreWhatWasServed(t *testing.T) {
	clock := simulator.NewManualClock(begin)
	account, own := world(t, Mix(), 700, busy), world(t, ExtensionMix(), 400, busy)
	_, c := start(t, Settings{Account: account, Extension: own, Clock: clock})
	for _, after := range []time.Duration{8 * time.Hour, 40 * time.Hour, 90 * time.Hour} {
		clock.Set(begin.Add(after))
		for name, test := range map[string]struct {
			world *simulator.World
			uri   string
			group bool
		}{
			"company":   {account, log, false},
			"extension": {own, extension + "call-log?", true},
		} {
			got := newTally(test.group)
			rows, _ := c.read(test.uri + "view=Detailed&perPage=1000&" + day)
			for _, row := range rows {
				got.add(row, clock.Now())
			}
			compare(t, name, &got.Totals, test.world.Totals(clock.Now()))
			simple := newTally(test.group)
			rows, _ = c.read(test.uri + "perPage=max&" + day)
			for _, row := range rows {
				simple.add(row, clock.Now())
			}
			compare(t, name+" simple", &simple.Totals, test.world.TotalsOf(simulator.View{At: []time.Time{clock.Now()}, Simple: true}))
		}
	}
}

func compare(t *testing.T, what string, got *simulator.Totals, want simulator.Totals) {
	t.Helper()
	if got.Rows != want.Rows || got.Records != want.Records || got.Sessions != want.Sessions || got.Invalid != want.Invalid ||
		got.Waiting != want.Waiting || got.Records == 0 {
		t.Errorf("%s: %d rows, %d records, %d sessions, %d invalid, %d waiting; want %d, %d, %d, %d, %d", what,
			got.Rows, got.Records, got.Sessions, got.Invalid, got.Waiting, want.Rows, want.Records, want.Sessions, want.Invalid, want.Waiting)
	}
	simtest.Same(t, what+" ignored", got.Ignored, want.Ignored)
	simtest.Same(t, what+" calls", got.Calls, want.Calls)
	simtest.Same(t, what+" failures", got.Failures, want.Failures)
	simtest.Same(t, what+" durations", got.Durations, want.Durations)
	simtest.Same(t, what+" connected", got.Connected, want.Connected)
	simtest.Same(t, what+" charges", got.Charges, want.Charges)
	simtest.Same(t, what+" corrections", got.Corrections, want.Corrections)
	simtest.Same(t, what+" emergency", got.Emergency, want.Emergency)
	simtest.Same(t, what+" legs", got.Legs, want.Legs)
	simtest.Same(t, what+" recordings", got.Recordings, want.Recordings)
}
