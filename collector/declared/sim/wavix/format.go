package sim

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// columns are the members of a generation's rows, in the order of its CSV.
func columns(g Generation) []string {
	switch g {
	case GenerationA:
		return strings.Fields("date from to duration charge destination sip_trunk per_minute forward_fee " +
			"disposition uuid parent_uuid")
	case GenerationB:
		return strings.Fields("date from to disposition duration destination per_minute charge sip_trunk " +
			"forward_fee uuid parent_uuid answered_by")
	case GenerationD:
		return strings.Fields("call_id parent_call_id date from to disposition duration destination " +
			"per_minute charge sip_trunk forward_fee answered_by")
	default:
		return strings.Fields("date from to disposition duration destination per_minute charge sip_trunk forward_fee " +
			"uuid call_id parent_uuid parent_call_id answered_by")
	}
}

// look is the style of a row's values, since Wavix's older samples and its tables of types
// disagree.
type look struct {
	// numbers writes phone numbers as JSON numbers, plus with their plus, money as JSON numbers.
	numbers, plus, money bool
	// absent leaves out members without a value, which are null otherwise; every writes each
	// member, as the document of 2026 requires.
	absent, every bool
}

func lookOf(g Generation, style uint64) look {
	switch g {
	case GenerationA:
		return look{numbers: style%4 != 0, plus: style%8 == 0, money: true, absent: style>>3%2 == 0}
	case GenerationB:
		return look{absent: style>>4%2 == 0}
	default:
		return look{every: true}
	}
}

// absent is the value of a member that a row doesn't have.
type absent struct{}

// members are a row's values by name, of type nil, absent, string, int, json.Number, or as a flaw
// makes them.
func (r *row) members(g Generation, v *simulator.Version) map[string]any {
	l := lookOf(g, styleOf(r.ID))
	var none any
	if l.absent {
		none = absent{}
	}
	optional := func(text string, without any) any {
		if text == "" {
			return without
		}
		return text
	}
	id := func(id simulator.UUID, has bool) any {
		if !has {
			return none
		}
		return id.String()
	}
	amount := func(p simulator.Price) any {
		switch text := p.Amount.Decimal(5, 1); {
		case !p.Known:
			return none
		case l.money:
			return json.Number(text)
		default:
			return text
		}
	}
	from, to := r.parties()
	m := map[string]any{
		"date": timeText(r.Start), "from": from.number(l), "to": to.number(l),
		"disposition": optional(v.Kind.Phrase, absent{}), "duration": int(v.Duration / time.Second),
		"destination": optional(r.destination(), nil), "charge": amount(v.Usage), "per_minute": amount(perMinute(v)),
		"forward_fee": absent{}, "sip_trunk": optional(r.Trunk.Name, nil), "answered_by": r.answeredBy(v),
		"uuid": id(r.ID, !r.NoID), "call_id": id(r.ID, !r.NoID),
		"parent_uuid":    id(r.parent, r.parent != simulator.UUID{}),
		"parent_call_id": id(r.parent, r.parent != simulator.UUID{}),
	}
	// The older generations leave the fee out of calls that weren't forwarded; in 2026 it is zero.
	switch {
	case r.hasFee && v.Connection.Known:
		m["forward_fee"] = amount(v.Connection)
	case !r.hasFee && l.every:
		m["forward_fee"] = "0.0"
	}
	if r.side == received && r.Trunk.Name == "" && !l.every {
		m["sip_trunk"] = absent{}
	}
	r.spoil(m)
	return m
}

func (r *row) spoil(m map[string]any) {
	id, start, duration, from := m["uuid"], m["date"], m["duration"], m["from"]
	r.Spoil(&id, &start, &duration, &from)
	m["uuid"], m["call_id"], m["date"], m["duration"], m["from"] = id, id, start, duration, from
	if r.Flaw == simulator.Truncated {
		maps.DeleteFunc(m, func(name string, _ any) bool { return name != "uuid" && name != "call_id" })
	}
}

func (r *row) object(g Generation, v *simulator.Version, names []string) any {
	if r.Flaw == simulator.NotAnObject {
		return "row " + r.ID.String()
	}
	m := r.members(g, v)
	o := make(simulator.Object, 0, 512)
	for _, name := range names {
		if value, ok := m[name]; ok && value != (absent{}) {
			o.Set(name, value)
		}
	}
	return o
}

// writeCSV writes a row as a line. CSV has no types, so a flaw that changes a JSON type spoils the
// value in another way.
func (r *row) writeCSV(w *csv.Writer, g Generation, v *simulator.Version) {
	if r.Flaw == simulator.NotAnObject {
		_ = w.Write([]string{"row " + r.ID.String()})
		return
	}
	m, names := r.members(g, v), columns(g)
	switch r.Flaw {
	case simulator.ObjectForString:
		m["from"], m["duration"] = nil, "[object Object]"
	case simulator.NumericID:
		m["date"] = "[object Object]"
	default:
	}
	line := make([]string, len(names))
	for i, name := range names {
		if value := m[name]; value != nil && value != (absent{}) {
			line[i] = fmt.Sprint(value)
		}
	}
	_ = w.Write(line) // a buffer never fails
}

// lines are rows as newline-delimited JSON.
func lines(rows []any) []byte {
	var b bytes.Buffer
	for _, r := range rows {
		b.Write(append(simulator.JSON(r), '\n'))
	}
	return b.Bytes()
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

func (r *row) answeredBy(v *simulator.Version) any {
	switch {
	case !v.Kind.Outcome.Connected() || v.Incomplete:
		return nil
	case r.isMachine():
		return "machine"
	}
	return "human"
}

func (r *row) isMachine() bool { return styleOf(r.ID)>>40%10 == 0 }

// party is a party of a call: its text, and whether that is a number that can have a plus.
type party struct {
	text     string
	isNumber bool
}

// number is a party in Wavix's form: digits without a plus, except where the text isn't a number or
// the style says otherwise. Nobody is null.
func (p *party) number(l look) any {
	if p == nil {
		return nil
	}
	text := p.text
	if p.isNumber && l.plus {
		text = "+" + text
	}
	if _, err := strconv.ParseUint(text, 10, 64); l.numbers && err == nil && text[0] != '0' && text[0] != '+' {
		return json.Number(text)
	}
	return text
}

// parties are the row's `from` and `to`.
func (r *row) parties() (from, to *party) {
	own, other := &party{strings.TrimPrefix(r.Own, "+"), true}, &party{r.Other, false}
	switch r.Versions()[0].Kind.Party {
	case simulator.Null:
		other = nil
	case simulator.Geographic:
		other = &party{strings.TrimPrefix(r.Other, "+"), true}
	default:
	}
	switch {
	case r.scenario == ownNumber:
		return own, &party{"120655501" + digits(styleOf(r.origin)>>4, 2), true}
	case r.isForwarded() && r.part == linkedPart:
		return other, &party{r.target(), true}
	case r.side == received:
		return other, own
	}
	return own, other
}

// ourNumber is our party in the row: the caller of a placed call, the callee of a received one.
func (r *row) ourNumber() string {
	own, callee := r.parties()
	if r.side == received {
		own = callee
	}
	if own == nil {
		return ""
	}
	return own.text
}

// digits are n random digits.
func digits(random uint64, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + random%10)
		random /= 10
	}
	return string(b)
}

// target is the number that a call was forwarded to.
func (r *row) target() string { return target.Digits[1:] + digits(styleOf(r.CallID)>>4, target.Random) }

// destination is where a call went: for a placed call the place, if known, for a received call a
// trunk, a SIP URI or the number that it was forwarded to.
func (r *row) destination() string {
	kind := r.Versions()[0].Kind
	switch {
	case r.scenario == ownNumber && r.side == received:
		return "My trunk"
	case r.side == received && r.isForwarded():
		return r.target()
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
