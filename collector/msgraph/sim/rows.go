package sim

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// row has the members that both functions' rows have. Members of type any can be null, or of a type that a flaw gives them.
type row struct {
	ID            any    `json:"id"`
	UserID        any    `json:"userId"`
	UserPrincipal any    `json:"userPrincipalName"`
	UserName      any    `json:"userDisplayName"`
	Start         any    `json:"startDateTime"`
	Duration      any    `json:"duration"`
	Caller        any    `json:"callerNumber"`
	Callee        any    `json:"calleeNumber"`
	CallType      string `json:"callType"`
}

// pstnRow is pstnCallLogRow.
type pstnRow struct {
	row
	CallID             string `json:"callId"`
	End                string `json:"endDateTime"`
	Charge             any    `json:"charge"`
	ConnectionCharge   any    `json:"connectionCharge"`
	Currency           any    `json:"currency"`
	DestinationContext any    `json:"destinationContext"`
	DestinationName    any    `json:"destinationName"`
	LicenseCapability  string `json:"licenseCapability"`
	InventoryType      string `json:"inventoryType"`
	TenantCountryCode  string `json:"tenantCountryCode"`
	UsageCountryCode   string `json:"usageCountryCode"`
	Operator           string `json:"operator"`
	CallDurationSource string `json:"callDurationSource"`
	ConferenceID       any    `json:"conferenceId"`
}

// directRoutingRow is directRoutingLogRow.
type directRoutingRow struct {
	row
	CorrelationID     string `json:"correlationId"`
	Invite            any    `json:"inviteDateTime"`
	Failure           any    `json:"failureDateTime"`
	End               any    `json:"endDateTime"`
	MediaBypass       any    `json:"mediaBypassEnabled"`
	MediaPathLocation any    `json:"mediaPathLocation"`
	SignalingLocation any    `json:"signalingLocation"`
	Successful        any    `json:"successfulCall"`
	FinalSIPCode      any    `json:"finalSipCode"`
	SubReason         any    `json:"callEndSubReason"`
	FinalSIPPhrase    any    `json:"finalSipCodePhrase"`
	Trunk             string `json:"trunkFullyQualifiedDomainName"`
}

// sentinel is the time that stands for none (directRoutingLogRow).
const sentinel = "0001-01-01T00:00:00Z"

// renderRow renders a row of a world, whole or spoilt.
func renderRow(endpoint string, c *simulator.Call, v *simulator.Version) any {
	switch {
	case c.Flaw == simulator.NotAnObject:
		return "row " + c.ID.String()
	case c.Flaw == simulator.Truncated:
		return map[string]string{"id": c.ID.String(), "callType": v.Kind.Wire}
	case endpoint == EndpointPSTN:
		return newPSTNRow(c, v)
	default:
		return newDirectRoutingRow(c, v)
	}
}

func newRow(c *simulator.Call, v *simulator.Version) row {
	r := row{
		ID: c.ID.String(), Start: formatTime(c.Start, c.Number), Duration: int64(v.Duration / time.Second), CallType: v.Kind.Wire,
		Caller: numberOf(&c.Own), Callee: numberOf(&c.Other),
	}
	switch {
	case c.User != nil && v.Incomplete: // names may come late
		r.UserID = c.User.ID
	case c.User != nil:
		r.UserID, r.UserPrincipal, r.UserName = c.User.ID, orNull(c.User.Principal), orNull(c.User.Name)
	case c.Number%2 == 1: // a voice application's user is null or empty
		r.UserID, r.UserPrincipal, r.UserName = "", "", ""
	}
	switch v.Kind.Direction {
	case cdr.Inbound:
		r.Caller, r.Callee = r.Callee, r.Caller
	case cdr.DirectionUnknown:
		r.Caller = r.Callee
	default:
	}
	r.spoil(c)
	return r
}

// spoil gives the row its flaw.
func (r *row) spoil(c *simulator.Call) {
	if c.NoID {
		r.ID = nil
	}
	switch c.Flaw {
	case simulator.NumericID:
		if !c.NoID {
			r.ID = int(c.ID[0])<<8 | int(c.ID[1])
		}
	case simulator.ObjectForString:
		r.Caller = map[string]string{"number": "hidden"}
	case simulator.WrongType:
		r.Duration = fmt.Sprint(r.Duration)
	case simulator.NegativeDuration:
		r.Duration = -5
	default:
	}
	if spoilt, ok := spoiltStart(c.Flaw); ok {
		r.Start = spoilt
	}
}

// spoiltStart is the start that a flaw gives.
func spoiltStart(f simulator.Flaw) (start any, ok bool) {
	switch f {
	case simulator.BadTime:
		return "yesterday", true
	case simulator.ImpossibleTime:
		return "2026-02-30T25:61:00Z", true
	case simulator.NullStart:
		return nil, true
	default:
		return nil, false
	}
}

func numberOf(n *simulator.Number) any {
	if n.Null {
		return nil
	}
	return n.String()
}

func newPSTNRow(c *simulator.Call, v *simulator.Version) *pstnRow {
	k := v.Kind
	r := &pstnRow{
		row: newRow(c, v), CallID: c.CallID.String(), End: formatTime(c.End(v), c.Number),
		Charge: price(v.Usage, c.Number), ConnectionCharge: price(v.Connection, c.Number), Currency: orNull(v.Currency),
		TenantCountryCode: "US", UsageCountryCode: "US", Operator: c.Trunk.Wire, CallDurationSource: "microsoft",
		LicenseCapability: "MCOPSTN2", InventoryType: "Subscriber",
	}
	if c.Trunk.Family == operatorConnect {
		r.CallDurationSource = "operator"
	}
	if c.Prefix != nil && k.Direction == cdr.Outbound { // rows of inbound calls have no destination
		r.DestinationName, r.DestinationContext = c.Prefix.Place, "International"
		if c.Prefix.Country == "US" {
			r.DestinationContext = "Domestic"
		}
	}
	switch {
	case k.NoUser:
		r.LicenseCapability, r.InventoryType = "MCOEV_VIRTUALUSER", "Service"
	case k.Wire == "conf_in" || k.Wire == "conf_out":
		r.LicenseCapability, r.InventoryType, r.ConferenceID = "MCOMEETADD", "TollFree", c.CallID.String()
	case k.Free:
		r.LicenseCapability = "FREECALL"
	case !k.Priced:
		r.LicenseCapability = "MCOEV"
	}
	return r
}

// price is an amount, now and then with fewer digits than it might have.
func price(p simulator.Price, style int) any {
	if !p.Known {
		return nil
	}
	text := p.Amount.String()
	if last := len(text) - 1; style%5 == 0 && text[last] == '0' {
		text = text[:last]
	}
	return json.Number(text)
}

func newDirectRoutingRow(c *simulator.Call, v *simulator.Version) *directRoutingRow {
	k := v.Kind
	r := &directRoutingRow{
		row: newRow(c, v), CorrelationID: c.CallID.String(), Successful: truth(k.Success), FinalSIPCode: whole(k.SIPCode),
		SubReason: whole(k.SubCode), FinalSIPPhrase: orNull(k.Phrase), Trunk: c.Trunk.Wire, Failure: sentinel, End: sentinel,
	}
	if c.Number%8 == 0 {
		r.Failure, r.End = nil, nil
	}
	if k.Outcome.Connected() {
		r.End = formatTime(c.End(v), c.Number)
	} else {
		r.Failure = formatTime(c.End(v), c.Number)
	}
	if !c.Invite.IsZero() {
		r.Invite = formatTime(c.Invite, c.Number)
	}
	if !k.NoMedia {
		r.MediaBypass, r.MediaPathLocation, r.SignalingLocation = truth(c.Trunk.Bypass), orNull(c.Trunk.Media), orNull(c.Trunk.Signaling)
	}
	return r
}

func truth(b cdr.Bool) any {
	if !b.Known() {
		return nil
	}
	return b == cdr.True
}

func whole(n cdr.Int) any {
	if !n.Known {
		return nil
	}
	return n.Value
}
