package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// session is a session as it was drawn.
type session struct {
	id             string
	caller, callee participant
	start, end     time.Time
	failure        *failure
	content        *content
	segments       []*segment
}

type segment struct {
	id         string
	start, end time.Time
	media      []medium
}

// medium is a medium of a segment, and its streams.
type medium struct {
	line    *line
	streams []*stream
}

// record renders one version of a record, for the list or by itself.
func (p *recordPlan) record(version int, listed bool) simulator.Object {
	v, modalities := &p.versions[version], []string{}
	for i := range min(v.sessions, 3) {
		for _, m := range p.outline(i).content.Modalities {
			if !slices.Contains(modalities, m) {
				modalities = append(modalities, m)
			}
		}
	}
	start, kind := formatTime(p.start, p.call.Number), "peerToPeer"
	var join, organizer any
	if p.shape.group {
		kind, join = "groupCall", "https://teams.microsoft.com/l/meetup-join/19%3ameeting_"+p.id.String()+
			"%40thread.v2/0"
	}
	if listed && p.call.Number%8 == 0 {
		kind = "unknown"
	}
	if v.sessions > 0 {
		first := p.outline(0).caller
		if p.shape.group {
			first = p.attendee(p.shape.Phones)
		}
		organizer = first.listed()
	}
	if !listed {
		start = p.call.Started(start)
	}
	return simulator.NewObject(
		"id", p.id.String(), "version", v.number, "type", kind, "modalities", modalities, "lastModifiedDateTime",
		formatTime(v.at, p.call.Number),
		"startDateTime", start, "endDateTime", formatTime(p.end, p.call.Number), "joinWebUrl", join, "organizer_v2",
		organizer,
	)
}

func (l *listedRecord) row() any {
	v := &l.versions[l.version]
	switch l.flaw {
	case simulator.NotAnObject:
		return "record " + l.id.String()
	case simulator.Truncated:
		// so that no two rows are equal
		return simulator.NewObject("version", v.number, "lastModifiedDateTime", formatTime(v.at, 0))
	default:
		return l.record(l.version, true)
	}
}

// isListFlaw says whether a flaw is in the list, so that only the list has the record. The other
// flaws are in the record itself.
func isListFlaw(f simulator.Flaw) bool { return f == simulator.NotAnObject || f == simulator.Truncated }

// participants are the known participants of a version, each once.
func (p *recordPlan) participants(version int) []simulator.Object {
	all := []simulator.Object{}
	for i := range min(p.versions[version].sessions, p.people) {
		s := p.outline(i)
		for _, e := range []*participant{&s.caller, &s.callee} {
			if e.kind != serviceEnd {
				all = append(all, e.listed())
			}
		}
	}
	return all
}

// session renders a session without its segments, which come in pages.
func (p *recordPlan) session(index, version int) (o simulator.Object, segments []simulator.Object) {
	v, s := &p.versions[version], p.outline(index)
	media := index < v.media
	if media {
		p.drawMedia(s, index, v.remeasured)
	}
	var failure any
	if s.failure != nil && v.explained {
		failure = simulator.NewObject("stage", s.failure.Stage, "reason", s.failure.Reason)
	}
	ends := []any{"caller", s.caller.endpoint(v.rated), "callee", s.callee.endpoint(v.rated)}
	o = simulator.NewObject(append(ends,
		"id", s.id, "modalities", s.content.Modalities, "startDateTime", formatTime(s.start, index),
		"endDateTime", formatTime(s.end, index),
		"isTest", p.shape.Test, "failureInfo", failure)...)
	for i, part := range s.segments {
		var rendered, failed any
		if media || s.caller.style != 0 {
			rendered = s.renderMedia(part)
		}
		if i == len(s.segments)-1 {
			failed = failure
		}
		segments = append(segments, simulator.NewObject(append(ends[:4:4],
			"id", part.id, "startDateTime", formatTime(part.start, s.caller.style),
			"endDateTime", formatTime(part.end, s.callee.style), "failureInfo",
			failed, "media", rendered)...))
	}
	return o, segments
}

func (s *session) renderMedia(part *segment) []simulator.Object {
	all := []simulator.Object{}
	for i := range part.media {
		m := &part.media[i]
		var streams []simulator.Object
		for _, x := range m.streams {
			streams = append(streams, x.object())
		}
		o := simulator.NewObject("label", m.line.Wire, "streams", streams)
		s.caller.addNetwork(&o, "callerNetwork")
		s.callee.addNetwork(&o, "calleeNetwork")
		all = append(all, o)
	}
	return all
}

// outline draws a session, without what a version adds to it.
func (p *recordPlan) outline(index int) *session {
	d := p.source.world.Draws(p.place, drawSession|uint64(index))
	s := &session{id: d.UUID().String(), start: p.start, end: p.end}
	if !p.shape.group {
		s.id = p.id.String() // as in the documentation's sample
	}
	// The first session starts with the call, and ends with it unless others take part.
	if length := p.end.Sub(p.start); p.shape.group && length >= 2*time.Second {
		if index > 0 {
			s.start = p.start.Add(d.Duration(0, length/2))
		}
		s.end = s.start.Add(d.Duration(time.Second, p.end.Sub(s.start)))
	}
	p.drawEnds(s, index, &d)
	s.failure = p.drawFailure(index, &d)
	s.content = &sessionParts().Contents[0]
	if s.caller.kind != phoneEnd && s.callee.kind != phoneEnd && (s.callee.kind != serviceEnd || p.shape.group) {
		s.content = simulator.Pick(&d, sessionParts().Contents)
	}
	p.drawSegments(s, &d)
	return s
}

// drawEnds draws the two ends of a session. In meetings each session is between a participant and
// the service; the sessions of people who joined again come last.
func (p *recordPlan) drawEnds(s *session, index int, d *simulator.Draws) {
	c := &p.call
	user := func(user *simulator.User) participant {
		if p.shape.Role != "" || user == nil {
			return drawService(p.shape.Role, d)
		}
		return drawUser(*user, d)
	}
	switch {
	case p.shape.group:
		index %= p.people
		s.caller, s.callee = p.attendee(index), drawService("mediaController", d)
		if index < p.shape.Phones {
			number := c.Other
			if index > 0 {
				number = fmt.Sprintf("+1425555%04d", 100+index)
			}
			s.caller = drawTelephone(number, d)
			s.callee.role = "conferencingAttendant"
		}
		if index < p.shape.Phones && p.kind.Direction == cdr.Outbound {
			s.caller, s.callee = s.callee, s.caller
		}
		return
	case p.shape.phone && p.kind.Direction == cdr.Inbound:
		s.caller, s.callee = drawTelephone(c.Other, d), user(c.User)
	case p.shape.phone:
		s.caller, s.callee = user(c.User), drawTelephone(c.Other, d)
	default:
		s.caller, s.callee = drawUser(*c.User, d), user(c.Peer)
	}
	switch d.Below(200) {
	case 0:
		s.caller.missing = s.caller.kind == userEnd
	case 1:
		s.callee.missing = s.callee.kind == userEnd
	}
}

// drawFailure draws how a session failed. Sessions of a meeting seldom fail; the first one fails
// more often, so that the call's success isn't known until another session is published.
func (p *recordPlan) drawFailure(index int, d *simulator.Draws) *failure {
	ways := p.shape.Failed
	if p.shape.group {
		switch n := d.Below(200); {
		case n < 2 || n < 6 && index == 0:
			ways = "setup"
		case n < 10:
			ways = "dropped"
		}
	}
	return simulator.Pick(d, sessionParts().Failures[ways])
}

// drawSegments draws the segments of a session: most have one, those with telephones some.
func (p *recordPlan) drawSegments(s *session, d *simulator.Draws) {
	most, n := p.shape.Segments, 1
	switch {
	case most > 20:
		n = d.Between(21, most)
	case p.shape.phone || d.Below(6) == 0:
		n = d.Between(1, most)
	}
	length := s.end.Sub(s.start) / time.Duration(n)
	for i := range n {
		part := &segment{id: d.UUID().String(), start: s.start.Add(time.Duration(i) * length)}
		part.end = part.start.Add(length)
		if !p.shape.group && i == 0 {
			part.id = s.id
		}
		s.segments = append(s.segments, part)
	}
	s.segments[n-1].end = s.end
}
