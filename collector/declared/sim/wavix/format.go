package sim

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// columns are the members of rows, in the order of their CSV.
func columns(old bool) []string {
	if old {
		return strings.Fields("date from to duration charge destination sip_trunk per_minute forward_fee " +
			"disposition uuid parent_uuid")
	}
	return strings.Fields("date from to disposition duration destination per_minute charge sip_trunk forward_fee " +
		"uuid call_id parent_uuid parent_call_id answered_by")
}

// object is a row as the API shows it: members of type nil, string, int or json.Number, or nonsense.
type object struct {
	members  map[string]any
	nonsense string
}

// json is the row in JSON. The old API leaves out members without a value, which are null otherwise.
func (x object) json(old bool) json.RawMessage {
	if x.nonsense != "" {
		return simulator.JSON(x.nonsense)
	}
	o := make(simulator.Object, 0, 512)
	for _, name := range columns(old) {
		if value, ok := x.members[name]; ok && (value != nil || !old) {
			o.Set(name, value)
		}
	}
	return simulator.JSON(o)
}

// object is a version of the row. Since Wavix's older samples and its tables of types disagree, the old
// API writes phone numbers and money as JSON numbers.
func (r *row) object(old bool, v *simulator.Version) object {
	id := func(id simulator.UUID, has bool) any {
		if !has {
			return nil
		}
		return id.String()
	}
	amount := func(p simulator.Price) any {
		switch text := p.Amount.Decimal(5, 1); {
		case !p.Known:
			return nil
		case old:
			return json.Number(text)
		default:
			return text
		}
	}
	from, to := r.parties(false)
	if old {
		from, to = asNumber(from), asNumber(to)
	}
	answeredBy := any(nil)
	if v.Kind.Outcome.Connected() && !v.Incomplete {
		answeredBy = "human"
	}
	m := map[string]any{
		"date": r.Started(timeText(r.Start)), "from": from, "to": to, "duration": int(v.Duration / time.Second),
		"destination": simulator.OrNull(r.destination()), "charge": amount(v.Usage), "per_minute": amount(perMinute(v)),
		"forward_fee": "0.0", "sip_trunk": simulator.OrNull(r.Trunk.Name), "answered_by": answeredBy,
		"uuid": id(r.ID, !r.NoID), "call_id": id(r.ID, !r.NoID),
		"parent_uuid": id(r.parent, r.isLeg()), "parent_call_id": id(r.parent, r.isLeg()),
	}
	if v.Kind.Phrase != "" {
		m["disposition"] = v.Kind.Phrase
	}
	// The old API leaves the fee out of calls that weren't forwarded; in 2026 it is zero.
	if r.hasFee || old {
		m["forward_fee"] = amount(v.Connection)
	}
	switch r.Flaw {
	case simulator.Truncated:
		maps.DeleteFunc(m, func(name string, _ any) bool { return name != "uuid" && name != "call_id" })
	case simulator.NotAnObject:
		return object{nonsense: "row " + r.ID.String()}
	default:
	}
	return object{members: m}
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// asNumber is a text as a JSON number, if it is one.
func asNumber(party any) any {
	text, _ := party.(string)
	if _, err := strconv.ParseUint(text, 10, 64); err != nil || text[0] == '0' {
		return party
	}
	return json.Number(text)
}

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
