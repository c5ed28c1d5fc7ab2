// Package calls makes a call of its legs (docs/counting.md, "Calls"). It is pure: the order of the
// legs changes nothing, and nothing here reads a clock, a file or a ledger.
package calls

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Longest is how long after the start of its call a leg may start: a later one belongs to another call.
const Longest = 48 * time.Hour

// None is the index of no leg.
const None = -1

// Call is what the legs of one call amount to. Its indexes point into the legs passed to Of.
type Call struct {
	// Origin gives start and caller, Route direction and call type, Trunk trunk and country, By
	// outcome, reason, fault domain and SIP code, and User user and the operator's labels. All but
	// Origin and Route may be None.
	Origin, Route, Trunk, By, User int
	Direction                      cdr.Direction
	Outcome                        cdr.Outcome
	// Talk are the connected intervals of persons' legs, of an answered call; Connected are the
	// intervals of all legs. Each is in order, without overlaps. They are empty if no leg says how long
	// it was connected.
	Talk, Connected []cdr.Interval
	// Trunks are the connected intervals of each trunk and direction.
	Trunks []TrunkTime
	// Setup is from the first start to the first answer, Answered, `own` legs left out.
	Setup     cdr.Length
	Answered  time.Time
	Emergency cdr.Emergency
	// Start is the origin's, Latest the latest time in the legs.
	Start, Latest time.Time
}

// TrunkTime is when a trunk was connected in one direction.
type TrunkTime struct {
	Trunk     string
	Direction cdr.Direction
	Connected []cdr.Interval
}

// Of makes a call of its legs, at least one.
func Of(legs []cdr.Leg) Call {
	s := set{legs: legs, parties: parties(legs)}
	c := Call{Origin: s.first(func(i int) bool { return !legs[i].IsSecond() })}
	c.Start = legs[c.Origin].Start
	s.outcome(&c)
	s.route(&c)
	s.times(&c)
	s.user(&c)
	return c
}

// set are legs with who picked each up.
type set struct {
	legs    []cdr.Leg
	parties []cdr.Party
}

// parties are who picked the legs up, as it follows from all legs of the call.
func parties(legs []cdr.Leg) []cdr.Party {
	all := make([]cdr.Party, len(legs))
	goesOut := slices.ContainsFunc(legs, func(l cdr.Leg) bool { return l.Direction == cdr.Outbound })
	taken := false
	for i := range legs {
		l := &legs[i]
		p := l.EffectiveParty()
		inbound := l.Direction == cdr.Inbound
		switch {
		case p == cdr.Person && hasChildren(legs, l):
			if p = cdr.Own; inbound {
				p = cdr.PartyMachine
			}
		case p == cdr.PartyMachine && !inbound && l.Direction != cdr.Outbound && goesOut:
			p = cdr.Own // what the PBX told its own user before or after it tried a trunk
		}
		all[i] = p
		taken = taken || (p == cdr.Person || p == cdr.PartyVoicemail) && l.Outcome.Connected() && !l.NoOutcome
	}
	onlyOwn := !slices.ContainsFunc(all, func(p cdr.Party) bool { return p != cdr.Own })
	for i, p := range all {
		switch {
		case onlyOwn:
			all[i] = cdr.PartyMachine
		case p == cdr.Onward:
			if all[i] = cdr.PartyMachine; !taken && legs[i].Outcome == cdr.Answered {
				all[i] = cdr.Person
			}
		}
	}
	return all
}

func hasChildren(legs []cdr.Leg, parent *cdr.Leg) bool {
	return slices.ContainsFunc(legs, func(l cdr.Leg) bool {
		return l.Parent != "" && l.ID != parent.ID &&
			(l.Parent == parent.ID || slices.Contains(parent.AltIDs, l.Parent))
	})
}

// first is the first leg by its start of those that fit, None if there is none. Of legs that start
// in the same second one with a trunk comes first, then by direction, exact start, `whole` and id.
func (s *set) first(fits func(i int) bool) int {
	return s.least(fits, func(a, b *cdr.Leg) int {
		return cmp.Or(
			cmp.Compare(a.Start.Unix(), b.Start.Unix()), falseFirst(a.Trunk == "", b.Trunk == ""),
			cmp.Compare(directionRank(a.Direction), directionRank(b.Direction)), a.Start.Compare(b.Start),
			falseFirst(!a.Whole, !b.Whole), compareIDs(a, b))
	})
}

func compareIDs(a, b *cdr.Leg) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.ID, b.ID))
}

// least is the leg that compares least of those that fit, None if there is none. compare must end with compareIDs:
// otherwise the order of the legs would decide.
func (s *set) least(fits func(i int) bool, compare func(a, b *cdr.Leg) int) int {
	found := None
	for i := range s.legs {
		if fits(i) && (found == None || compare(&s.legs[i], &s.legs[found]) < 0) {
			found = i
		}
	}
	return found
}

func directionRank(d cdr.Direction) int {
	switch d {
	case cdr.Inbound:
		return 0
	case cdr.Outbound:
		return 1
	case cdr.Internal, cdr.DirectionUnknown:
	}
	return 2
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// answeredBy says whether a party answered the leg, so that it may give the outcome.
func (s *set) answeredBy(i int, p cdr.Party) bool {
	return s.parties[i] == p && s.legs[i].Outcome.Connected() && !s.legs[i].NoOutcome
}

// outcome is answered if a person answered, else voicemail, else machine; otherwise the outcome of
// the leg that ended last and has one.
func (s *set) outcome(c *Call) {
	for _, by := range [...]struct {
		party   cdr.Party
		outcome cdr.Outcome
	}{{cdr.Person, cdr.Answered}, {cdr.PartyVoicemail, cdr.Voicemail}, {cdr.PartyMachine, cdr.Machine}} {
		c.By = s.least(func(i int) bool { return s.answeredBy(i, by.party) }, func(a, b *cdr.Leg) int {
			return cmp.Or(answer(a).Compare(answer(b)), a.Start.Compare(b.Start), compareIDs(a, b))
		})
		if c.By != None {
			c.Outcome = by.outcome
			return
		}
	}
	last := func(a, b *cdr.Leg) int {
		return cmp.Or(b.Ended().Compare(a.Ended()), falseFirst(a.Trunk == "", b.Trunk == ""), b.Start.Compare(a.Start),
			compareIDs(a, b))
	}
	gives := func(i int) bool { return !s.legs[i].NoOutcome && s.parties[i] != cdr.Own }
	// A machine that didn't answer follows most attempts that failed, and says less than they do.
	c.By = s.least(func(i int) bool { return gives(i) && s.parties[i] != cdr.PartyMachine }, last)
	if c.By == None {
		c.By = s.least(gives, last)
	}
	if c.By != None {
		c.Outcome = s.legs[c.By].Outcome
	}
}

// answer is when a connected leg was answered: its start, if that isn't known.
func answer(l *cdr.Leg) time.Time {
	return cmp.Or(l.Connected().From, l.Answer, l.Start)
}

// route finds direction, call type and trunk.
func (s *set) route(c *Call) {
	c.Route = c.Origin
	if directionRank(s.legs[c.Origin].Direction) == 2 {
		hasWay := func(i int) bool { return directionRank(s.legs[i].Direction) < 2 }
		c.Route = s.first(func(i int) bool { return hasWay(i) && s.legs[i].Trunk != "" })
		if c.Route == None {
			c.Route = s.first(hasWay)
		}
		if c.Route == None {
			c.Route = c.Origin
		}
	}
	c.Direction = s.legs[c.Route].Direction
	onTrunk := func(i int) bool { return s.legs[i].Direction == c.Direction && s.legs[i].Trunk != "" }
	if c.Direction == cdr.Outbound && c.By != None && onTrunk(c.By) {
		c.Trunk = c.By
		return
	}
	c.Trunk = s.first(onTrunk)
	if c.Direction == cdr.Outbound && c.Outcome.Connected() {
		// The caller's own leg has no trunk. The PBX answers it when a carrier takes the call, or before.
		took := s.first(func(i int) bool { return onTrunk(i) && s.legs[i].Outcome.Connected() && !s.legs[i].NoOutcome })
		if took != None {
			c.Trunk = took
		}
	}
}

// times are the unions of connected intervals, and the set-up time.
func (s *set) times(c *Call) {
	var talk, all []cdr.Interval
	var started, answered time.Time
	for i := range s.legs {
		l := &s.legs[i]
		c.Latest = latest(c.Latest, l.Ended(), l.Answer, l.Start)
		c.Emergency = cmp.Or(c.Emergency, l.Emergency)
		if s.parties[i] != cdr.Own {
			if started.IsZero() || l.Start.Before(started) {
				started = l.Start
			}
			if at := l.Answer; l.Outcome.Connected() && !at.IsZero() && (answered.IsZero() || at.Before(answered)) {
				answered = at
			}
		}
		connected := l.Connected()
		if len(s.legs) == 1 && l.Duration.Known && connected.To.After(connected.From) {
			connected.To = connected.From.Add(l.Duration.Value) // a call of one leg took as long as its provider says
		}
		if connected.To.IsZero() {
			continue
		}
		all = append(all, connected)
		if s.answeredBy(i, cdr.Person) {
			talk = append(talk, connected)
		}
		if l.Trunk == "" || connected.To.Equal(connected.From) {
			continue
		}
		way := s.way(l)
		at := slices.IndexFunc(c.Trunks, func(t TrunkTime) bool { return t.Trunk == l.Trunk && t.Direction == way })
		if at < 0 {
			at, c.Trunks = len(c.Trunks), append(c.Trunks, TrunkTime{Trunk: l.Trunk, Direction: way})
		}
		c.Trunks[at].Connected = append(c.Trunks[at].Connected, connected)
	}
	c.Connected = union(all)
	if c.Outcome == cdr.Answered {
		c.Talk = union(talk)
	}
	for i := range c.Trunks {
		c.Trunks[i].Connected = union(c.Trunks[i].Connected)
	}
	slices.SortFunc(c.Trunks, func(a, b TrunkTime) int {
		return cmp.Or(strings.Compare(a.Trunk, b.Trunk), cmp.Compare(a.Direction, b.Direction))
	})
	if setup := answered.Sub(started); !answered.IsZero() && setup >= 0 {
		c.Setup, c.Answered = cdr.KnownLength(setup), answered
	}
}

// way is the direction in which a leg occupies its trunk: the first leg on the same channel gives it. A
// transfer of the outside party turns a leg's sides round, but not the call on the trunk.
func (s *set) way(leg *cdr.Leg) cdr.Direction {
	if leg.Channel == "" {
		return leg.Direction
	}
	return s.legs[s.first(func(i int) bool {
		return s.legs[i].Trunk == leg.Trunk && s.legs[i].Channel == leg.Channel
	})].Direction
}

func latest(times ...time.Time) (last time.Time) {
	for _, at := range times {
		if at.After(last) {
			last = at
		}
	}
	return last
}

// user finds whose call it was: the origin's, but of an inbound call the person who answered first
// or, if nobody did, the only user whose phone rang.
func (s *set) user(c *Call) {
	if c.Direction != cdr.Inbound {
		c.User = c.Origin
		return
	}
	if c.Outcome == cdr.Answered {
		c.User = c.By
		return
	}
	named := func(i int) bool { return userOf(&s.legs[i]) != "" && s.parties[i] != cdr.PartyMachine }
	c.User = s.least(named, func(a, b *cdr.Leg) int { return cmp.Or(a.Start.Compare(b.Start), compareIDs(a, b)) })
	if s.first(func(i int) bool { return named(i) && userOf(&s.legs[i]) != userOf(&s.legs[c.User]) }) != None {
		c.User = None
	}
}

func userOf(l *cdr.Leg) string { return cmp.Or(l.UserID, l.UserPrincipal, l.UserName) }

// union is the same time without overlaps, in order.
func union(all []cdr.Interval) (merged []cdr.Interval) {
	slices.SortFunc(all, func(a, b cdr.Interval) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	for _, i := range all {
		if n := len(merged); n > 0 && !i.From.After(merged[n-1].To) {
			if i.To.After(merged[n-1].To) {
				merged[n-1].To = i.To
			}
			continue
		}
		merged = append(merged, i)
	}
	return merged
}

// Length is how long intervals without overlaps take together.
func Length(all []cdr.Interval) (sum time.Duration) {
	for _, i := range all {
		sum += i.To.Sub(i.From)
	}
	return sum
}

// Differing is the length of intervals, if there are any and it isn't the record's duration.
func Differing(r *cdr.Record, all []cdr.Interval) (length cdr.Length) {
	if d := Length(all); len(all) > 0 && (d != r.Duration || r.NoDuration) {
		length = cdr.KnownLength(d)
	}
	return length
}
