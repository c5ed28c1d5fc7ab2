package ringcentral

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
)

// parts are the legs that make a call. A leg that stands for the whole call is one of them only if the call has no
// other leg.
type parts struct {
	legs []cdr.Leg
	call calls.Call
	// verdicts are what the results of legs mean, master what the master leg's result means.
	verdicts []outcomeMapping
	master   outcomeMapping
}

// parts maps the legs of a row to the legs of its record, and makes a call of them.
func (m *mapper) parts(row *row, r *cdr.Record) *parts {
	p := new(parts)
	onlyMaster := !slices.ContainsFunc(row.Legs, func(l *leg) bool { return !l.Master })
	onlyOwn := true
	side := userSide(row.Legs)
	for _, l := range row.Legs {
		whole := l.Master && row.standsForAll(l)
		mapped, verdict := m.leg(l, whole, side, r)
		mapped.Master = whole && !onlyMaster
		r.Legs = append(r.Legs, mapped)
		if mapped.Master {
			p.master = verdict
			continue
		}
		onlyOwn = onlyOwn && mapped.Party == cdr.Own
		// The record gives the direction: a leg to the user's mobile goes out also if the call came in.
		if mapped.Direction = cdr.Outbound; folded(row.Direction) == "inbound" {
			mapped.Direction = cdr.Inbound
		}
		mapped.NoOutcome = mapped.NoOutcome || mapped.Outcome == cdr.Unknown // what isn't known outvotes nothing
		p.legs, p.verdicts = append(p.legs, mapped), append(p.verdicts, verdict)
	}
	if onlyOwn { // a RingOut whose other side has a row: the result says how it ended
		p.legs = nil
	}
	if len(p.legs) > 0 {
		p.call = calls.Of(p.legs)
	}
	return p
}

// standsForAll says whether the master leg stands for the whole call. If a person's leg was answered, and all other
// legs begin when it has ended, it is the part before a transfer.
func (r *row) standsForAll(master *leg) bool {
	end := master.end()
	if master.Extension.ID == nil || results[folded(master.Result)].outcome != cdr.Answered ||
		!end.After(master.start()) {
		return true
	}
	goesOn := false
	for _, l := range r.Legs {
		if !l.Master && l.start().Before(end) {
			return true
		}
		goesOn = goesOn || !l.Master && l.end().After(l.start())
	}
	return !goesOn
}

// leg maps a leg. whole says that it stands for the whole call, side is the user's side of a RingOut.
func (m *mapper) leg(l *leg, whole bool, side string, r *cdr.Record) (mapped cdr.Leg, verdict outcomeMapping) {
	kind := strings.TrimSpace(l.LegType)
	if kind != "" && !legTypes[folded(kind)] {
		m.reportUnmapped("legs.legType", kind)
	}
	result := folded(l.Result)
	verdict, known := results[result]
	if !known {
		m.reportUnmapped("legs.result", l.Result)
	}
	if result == resultAnsweredElsewhere {
		verdict = outcomeMapping{}
	}
	listens := noCallActions[folded(l.Action)] || strings.HasSuffix(folded(kind), "monitoring")
	mapped = cdr.Leg{
		Type: cdr.CallType(kind), Party: m.partyOf(l, side), Outcome: verdict.outcome, Start: r.Start,
		NoOutcome: listens || result == resultAnsweredElsewhere,
	}
	mapped.Direction, _ = directionNamed(l.Direction)
	if !listens {
		mapped.UserID = l.Extension.text()
		mapped.UserName = own(l.Direction, &l.From, &l.To).nameOf(mapped.UserID)
	}
	switch start, end := l.start(), l.end(); {
	case whole && !r.NoDuration: // the row's are exact
		mapped.Duration = cdr.KnownLength(r.Duration)
	case !end.IsZero():
		// Legs are rounded to whole seconds: none ends after its row for that.
		if over := end.Sub(r.Start.Add(r.Duration)); !r.NoDuration && over > 0 && over < time.Second &&
			over < end.Sub(start) {
			end = end.Add(-over)
		}
		mapped.Start, mapped.End, mapped.Duration = start, end, cdr.KnownLength(end.Sub(start))
	default:
		if !start.IsZero() {
			mapped.Start = start
		}
		if lasted, known := l.lasted(); known {
			mapped.Duration = cdr.KnownLength(lasted)
		}
	}
	return mapped, verdict
}

// The ends of the types of a RingOut's legs.
const toSubscriber, toCaller = "tosubscriber", "tocaller"

// userSide is the end of the types of the legs that ring the user's phone in a RingOut. It rings
// first. The names aren't documented: sources disagree on which one is the user's.
func userSide(legs []*leg) string {
	var subscriber, caller time.Time
	for _, l := range legs {
		first := &subscriber
		switch kind := folded(l.LegType); {
		case !strings.HasPrefix(kind, "ringout"):
			continue
		case strings.HasSuffix(kind, toCaller):
			first = &caller
		}
		if start := l.start(); first.IsZero() || start.Before(*first) {
			*first = start
		}
	}
	if !caller.IsZero() && caller.Before(subscriber) {
		return toCaller
	}
	return toSubscriber
}

// partyOf is who a leg goes to.
func (m *mapper) partyOf(l *leg, side string) cdr.Party {
	kind, action := folded(l.LegType), folded(l.Action)
	switch {
	case m.isQueue(l), slices.Contains(m.machines, kind), action == actionCallPark, action == actionParkLocation:
		return cdr.PartyMachine
	case strings.HasPrefix(kind, "ringout") && strings.HasSuffix(kind, side):
		return cdr.Own
	}
	return cdr.Person
}

// verdict is the outcome that follows from the legs, with the reason of the leg that gave it.
func (p *parts) verdict() (v outcomeMapping) {
	if len(p.legs) == 0 {
		return outcomeMapping{}
	}
	if p.call.By != calls.None {
		v = p.verdicts[p.call.By]
	}
	v.outcome = p.call.Outcome
	return v
}

// user is the leg of the account's user: among the persons with an extension the first who answered,
// else the only one whose phone rang; nil without one.
func (p *parts) user() (found *cdr.Leg) {
	if len(p.legs) == 0 || p.legs[0].Direction != cdr.Inbound {
		return nil
	}
	if p.call.Outcome != cdr.Answered {
		if p.call.User == calls.None || p.legs[p.call.User].UserID == "" {
			return nil
		}
		return &p.legs[p.call.User]
	}
	for i := range p.legs {
		l := &p.legs[i]
		if l.UserID != "" && l.Party == cdr.Person && l.Outcome == cdr.Answered && !l.NoOutcome &&
			(found == nil || l.Start.Before(found.Start)) {
			found = l
		}
	}
	return found
}

// times are how long persons talked and how long the call was connected, where the legs say so and
// that differs from the row's duration, in which the ringing is too.
func (p *parts) times(r *cdr.Record) {
	if r.Outcome.Connected() {
		r.Talk, r.Connected = calls.Differing(r, p.call.Talk), calls.Differing(r, calls.Of(r.Legs).Connected)
	}
}

// shareCall makes the legs of a row fit for a call that other rows have legs of too (scope:
// extension). There the row's own fields are seen by its legs alone: all have its direction, one
// has its start, and if they don't give its outcome, a leg that stands for the row does.
func shareCall(r *cdr.Record, byLegs bool) {
	if len(r.Legs) == 0 {
		return // the record is a leg
	}
	first := 0
	for i := range r.Legs {
		l := &r.Legs[i]
		l.Direction = r.Direction
		if l.Master {
			l.Start, l.Duration = r.Start, cdr.Length{}
		}
		if l.Master || !byLegs || l.Outcome == cdr.Unknown {
			l.Outcome, l.NoOutcome = cdr.Unknown, true
		}
		if l.Start.Before(r.Legs[first].Start) {
			first = i
		}
	}
	if l := &r.Legs[first]; l.Start.After(r.Start) {
		l.Start, l.Ringing = r.Start, cdr.KnownLength(l.Start.Sub(r.Start))
	}
	if !byLegs && !r.NoOutcome {
		whole := r.Leg()
		whole.ID, whole.Master, whole.Implied = "", true, true // the id is the record's
		r.Legs = append(r.Legs, whole)
	}
}
