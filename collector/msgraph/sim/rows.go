package sim

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// sentinel is the time that stands for none (directRoutingLogRow).
const sentinel = "0001-01-01T00:00:00Z"

// renderRow renders a row of a world, whole or with its flaw.
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

// newRow has the members that both functions' rows have.
func newRow(c *simulator.Call, v *simulator.Version) simulator.Object {
	caller, callee := phone(&c.Own), phone(&c.Other)
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
	case c.Number%2 == 1: // a voice application's user is null or empty
		user, principal, name = "", "", ""
	}
	var id, start, duration any = c.ID.String(), formatTime(c.Start, c.Number), int64(v.Duration / time.Second)
	if c.NoID {
		id = nil
	}
	switch c.Flaw {
	case simulator.NumericID:
		id = int(c.ID[0])<<8 | int(c.ID[1])
	case simulator.ObjectForString:
		caller = simulator.NewObject("number", "hidden")
	case simulator.WrongType:
		duration = strconv.FormatInt(int64(v.Duration/time.Second), 10)
	case simulator.NegativeDuration:
		duration = -5
	default:
		start = spoiltStart(c.Flaw, start)
	}
	return simulator.NewObject(
		"id", id, "userId", user, "userPrincipalName", principal, "userDisplayName", name, "startDateTime", start, "duration", duration,
		"callerNumber", caller, "calleeNumber", callee, "callType", v.Kind.Wire,
	)
}

// spoiltStart is the start that a flaw gives, if it changes the start.
func spoiltStart(f simulator.Flaw, start any) any {
	switch f {
	case simulator.BadTime:
		return "yesterday"
	case simulator.ImpossibleTime:
		return "2026-02-30T25:61:00Z"
	case simulator.NullStart:
		return nil
	default:
		return start
	}
}

func phone(n *simulator.Number) any {
	if n.Null {
		return nil
	}
	return n.String()
}

// addPSTN adds the members of pstnCallLogRow.
func addPSTN(o *simulator.Object, c *simulator.Call, v *simulator.Version) {
	k, source, license, inventory := v.Kind, "microsoft", "MCOPSTN2", "Subscriber"
	var destination, context, conference any
	if c.Trunk.Family == operatorConnect {
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
	o.Set("callId", c.CallID.String())
	o.Set("endDateTime", formatTime(c.End(v), c.Number))
	o.Set("charge", price(v.Usage, c.Number))
	o.Set("connectionCharge", price(v.Connection, c.Number))
	o.Set("currency", simulator.OrNull(v.Currency))
	o.Set("destinationContext", context)
	o.Set("destinationName", destination)
	o.Set("licenseCapability", license)
	o.Set("inventoryType", inventory)
	o.Set("tenantCountryCode", "US")
	o.Set("usageCountryCode", "US")
	o.Set("operator", c.Trunk.Wire)
	o.Set("callDurationSource", source)
	o.Set("conferenceId", conference)
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

// addDirectRouting adds the members of directRoutingLogRow.
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
		bypass, media, signaling = truth(c.Trunk.Bypass), simulator.OrNull(c.Trunk.Media), simulator.OrNull(c.Trunk.Signaling)
	}
	o.Set("correlationId", c.CallID.String())
	o.Set("inviteDateTime", invite)
	o.Set("failureDateTime", failure)
	o.Set("endDateTime", end)
	o.Set("mediaBypassEnabled", bypass)
	o.Set("mediaPathLocation", media)
	o.Set("signalingLocation", signaling)
	o.Set("successfulCall", truth(k.Success))
	o.Set("finalSipCode", whole(k.SIPCode))
	o.Set("callEndSubReason", whole(k.SubCode))
	o.Set("finalSipCodePhrase", simulator.OrNull(k.Phrase))
	o.Set("trunkFullyQualifiedDomainName", c.Trunk.Wire)
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
