package sim

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// served is what a row says, read the plain way.
type served struct {
	ID         string      `json:"id"`
	Type       string      `json:"callType"`
	Start      time.Time   `json:"startDateTime"`
	Invite     time.Time   `json:"inviteDateTime"`
	End        time.Time   `json:"endDateTime"`
	Failed     time.Time   `json:"failureDateTime"`
	Duration   int         `json:"duration"`
	Success    *bool       `json:"successfulCall"`
	SIP        *int64      `json:"finalSipCode"`
	Sub        *int64      `json:"callEndSubReason"`
	SBC        string      `json:"trunkFullyQualifiedDomainName"`
	Operator   string      `json:"operator"`
	Caller     string      `json:"callerNumber"`
	Callee     string      `json:"calleeNumber"`
	Charge     json.Number `json:"charge"`
	Connection json.Number `json:"connectionCharge"`
	Currency   string      `json:"currency"`
	Bypass     *bool       `json:"mediaBypassEnabled"`
	Media      string      `json:"mediaPathLocation"`
	Signaling  string      `json:"signalingLocation"`
}

// TestRowsAreTheWorldsCalls: each row says of its call what the world's totals count, and flawed rows can't be read.
func TestRowsAreTheWorldsCalls(t *testing.T) {
	clock := simulator.NewManualClock(begin)
	busy := func(s *simulator.Settings) {
		s.Malformed, s.Duplicated, s.Revised, s.NoID, s.Incidents = 0.03, 0.05, 0.2, 0.02, 0.3
	}
	_, c := start(t, Settings{
		PSTN: world(t, PSTNMix(), 4000, busy), DirectRouting: world(t, DirectRoutingMix(), 4000, busy), Clock: clock,
	})
	for _, after := range []time.Duration{8 * time.Hour, 90 * time.Hour} {
		clock.Set(begin.Add(after))
		for function, w := range map[string]*simulator.World{"getPstnCalls": c.server.settings.PSTN, "getDirectRoutingCalls": c.server.settings.DirectRouting} {
			rows, _ := c.read(function + day)
			byID, valid := map[string]*served{}, map[string]bool{}
			for _, raw := range rows {
				var r served
				if json.Unmarshal(raw, &r) == nil && !r.Start.IsZero() && r.Duration >= 0 {
					byID[r.ID], valid[string(raw)] = &r, true
				}
			}
			if want := w.Totals(clock.Now()); len(rows) != want.Rows || len(valid) != want.Records || want.Invalid == 0 {
				t.Errorf("%s: %d rows, %d valid; want %d, %d", function, len(rows), len(valid), want.Rows, want.Records)
			}
			w.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool {
				i := call.At(clock.Now())
				if r := byID[call.ID.String()]; i >= 0 && !call.NoID && (r == nil) == (call.Flaw == simulator.NoFlaw) {
					t.Errorf("%s: %s with flaw %d is %+v", function, call.ID, call.Flaw, r)
				} else if i >= 0 && r != nil {
					r.compare(t, call, &call.Versions()[i])
				}
				return true
			})
		}
	}
}

// compare compares a row with its call.
func (r *served) compare(t *testing.T, c *simulator.Call, v *simulator.Version) {
	t.Helper()
	k := v.Kind
	same := func(what string, got, want any) {
		if got != want {
			t.Errorf("%s, %s: %s is %v, want %v", c.ID, k.Wire, what, got, want)
		}
	}
	same("type", r.Type, k.Wire)
	same("start", r.Start.UTC(), c.Start)
	same("duration", r.Duration, int(v.Duration/time.Second))
	same("trunk", r.SBC+r.Operator, c.Trunk.Wire)
	other, own := r.Callee, r.Caller
	if k.Direction == cdr.Inbound {
		other, own = own, other
	}
	same("other party", other, c.Other.String())
	if k.Direction != cdr.DirectionUnknown {
		same("own number", own, c.Own.String())
	}
	if r.Operator != "" {
		charge, _ := r.Charge.Float64()
		connection, _ := r.Connection.Float64()
		same("charge", charge, v.Usage.Amount.Float())
		same("connection charge", connection, v.Connection.Amount.Float())
		same("currency", r.Currency, v.Currency)
		same("answered", r.Duration > 0, k.Outcome == cdr.Answered)
		return
	}
	end := map[bool]time.Time{true: r.End, false: r.Failed}[k.Outcome.Connected()]
	same("end", end.UTC(), c.End(v))
	same("invite", r.Invite.UTC(), c.Invite)
	same("success", known(r.Success), k.Success)
	same("SIP code", code(r.SIP), k.SIPCode)
	same("sub-code", code(r.Sub), k.SubCode)
	if !k.NoMedia {
		same("bypass", known(r.Bypass), c.Trunk.Bypass)
		same("locations", r.Media+" "+r.Signaling, c.Trunk.Media+" "+c.Trunk.Signaling)
	}
}

func known(b *bool) cdr.Bool {
	if b == nil {
		return cdr.Unsaid
	}
	return cdr.KnownBool(*b)
}

func code(n *int64) cdr.Int {
	if n == nil {
		return cdr.Int{}
	}
	return cdr.KnownInt(*n)
}
