package counting

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// countCall counts a call of several records, once, and remembers its legs for those that come
// late. A call that began before the feed's origin is only remembered.
func (d *Decision) countCall(w *waitingLegs, g *gatheredCall) {
	d.change.Result.Counted++
	c := rememberedCall{
		CallMemory: CallMemory{Began: g.call.Start}, legs: compactLegs(g.flat, d.hasher), outcome: g.call.Outcome,
		talked: len(g.call.Talk) > 0,
	}
	c.raise(&g.call, func(string, cdr.Direction, time.Duration) {})
	if g.call.Start.Before(d.was.Origin) {
		c.Ignored = true
		d.keepCall(w.key, &c)
		return
	}
	d.logLegs(g)
	r := g.record()
	event := d.addStoredLog(EventCall, r, g.legs[g.owner[g.call.Origin]], g.read)
	delay := g.read.Sub(r.Ended())
	c.Late, c.Trunk, c.Labels = delay > d.settings.LateAfter, r.Trunk, facts.LabelsOf(r)
	d.keepCall(w.key, &c)
	result := &d.change.Result
	if read := d.CompleteRead(); d.isHeld(g) || w.forced || read != nil && read.Partial {
		result.Incomplete++
	}
	result.Delays = append(result.Delays, delay)
	d.change.State.Calls++
	from := len(d.change.Facts)
	d.change.Facts = facts.AppendCall(d.change.Facts, r, facts.Context{Late: c.Late})
	d.addQuietEmergency(w.key, g, r)
	for i := range g.call.Trunks {
		t := &g.call.Trunks[i]
		d.note(facts.OnTrunk(r, t.Trunk, t.Direction, calls.Length(t.Connected)))
	}
	d.addTrunkEdges(&g.call, 1)
	if r.Direction != cdr.Outbound || r.Trunk == "" { // else each leg was an attempt
		d.addAttempt(r)
	}
	d.change.Calls = append(d.change.Calls, CallRecord{Record: r, Event: event})
	d.number(from, r, len(d.page.Records)+len(d.change.Calls))
	if d.Traces() {
		d.change.Spans = append(d.change.Spans, Span{Call: r, Event: event, Charges: r.Charges})
	}
}

// MakeCalls makes the calls of records that share a call key and were all read: one, or several
// that begin more than two days apart.
func MakeCalls(records []*cdr.Record) (all []*cdr.Record) {
	var w waitingLegs
	for i, r := range records {
		legs := r.CallLegs()
		for n := range legs {
			legs[n].ID = cmp.Or(legs[n].ID, r.ID+"/"+strconv.Itoa(n))
		}
		//nolint:gosec // not below 0
		w.legs = append(w.legs, waitingLeg{
			Key: Hash(i), RecordID: r.ID, Class: r.NumberClass(), Legs: legs,
			Record: *r,
		})
	}
	for _, g := range w.gatherCalls() {
		all = append(all, g.record())
	}
	return all
}

// labels are the operator's labels of the user's leg, or without a user those that all legs have, and those that only
// the trunk's leg has. If that leg names a user, they may be that user's.
func (g *gatheredCall) labels() cdr.Labels {
	found := make(map[string]string)
	if user := g.call.User; user != calls.None {
		maps.Insert(found, g.legs[g.owner[user]].Record.Labels.All())
	} else {
		maps.Insert(found, g.legs[0].Record.Labels.All())
		for _, leg := range g.legs {
			maps.DeleteFunc(found, func(name, value string) bool { return leg.Record.Labels.Value(name) != value })
		}
	}
	if trunk := g.call.Trunk; trunk != calls.None {
		if r := &g.legs[g.owner[trunk]].Record; r.UserID+r.UserPrincipal+r.UserName == "" {
			for name, value := range r.Labels.All() {
				found[name] = cmp.Or(found[name], value)
			}
		}
	}
	var all []cdr.Label
	for name, value := range found {
		all = append(all, cdr.Label{Name: name, Value: value})
	}
	return cdr.NewLabels(all)
}

// record is the call as a record, with all that is known of its legs' records.
func (g *gatheredCall) record() *cdr.Record {
	c := &g.call
	of := func(leg int) *cdr.Record { return &g.legs[g.owner[leg]].Record }
	r := *of(c.Origin)
	origin, route := &g.flat[c.Origin], of(c.Route)
	r.Start, r.Direction, r.CallType = origin.Start, c.Direction, route.CallType
	place := g.place()
	r.Trunk, r.Country = "", of(g.countryLeg()).Country
	r.Class = cmp.Or(g.legs[g.owner[place]].Class, g.legs[g.owner[c.Route]].Class)
	r.NoClass = r.Class == "" // the origin's numbers are redacted, and may be of another leg
	if c.Trunk != calls.None {
		r.Trunk = g.flat[c.Trunk].Trunk
	}
	r.Outcome, r.NoOutcome, r.Party = c.Outcome, false, cdr.Person
	r.Reason, r.FaultDomain, r.SIPCode, r.SubCode, r.ReasonPhrase = "", 0, cdr.Int{}, cdr.Int{}, ""
	if c.By != calls.None {
		by := of(c.By)
		r.Reason, r.FaultDomain, r.SIPCode, r.SubCode, r.ReasonPhrase = by.Reason, by.FaultDomain, by.SIPCode,
			by.SubCode, by.ReasonPhrase
	}
	r.UserID, r.UserName, r.UserPrincipal = "", "", ""
	if c.User != calls.None {
		u := of(c.User)
		r.UserID, r.UserName, r.UserPrincipal, r.Labels = u.UserID, u.UserName, u.UserPrincipal, u.Labels
	}
	legs := slices.DeleteFunc(slices.Clone(g.flat), func(l cdr.Leg) bool { return l.Implied })
	if len(legs) > 1 {
		r.Labels = g.labels()
	}
	r.Emergency = c.Emergency
	if r.Origins != nil {
		r.Origins = g.origins()
	}
	r.Charges, r.Recordings, r.Legs, r.Second = nil, nil, nil, nil
	for _, leg := range g.legs {
		r.Charges = addCharges(r.Charges, leg.Record.Charges)
		for _, recording := range leg.Record.Recordings {
			if !slices.Contains(r.Recordings, recording) {
				r.Recordings = append(r.Recordings, recording)
			}
		}
	}
	if len(legs) > 1 {
		r.Legs = legs
	}
	g.setTimes(&r)
	return &r
}

// place is the leg whose country and kind of number are the call's, if it has them; otherwise the leg that gives the
// direction. It is the leg of the call's trunk. Without a trunk it is, of an outbound call, the outbound leg that gave
// the outcome: the origin may be the caller's own telephone.
func (g *gatheredCall) place() int {
	c := &g.call
	switch {
	case c.Trunk != calls.None:
		return c.Trunk
	case c.Direction == cdr.Outbound && c.By != calls.None && g.flat[c.By].Direction == cdr.Outbound:
		return c.By
	}
	return c.Route
}

func (g *gatheredCall) countryLeg() int {
	if place := g.place(); g.legs[g.owner[place]].Record.Country != "" {
		return place
	}
	return g.call.Route
}

// origins are where the fields of the call come from: each field from the leg that gave it.
func (g *gatheredCall) origins() (all []cdr.Origin) {
	gave := map[string]int{
		"outcome": g.call.By, "sip_code": g.call.By, "trunk": g.call.Trunk, "direction": g.call.Route,
		"call_type": g.call.Route, "country": g.countryLeg(),
	}
	for leg := range g.flat {
		for _, o := range g.legs[g.owner[leg]].Record.Origins {
			from, is := gave[o.Field]
			if !is {
				from = g.call.Origin
			}
			if from == leg {
				all = append(all, o)
			}
		}
	}
	return all
}

// setTimes sets the times of a call. A call of one leg has its record's times.
func (g *gatheredCall) setTimes(r *cdr.Record) {
	c := &g.call
	connected := calls.Length(c.Connected)
	if len(g.flat) == 1 {
		if !r.Outcome.Connected() && connected > 0 {
			r.Connected = cdr.KnownLength(connected)
		}
		if r.NoDuration && len(c.Connected) > 0 {
			r.Duration, r.NoDuration = connected, false
		}
		return
	}
	r.Talk, r.Connected = cdr.Length{}, cdr.Length{}
	r.Duration, r.NoDuration = connected, len(c.Connected) == 0
	if !r.NoDuration {
		r.Connected = cdr.KnownLength(connected)
	}
	if c.Outcome == cdr.Answered {
		r.Duration, r.NoDuration = calls.Length(c.Talk), len(c.Talk) == 0
	}
	r.End, r.Invite, r.Answer = time.Time{}, time.Time{}, time.Time{}
	if c.Latest.After(r.Start) {
		r.End = c.Latest
	}
	if r.Outcome.Connected() && c.Setup.Known {
		r.Invite, r.Answer = c.Answered.Add(-c.Setup.Value), c.Answered
	}
}

// addCharges adds up amounts by component and currency.
func addCharges(sum, more []cdr.Charge) []cdr.Charge {
	for _, c := range more {
		at := slices.IndexFunc(sum, func(o cdr.Charge) bool {
			return o.Component == c.Component && o.Currency == c.Currency
		})
		if at < 0 {
			sum = append(sum, c)
			continue
		}
		sum[at].Amount = sum[at].Amount.Add(&c.Amount)
	}
	return sum
}

// logLegs makes the log records of the legs of a call, once it has several.
func (d *Decision) logLegs(g *gatheredCall) {
	if len(g.legs) < 2 {
		return
	}
	for _, leg := range g.legs {
		d.logLeg(leg)
	}
}

// logLeg makes the log record of a leg, once.
func (d *Decision) logLeg(leg *waitingLeg) {
	if leg.Logged || leg.Open {
		return
	}
	leg.Logged = true
	d.addStoredLog(EventLeg, &leg.Record, leg, leg.Read)
}

// addTrunkEdges adds when the trunks of a call were connected or, without a trunk, the call, for
// the peak of connected calls.
func (d *Decision) addTrunkEdges(c *calls.Call, count int64) {
	add := func(trunk string, all []cdr.Interval) {
		for _, i := range all {
			s := connection{start: i.From.UnixMicro(), end: i.To.UnixMicro()}
			if s.end <= s.start || s.end <= d.was.ConnectedFrom || i.To.After(d.page.ObservedAt.Add(peakAhead)) {
				continue
			}
			s.trunk = d.trunkNumber(trunk)
			d.addEdges(s, count)
		}
	}
	for i := range c.Trunks {
		add(c.Trunks[i].Trunk, c.Trunks[i].Connected)
	}
	if len(c.Trunks) == 0 {
		add("", c.Connected)
	}
}

// addAttempt notes an attempt on the trunk of a call or leg.
func (d *Decision) addAttempt(r *cdr.Record) {
	d.note(facts.Fact{Kind: facts.Attempt, Record: r, Ahead: d.isAhead(r)})
}
