package declared

import (
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
)

// InnerLegs are the legs within a row: the row is their call.
type InnerLegs struct {
	Rows   language.Path `yaml:"rows"`
	Record Record        `yaml:"record"`
}

// ofLegs are the fields that a leg within a row may have.
var ofLegs = []string{
	"id", "parent", "start", "answer", "end", "ringing", "duration", "direction", "call_type", "party", "outcome",
	"sip_code", "trunk", "channel", "user_id", "user_name",
}

// Validate implements config.Validator.
func (l *InnerLegs) Validate(r *config.Report) {
	if l.Rows == nil {
		r.Problemf("rows", "is missing; set the path of the list of legs in a row")
	}
	for i, step := range l.Rows {
		if step == everyElement && (i == 0 || i == len(l.Rows)-1 || l.Rows[i-1] == everyElement) {
			r.Problemf("rows", "has * without a list before it or within it; it stands for each element of a list, "+
				"such as participants.*.sessions")
		}
	}
	if !l.Record.Outcome.IsSet() {
		r.Problemf("record.outcome", "is missing; set where the outcome of a leg comes from")
	}
	language.OnlyKeys(&l.Record, "record", ofLegs, func(key string) {
		r.Problemf(key, "belongs to a call, not to a leg; move it to the feed's record")
	})
}

// mostInnerLegs limits the legs of a row, like the legs of a call.
const mostInnerLegs = 1000

const badLegs = "has an element that isn't an object, or more than 1000 of them"

// innerCall is the call that the legs within a row make, with each leg's other values.
type innerCall struct {
	calls.Call
	records []*cdr.Record
}

// by is the leg that gave the outcome, or nil.
func (c *innerCall) by() *cdr.Record {
	if c == nil || c.By == calls.None {
		return nil
	}
	return c.records[c.By]
}

// innerLegs maps the legs within the row.
func (p *mapping) innerLegs() {
	if p.feed.Legs == nil {
		return
	}
	inner := new(innerCall)
	p.eachLeg(&p.row, p.feed.Legs.Rows, nil, func(leg []language.Member) {
		if len(inner.records) == mostInnerLegs {
			p.fail("legs.rows", badLegs)
			return
		}
		p.leg.row.Members = leg
		mapped := p.mapLeg()
		inner.records = append(inner.records, mapped)
		p.record.Legs = append(p.record.Legs, mapped.Leg())
	})
	if len(inner.records) > 0 {
		p.inner = inner
	}
}

// everyElement is a segment of legs.rows that stands for each element of a list.
const everyElement = "*"

// eachLeg calls each for the elements of the list at a path in a row. A list within the elements of another one has
// elements with the members of both, its own ones first.
func (p *mapping) eachLeg(in *language.Row, path language.Path, outer []language.Member, each func([]language.Member)) {
	at := slices.Index(path, everyElement)
	if at < 0 {
		at = len(path)
	}
	element := func(element []byte) {
		var row language.Row
		if !row.SetJSON(element) {
			p.fail("legs.rows", badLegs)
			return
		}
		members := slices.Concat(row.Members, outer)
		if at == len(path) {
			each(members)
		} else {
			p.eachLeg(&row, path[at+1:], members, each)
		}
	}
	raw := in.Raw(path[:at])
	switch _, is := in.Text(path[:at]); {
	case is == language.Missing:
	case raw[0] == '[':
		wire.Elements(raw, element)
	case raw[0] == '{' && !holdsOnlyObjects(raw): // as programs write a list of one that make JSON of XML
		element(raw)
	default:
		p.fail("legs.rows", "isn't a list")
	}
}

// holdsOnlyObjects says whether each member of an object is an object: it holds legs by their ids.
func holdsOnlyObjects(raw []byte) bool {
	var row language.Row
	return row.SetJSON(raw) && !slices.ContainsFunc(row.Members, func(m language.Member) bool {
		return len(m.Value) == 0 || m.Value[0] != '{'
	})
}

// mapLeg maps the leg that is the row of the leg's mapper.
func (p *mapping) mapLeg() *cdr.Record {
	q := &mapping{Mapper: p.leg, record: new(cdr.Record), isLeg: true}
	d, r := &q.feed.Record, q.record
	r.ID, r.Parent = q.text("id", &d.ID), q.text("parent", &d.Parent)
	q.times()
	q.lengths()
	q.outcome()
	r.Direction, _ = readWord(q, "direction", &d.Direction, language.DirectionWords, notDirection)
	r.Party, _ = readWord(q, "party", &d.Party, language.PartyWords, notParty)
	r.Trunk, r.CallType = cdr.HideNumbers(q.text("trunk", &d.Trunk)), cdr.CallType(q.word("call_type", &d.CallType))
	r.Channel = q.text("channel", &d.Channel)
	r.UserID, r.UserName = q.text("user_id", &d.UserID), q.text("user_name", &d.UserName)
	for _, u := range q.unmapped {
		p.unmapped = append(p.unmapped, collector.Unmapped{Field: "legs." + u.Field, Value: u.Value})
	}
	if q.problem != "" {
		p.fail("legs:", q.problem)
	}
	q.see(true)
	return r
}

// completeLegs fills the legs' missing values from their row, and makes a call of them. It needs the
// row's start and direction.
func (p *mapping) completeLegs() {
	r, unmapped := p.record, p.unmapped
	direction, _ := readWord(p, "direction", &p.feed.Record.Direction, language.DirectionWords, notDirection)
	p.unmapped = unmapped // it is read twice
	for i := range r.Legs {
		l := &r.Legs[i]
		l.Start, l.Direction, l.Whole = cmp.Or(l.Start, r.Start), cmp.Or(l.Direction, direction), r.Whole
	}
	p.inner.Call = calls.Of(r.Legs)
	r.Start = cmp.Or(r.Start, p.inner.Start)
}

// takeFromLegs takes the values from the legs that the row doesn't have, or that only legs can have.
func (p *mapping) takeFromLegs() {
	r, c := p.record, p.inner
	if by := c.by(); by != nil {
		r.Outcome, r.NoOutcome, r.Reason, r.FaultDomain = c.Outcome, false, by.Reason, by.FaultDomain
		r.SIPCode = cmp.Or(r.SIPCode, by.SIPCode)
	}
	if c.Trunk != calls.None {
		r.Trunk = cmp.Or(r.Trunk, c.records[c.Trunk].Trunk)
	}
	if c.User != calls.None && r.UserID == "" && r.UserName == "" {
		r.UserID, r.UserName = c.records[c.User].UserID, c.records[c.User].UserName
	}
	r.CallType = cmp.Or(r.CallType, c.records[c.Route].CallType)
	r.Emergency = cmp.Or(r.Emergency, c.Emergency)
	if r.Answer.IsZero() && c.Setup.Known {
		r.Answer, r.Invite = c.Answered, c.Answered.Add(-c.Setup.Value)
	}
	if r.End.IsZero() && c.Latest.After(r.Start) {
		r.End = c.Latest
	}
	if len(c.Connected) > 0 {
		r.Connected = cdr.KnownLength(calls.Length(c.Connected))
	}
	talked := len(c.Talk) > 0
	if talked {
		r.Talk = cdr.KnownLength(calls.Length(c.Talk))
	}
	isKnown := talked || r.Outcome != cdr.Answered // how long those talked who were reached
	if r.NoDuration && r.Connected.Known && r.Outcome.Connected() && isKnown {
		r.Duration, r.NoDuration = r.Connected.Value, false
	}
}
