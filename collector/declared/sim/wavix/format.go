package sim

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// json is a version of the row.
func (r *row) json(v *simulator.Version) json.RawMessage {
	id := func(id simulator.UUID, has bool) any {
		if !has {
			return nil
		}
		return id.String()
	}
	amount := func(p simulator.Price) any {
		if !p.Known {
			return nil
		}
		return p.Amount.Decimal(5, 1)
	}
	if r.Flaw == simulator.NotAnObject {
		return simulator.JSON("row " + r.ID.String())
	}
	ids := simulator.NewObject("uuid", id(r.ID, !r.NoID), "call_id", id(r.ID, !r.NoID))
	if r.Flaw == simulator.Truncated {
		return simulator.JSON(ids)
	}
	from, to := r.parties(false)
	answeredBy, fee := any(nil), any("0.0")
	if v.Kind.Outcome.Connected() && !v.Incomplete {
		answeredBy = "human"
	}
	if r.hasFee {
		fee = amount(v.Connection)
	}
	ids.Set("date", r.Started(timeText(r.Start)), "from", from, "to", to, "duration", int(v.Duration/time.Second),
		"destination", simulator.OrNull(r.destination()), "per_minute", amount(perMinute(v)), "charge", amount(v.Usage),
		"sip_trunk", simulator.OrNull(r.Trunk.Name), "forward_fee", fee, "parent_uuid", id(r.parent, r.isLeg()),
		"parent_call_id", id(r.parent, r.isLeg()), "answered_by", answeredBy)
	if v.Kind.Phrase != "" {
		ids.Set("disposition", v.Kind.Phrase)
	}
	return simulator.JSON(ids)
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// perMinute is a price that fits the charge. As in Wavix's samples, neither can be calculated from
// the other.
func perMinute(v *simulator.Version) simulator.Price {
	p := v.Usage
	if n := minutes(v.Duration); n > 0 {
		p.Amount = max(p.Amount, -p.Amount) / simulator.Amount(n)
	}
	return p
}

// parties are the row's `from` and `to`. Numbers are digits, with a plus if they are wanted; nobody is
// null.
func (r *row) parties(plus bool) (from, to any) {
	number := func(text string) any {
		if plus {
			return text
		}
		return strings.TrimPrefix(text, "+")
	}
	own, other := number(r.Own), number(r.Other)
	if r.NoOther {
		other = nil
	}
	switch {
	case r.isLeg():
		return other, number(r.target())
	case r.side == received:
		return other, own
	}
	return own, other
}

// target is the number that a call was forwarded to.
func (r *row) target() string {
	id := r.CallID // of the forwarded call, and the leg's own id
	last := styleOf(id) >> 4
	return target.Digits + string([]byte{byte('0' + last%10), byte('0' + last/10%10)})
}

// destination is where a call went: for a placed call the place, if known, for a received call a
// trunk, a SIP URI or the number that it was forwarded to.
func (r *row) destination() string {
	kind := r.Versions()[0].Kind
	switch {
	case r.side == received && r.hasFee:
		return strings.TrimPrefix(r.target(), "+")
	case r.side == received:
		return r.Trunk.Wire
	case kind.Emergency != cdr.NoEmergency:
		return "Emergency"
	case r.Prefix != nil:
		return r.Prefix.Place
	case kind.Party == simulator.Label:
		return "SIP"
	}
	return ""
}
