package wavix

import (
	"cmp"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// listed is a row of an answer, mapped.
type listed struct {
	*values // only while the row is mapped

	record   *cdr.Record
	unmapped []collector.Unmapped
	bad      *collector.BadRow // set if the row can't be read
	// key is the same for the same call, and for all equal rows without an id (nameless).
	key      uint64
	nameless bool
}

// mapRow maps a row of a type, which comes from the request.
//
// Keys: the same id may be listed under both types if an account calls itself. Those are two calls,
// so the key includes the type. call_id and uuid are two names of one id, so the key stays the same
// when either appears or disappears. A row without an id has a synthetic key. A row with an id has
// no synthetic key in addition: two calls that start in the same second between the same parties
// would become one.
func (l *callLog) mapRow(row *values, kind string) *listed {
	r := &cdr.Record{CallType: kind, Direction: cdr.Inbound}
	p := &listed{values: row, record: r}
	leg := p.ids(len(l.kinds) == 1)
	r.Start = p.Start("date")
	r.CallerNumber, r.CalleeNumber = p.party("from"), p.party("to")
	duration := p.Integer("duration")
	r.NoDuration = !duration.Known
	var problem string
	if r.Duration, problem = cdr.Duration(duration.Value, time.Second); problem != "" {
		p.Fail("duration", problem)
	}
	other := r.CallerNumber
	if kind == kindPlaced {
		r.Direction, other = cdr.Outbound, r.CalleeNumber
		r.Emergency = l.emergency.Match(r.CalleeNumber, l.countries.OfDigits(r.CallerNumber))
	}
	r.Country = l.countries.OfDigits(other)
	r.Trunk = strings.Clone(p.Text("sip_trunk")) // labels outlive the answer
	p.outcome()
	p.charge("charge", "usage")
	p.charge("forward_fee", "forwarding")
	p.extras(leg.Parent)
	if r.CallID != "" {
		of := r.Leg()
		of.ID, of.AltIDs, of.Parent = leg.ID, leg.AltIDs, leg.Parent
		r.Legs = []cdr.Leg{of}
	}
	if r.ID == "" {
		r.Synthetic = collector.SyntheticKey(r)
	}
	return p
}

// ids reads the row's own id and its parent's. No row has the parent's type: the leg of a forwarded
// call has a received parent, a transferred call may have a parent of the same type. So a child
// names a received row as its parent, and placed rows by their call key. (No key covers both types,
// because a call between the account's own numbers is two calls.) If only one type is read, the
// parent may never come, so no row waits for it. Legs refer to each other by Wavix's ids, whatever
// their type.
func (p *listed) ids(oneType bool) (leg cdr.Leg) {
	r := p.record
	callID, older := p.ID("call_id"), p.ID("uuid")
	id, parent := cmp.Or(callID, older), p.ID("parent_call_id")
	if parent == "" { // only then the older name matters
		parent = p.ID("parent_uuid")
	}
	if parent == id || parent == older {
		parent = "" // some samples have a call as its own parent
	}
	if id != "" {
		r.ID = r.CallType + ":" + id
		if older != "" && older != id {
			r.AltIDs, leg.AltIDs = append(r.AltIDs, r.CallType+":"+older), []string{older}
		}
	}
	r.CallID = cmp.Or(parent, id)
	switch {
	case oneType:
		r.CallKey = r.CallID
	case parent != "":
		r.CallKey, r.Parent = parent, kindReceived+":"+parent
	case r.CallType == kindPlaced:
		r.CallKey = id
	}
	r.Whole = r.Parent == ""
	leg.ID, leg.Parent = id, parent
	return leg
}

// outcomes maps dispositions to outcomes (contract 3). `rejected` is in the prose of the provider's
// specification, though not in its list.
var outcomes = map[string]cdr.Outcome{
	"answered": cdr.Answered,
	"noanswer": cdr.NoAnswer,
	"busy":     cdr.Busy,
	"rejected": cdr.Rejected,
	"failed":   cdr.Failed,
}

// outcome reads the disposition, in upper or lower case. A row without one, as in older answers, is
// answered if it has a duration.
func (p *listed) outcome() {
	r, disposition := p.record, p.Text("disposition")
	r.Outcome = outcomes[strings.ToLower(strings.TrimSpace(disposition))]
	switch {
	case disposition != "" && r.Outcome == cdr.Unknown:
		p.reportUnmapped("disposition", disposition)
	case disposition == "" && r.Duration > 0:
		r.Outcome = cdr.Answered
	}
}

func (p *listed) reportUnmapped(field, value string) {
	p.unmapped = append(p.unmapped, collector.Unmapped{Field: field, Value: value})
}

// charge adds a known amount, even if it is zero.
func (p *listed) charge(name, component string) {
	if amount, given := p.money(name); given {
		p.record.Charges = append(p.record.Charges, cdr.Charge{Component: component, Amount: amount})
	}
}

// extras adds the values that only go to log records.
func (p *listed) extras(parent string) {
	add := func(name, text string, class cdr.Privacy) {
		if text != "" {
			p.record.Extra = append(p.record.Extra, cdr.Text(name, text, class))
		}
	}
	add("disposition", p.Text("disposition"), cdr.Words)
	destination := p.Text("destination")
	add("destination", destination, destinationClass(p.record.CallType, destination))
	if price, given := p.money("per_minute"); given {
		add("per_minute", price.String(), cdr.Plain)
	}
	add("parent_call_id", parent, cdr.Plain)
	by := p.Text("answered_by")
	add("answered_by", by, cdr.Words)
	if by != "" && by != "human" && by != "machine" {
		p.reportUnmapped("answered_by", by)
	}
}

// destinationClass is the privacy class of a destination. For a placed call the destination is a
// country, perhaps with a carrier or a city, in samples also an address. For a received call it is
// where the call went: a trunk's name, an address, or a number.
func destinationClass(kind, destination string) cdr.Privacy {
	const fewDigits = 4 // a carrier's name may have these
	digits := 0
	for _, c := range destination {
		if '0' <= c && c <= '9' {
			digits++
		}
	}
	if kind == kindPlaced && digits <= fewDigits && !strings.ContainsAny(destination, "@:") {
		return cdr.Words
	}
	return cdr.Number
}
