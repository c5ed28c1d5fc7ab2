package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	maxVersions = 5           // most versions of a record
	mostSetup   = time.Minute // longest time that a routed call's record starts before its row
)

// The purposes of random numbers.
const (
	drawPlan    = 0
	drawRouted  = 2
	drawSession = 1 << 20
	drawQuality = 1 << 40
	drawFate    = 1 << 60
)

// recordSource is a world whose calls have records.
type recordSource struct {
	records *CallRecords
	world   *simulator.World
	// number is the source's index among the sources of the records.
	number int
	// routed says that the calls are from Direct Routing.
	routed bool
}

type recordVersion struct {
	at     time.Time
	number int64
	// sessions is how many of the sessions are known, media how many of these have their media.
	sessions, media int
	// rated says that the version has ratings, explained that it has failures.
	rated, explained bool
	// remeasured says that quality was measured again.
	remeasured bool
}

// recordPlan is the content of a call's record, and when it is published.
type recordPlan struct {
	source *recordSource
	place  uint64
	id     simulator.UUID
	call   simulator.Call
	kind   *simulator.Kind
	shape  *shape
	flaw   simulator.Flaw
	// start and end are the call's.
	start, end time.Time
	// people is the number of participants, sessions the number of their sessions.
	people, sessions int
	// readableFrom is when the record can first be read by its id.
	readableFrom time.Time

	// versions are in order; there is at least one.
	versions []recordVersion
}

// published is the index of the version published at an instant; -1 for none.
func (p *recordPlan) published(t time.Time) int {
	last := len(p.versions) - 1
	for last >= 0 && p.versions[last].at.After(t) {
		last--
	}
	return last
}

// readable is the index of the version that can be read by id at an instant; -1 for none.
func (p *recordPlan) readable(t time.Time) int {
	if t.Before(p.readableFrom) {
		return -1
	}
	return p.published(t)
}

// plan makes the plan of a call's record, and says whether it has one.
func (s *recordSource) plan(c *simulator.Call, p *recordPlan) bool {
	*p = recordPlan{source: s, place: c.Place(), id: c.CallID, call: *c, kind: c.Versions()[0].Kind, flaw: c.Flaw}
	d := s.world.Draws(p.place, drawPlan)
	first := c.Versions()[0].Published
	p.start, p.end = c.Start, c.End(&c.Versions()[0])
	if s.routed {
		if !s.hasRecord(c, p.kind) {
			return false
		}
		if !c.Invite.IsZero() {
			p.start = c.Invite
		}
		p.shape = routedShape(c, p.kind)
		first = p.end.Add(d.Delay(s.records.versions.First))
	} else {
		p.shape = p.kind.Detail.(*shape)
	}
	p.drawSizes(&d)
	p.drawVersions(first, &d)
	p.readableFrom = first
	if d.Hits(s.records.versions.Young) {
		p.readableFrom = first.Add(d.Duration(0, s.records.versions.YoungFor))
	}
	return true
}

// hasRecord says whether a routed call has a record. A row that belongs to the same call as the
// previous row has none, and records need a number.
func (s *recordSource) hasRecord(c *simulator.Call, kind *simulator.Kind) bool {
	d := s.world.Draws(c.Place(), drawRouted)
	return d.Hits(s.records.share) && c.Flaw == simulator.NoFlaw && (!kind.SharesCall || c.Number == 0) &&
		c.Other != "" && (kind.Direction == cdr.Inbound || kind.Direction == cdr.Outbound)
}

// drawSizes draws the number of participants, and who joins again.
func (p *recordPlan) drawSizes(d *simulator.Draws) {
	switch {
	case p.shape.Never:
	case p.shape.group:
		p.people = d.Between(p.shape.People[0], p.shape.People[1])
		p.sessions = p.people + d.Below(p.people/5+1)
	default:
		p.people, p.sessions = 2, 1
	}
}

// drawVersions draws when versions are published, and then their content.
func (p *recordPlan) drawVersions(first time.Time, d *simulator.Draws) {
	v, at := &p.source.records.versions, []time.Time{first}
	if p.flaw != simulator.NoFlaw {
		p.drawContents(at, 1, d)
		return
	}
	wanted := 1 + [...]int{0, 0, 0, 1, 1, 1, 1, 2, 2, 3}[d.Below(10)]
	for len(at) < wanted {
		next := at[len(at)-1].Add(d.Duration(v.GapMin, v.GapMax))
		if next.After(p.end.Add(v.Final)) {
			break
		}
		at = append(at, next)
	}
	usual := len(at)
	if later := p.end.Add(d.Duration(v.LaterMin, v.LaterMax)); d.Hits(v.Later) && later.After(at[usual-1]) {
		at = append(at, later)
	}
	p.drawContents(at, usual, d)
}

// drawContents draws each version's content. The last of the usual versions is complete. If a later
// version follows, it adds a session.
func (p *recordPlan) drawContents(published []time.Time, usual int, d *simulator.Draws) {
	whole := p.sessions
	if usual < len(published) && p.shape.group {
		whole--
	}
	var early recordVersion
	number := int64(0)
	if usual > 1 {
		early = p.drawEarly(whole, d)
	}
	for i, at := range published {
		r := recordVersion{sessions: whole, media: whole, rated: true, explained: true}
		switch {
		case i >= usual:
			r.sessions, r.media, r.remeasured = p.sessions, p.sessions, true
		case i < usual-1:
			r = early
			early.sessions = d.Between(early.sessions, whole)
			early.media = d.Between(early.media, early.sessions)
			early.rated = early.rated || d.Below(2) == 0
		}
		number += int64(d.Between(1, 3))
		r.at, r.number = at, number
		p.versions = append(p.versions, r)
	}
}

// drawEarly draws the first of several versions. It may lack sessions, media, ratings and the
// reasons of failures.
func (p *recordPlan) drawEarly(whole int, d *simulator.Draws) recordVersion {
	r := recordVersion{sessions: whole, explained: d.Below(4) != 0, rated: d.Below(3) == 0}
	switch n := d.Below(10); {
	case n < 2:
		r.sessions = 0
	case n < 6:
		r.sessions = d.Between(min(1, whole), whole)
	}
	switch n := d.Below(10); {
	case n < 4:
		r.media = r.sessions
	case n < 6:
		r.media = d.Between(0, r.sessions)
	}
	return r
}
