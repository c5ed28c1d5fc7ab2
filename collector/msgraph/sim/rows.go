package sim

import (
	"encoding/json"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// sentinel is the time that means "none" (directRoutingLogRow).
const sentinel = "0001-01-01T00:00:00Z"

func renderRow(endpoint string, c *simulator.Call, v *simulator.Version) any {
	switch c.Flaw {
	case simulator.NotAnObject:
		return "row " + c.ID.String()
	case simulator.Truncated:
		return simulator.NewObject("id", c.ID.String(), "callType", v.Kind.Wire)
	default:
	}
	o := newRow(c, v)
	if endpoint == EndpointPSTN {
		addPSTN(&o, c, v)
	} else {
		addDirectRouting(&o, c, v)
	}
	return o
}

// newRow has the members that rows of both functions have.
func newRow(c *simulator.Call, v *simulator.Version) simulator.Object {
	var caller, callee any = c.Own, c.Other
	if c.NoOther {
		callee = nil
	}
	switch v.Kind.Direction {
	case cdr.Inbound:
		caller, callee = callee, caller
	case cdr.DirectionUnknown:
		caller = callee
	default:
	}
	var user, principal, name any
	switch {
	case c.User != nil:
		if user = c.User.ID; !v.Incomplete { // names may come late
			principal, name = simulator.OrNull(c.User.Principal), simulator.OrNull(c.User.Name)
		}
	case c.Number%2 == 1: // the user of a voice application is null or empty
		user, principal, name = "", "", ""
	}
	var id any = c.ID.String()
	if c.NoID {
		id = nil
	}
	return simulator.NewObject(
		"id", id, "userId", user, "userPrincipalName", principal, "userDisplayName", name,
		"startDateTime", c.Started(formatTime(c.Start, c.Number)),
		"duration", int64(v.Duration/time.Second),
		"callerNumber", caller, "calleeNumber", callee, "callType", v.Kind.Wire,
	)
}

func addPSTN(o *simulator.Object, c *simulator.Call, v *simulator.Version) {
	k, source, license, inventory := v.Kind, "microsoft", "MCOPSTN2", "Subscriber"
	var destination, context, conference any
	if c.Trunk.Family == 1 { // Operator Connect
		source = "operator"
	}
	if c.Prefix != nil && k.Direction == cdr.Outbound { // rows of inbound calls have no destination
		destination, context = c.Prefix.Place, "International"
		if c.Prefix.Country == "US" {
			context = "Domestic"
		}
	}
	switch {
	case k.NoUser:
		license, inventory = "MCOEV_VIRTUALUSER", "Service"
	case k.Wire == "conf_in" || k.Wire == "conf_out":
		license, inventory, conference = "MCOMEETADD", "TollFree", c.CallID.String()
	case k.Free:
		license = "FREECALL"
	case !k.Priced:
		license = "MCOEV"
	}
	o.Set(
		"callId", c.CallID.String(), "endDateTime", formatTime(c.End(v), c.Number),
		"charge", price(v.Usage, c.Number), "connectionCharge", price(v.Connection, c.Number), "currency",
		simulator.OrNull(v.Currency),
		"destinationContext", context, "destinationName", destination, "licenseCapability", license, "inventoryType",
		inventory,
		"tenantCountryCode", "US", "usageCountryCode", "US", "operator", c.Trunk.Wire, "callDurationSource", source,
		"conferenceId", conference,
	)
}

// price is an amount, sometimes without trailing zeros.
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

func addDirectRouting(o *simulator.Object, c *simulator.Call, v *simulator.Version) {
	k := v.Kind
	var invite, failure, end, bypass, media, signaling any = nil, sentinel, sentinel, nil, nil, nil
	if c.Number%8 == 0 {
		failure, end = nil, nil
	}
	if k.Outcome.Connected() {
		end = formatTime(c.End(v), c.Number)
	} else {
		failure = formatTime(c.End(v), c.Number)
	}
	if !c.Invite.IsZero() {
		invite = formatTime(c.Invite, c.Number)
	}
	if !k.NoMedia {
		bypass, media, signaling = truth(c.Trunk.Bypass), simulator.OrNull(c.Trunk.Media),
			simulator.OrNull(c.Trunk.Signaling)
	}
	o.Set(
		"correlationId", c.CallID.String(), "inviteDateTime", invite, "failureDateTime", failure, "endDateTime", end,
		"mediaBypassEnabled", bypass, "mediaPathLocation", media, "signalingLocation", signaling, "successfulCall",
		truth(k.Success),
		"finalSipCode", whole(k.SIPCode), "callEndSubReason", whole(k.SubCode), "finalSipCodePhrase",
		simulator.OrNull(k.Phrase),
		"trunkFullyQualifiedDomainName", c.Trunk.Wire,
	)
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
