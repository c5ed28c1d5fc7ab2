package sim

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// session is all there is to know of a session.
type session struct {
	id             simulator.UUID
	caller, callee end
	start, end     time.Time
	failure        *failing
	carries        *carrying
	segments       []segment
	test           bool
}

// segment is a part of a session.
type segment struct {
	id         simulator.UUID
	start, end time.Time
	media      []medium
	failure    *failing
}

// session makes one of the plan's sessions. Again says that its quality is measured anew.
func (p *plan) session(index int, again bool) session {
	s := p.outline(index)
	p.measure(&s, index, again)
	return s
}

// outline is a session without its media.
func (p *plan) outline(index int) session {
	d := p.source.world.Draws(p.place, drawSession|uint64(index))
	s := session{test: p.shape.test}
	if s.id = d.UUID(); !p.shape.group {
		s.id = p.id // as in the documentation's sample
	}
	s.start, s.end = p.times(index, &d)
	p.ends(&s, index, &d)
	s.failure = p.failure(index, &d)
	s.carries = p.carries(&s, &d)
	p.cut(&s, &d)
	return s
}

// times draws when a session was. The first begins and ends with the call.
func (p *plan) times(index int, d *simulator.Draws) (from, to time.Time) {
	length := p.end.Sub(p.start)
	if index == 0 || length < 2*time.Second {
		return p.start, p.end
	}
	from = p.start.Add(d.Duration(0, length/2))
	return from, from.Add(d.Duration(time.Second, p.end.Sub(from)))
}

// ends draws who a session was between. In meetings each session is between somebody and
// the service; those of people who joined again come last.
func (p *plan) ends(s *session, index int, d *simulator.Draws) {
	c := &p.call
	switch {
	case p.shape.group:
		index %= p.people
		s.caller, s.callee = p.attendee(index), service("mediaController", d)
		if index < p.shape.phones {
			s.caller = telephone(p.phoneNumber(index), d)
			s.callee.role = "conferencingAttendant"
		}
		if index < p.shape.phones && p.kind.Direction == cdr.Outbound {
			s.caller, s.callee = s.callee, s.caller
		}
		return
	case p.shape.phone && p.kind.Direction == cdr.Inbound:
		s.caller, s.callee = telephone(c.Other.String(), d), p.taker(c.User, d)
	case p.shape.phone:
		s.caller, s.callee = p.taker(c.User, d), telephone(c.Other.String(), d)
	default:
		s.caller, s.callee = person(*c.User, d), p.taker(c.Peer, d)
	}
	switch d.Below(200) {
	case 0:
		s.caller.gone = s.caller.kind == userEnd
	case 1:
		s.callee.gone = s.callee.kind == userEnd
	}
}

// taker is the end of our side: a user or a service.
func (p *plan) taker(user *simulator.User, d *simulator.Draws) end {
	if p.shape.role != "" || user == nil {
		return service(p.shape.role, d)
	}
	return person(*user, d)
}

// phoneNumber is that of one of a meeting's telephones. The first is the call's other
// party; further ones are of the same country.
func (p *plan) phoneNumber(index int) string {
	if index == 0 {
		return p.call.Other.String()
	}
	return fmt.Sprintf("+1425555%04d", 100+index)
}

// failure draws how a session failed. One in a meeting seldom does, the first of all
// somewhat more often: then the call isn't known to have succeeded until another is told.
func (p *plan) failure(index int, d *simulator.Draws) *failing {
	ways := p.shape.failed
	if p.shape.group {
		switch n := d.Below(200); {
		case n < 2 || n < 6 && index == 0:
			ways = setupFailures()
		case n < 10:
			ways = droppedSessions()
		}
	}
	return pick(ways, d)
}

// carries draws what media a session carried.
func (p *plan) carries(s *session, d *simulator.Draws) *carrying {
	if s.caller.kind == phoneEnd || s.callee.kind == phoneEnd || s.callee.kind == serviceEnd && !p.shape.group {
		return &carryings[0]
	}
	return &carryings[weighted(len(carryings), func(i int) int { return carryings[i].weight }, d)]
}

func weighted(n int, weight func(int) int, d *simulator.Draws) int {
	sum := 0
	for i := range n {
		sum += weight(i)
	}
	left := d.Below(sum)
	for i := range n {
		if left -= weight(i); left < 0 {
			return i
		}
	}
	return 0
}

// cut draws the segments of a session: most have one, those with telephones some.
func (p *plan) cut(s *session, d *simulator.Draws) {
	most := p.shape.segments
	n := 1
	switch {
	case most > 20:
		n = d.Between(21, most)
	case p.shape.phone || d.Below(6) == 0:
		n = d.Between(1, most)
	}
	length := s.end.Sub(s.start) / time.Duration(n)
	s.segments = make([]segment, n)
	for i := range s.segments {
		part := &s.segments[i]
		part.start = s.start.Add(time.Duration(i) * length)
		part.end = part.start.Add(length)
		if part.id = d.UUID(); !p.shape.group && i == 0 {
			part.id = p.id
		}
	}
	s.segments[n-1].end, s.segments[n-1].failure = s.end, s.failure
}
