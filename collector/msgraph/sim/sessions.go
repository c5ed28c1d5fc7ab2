package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// object is a JSON object that nothing but its rendering needs.
type object map[string]any

// session is microsoft.graph.callRecords.session. What has no tag is how it was drawn.
type session struct {
	ID           string     `json:"id"`
	Modalities   []string   `json:"modalities"`
	Start        string     `json:"startDateTime"`
	End          string     `json:"endDateTime"`
	IsTest       bool       `json:"isTest"`
	Failure      object     `json:"failureInfo"`
	Caller       any        `json:"caller"`
	Callee       any        `json:"callee"`
	Segments     []*segment `json:"segments,omitzero"`
	SegmentsNext string     `json:"segments@odata.nextLink,omitempty"`

	caller, callee participant
	start, end     time.Time
	failure        *failure
	content        *content
}

// segment is microsoft.graph.callRecords.segment.
type segment struct {
	ID      string    `json:"id"`
	Start   string    `json:"startDateTime"`
	End     string    `json:"endDateTime"`
	Failure object    `json:"failureInfo"`
	Caller  any       `json:"caller"`
	Callee  any       `json:"callee"`
	Media   []*medium `json:"media"`

	start, end time.Time
}

// medium is microsoft.graph.callRecords.media.
type medium struct {
	Label         string          `json:"label"`
	CallerNetwork json.RawMessage `json:"callerNetwork,omitempty"`
	CalleeNetwork json.RawMessage `json:"calleeNetwork,omitempty"`
	Streams       []*stream       `json:"streams"`
}

// record renders a record in one of its versions, for the list or by itself.
func (p *recordPlan) record(version int, listed bool) object {
	v, modalities := &p.all[version], []string{}
	for i := range min(v.sessions, 3) {
		for _, m := range p.outline(i).content.modalities {
			if !slices.Contains(modalities, m) {
				modalities = append(modalities, m)
			}
		}
	}
	o := object{
		"id": p.id.String(), "version": v.number, "type": peerToPeer, "modalities": modalities, "lastModifiedDateTime": formatTime(v.at, p.call.Number),
		"startDateTime": formatTime(v.start, p.call.Number), "endDateTime": formatTime(p.end, p.call.Number), "joinWebUrl": nil, "organizer_v2": nil,
	}
	if p.shape.group {
		o["type"], o["joinWebUrl"] = groupCall, "https://teams.microsoft.com/l/meetup-join/19%3ameeting_"+p.id.String()+"%40thread.v2/0"
	}
	if listed && p.call.Number%8 == 0 {
		o["type"] = "unknown"
	}
	if organizer := p.attendee(p.shape.phones); v.sessions > 0 && p.shape.group {
		o["organizer_v2"] = organizer.listed()
	} else if v.sessions > 0 {
		o["organizer_v2"] = p.outline(0).caller.listed()
	}
	if listed != isListFlaw(p.flaw) {
		return o
	}
	switch p.flaw {
	case simulator.NumericID:
		o["id"] = v.number
	case simulator.NegativeDuration:
		o["id"] = "../" + p.id.String()
	case simulator.WrongType:
		o["version"] = strconv.FormatInt(v.number, 10)
	case simulator.ObjectForString:
		o["type"] = object{"name": "hidden"}
	default:
		if spoilt, ok := spoiltStart(p.flaw); ok {
			o["startDateTime"] = spoilt
		}
	}
	return o
}

// row renders a record as a row of the list.
func (l *listedRecord) row() any {
	v := &l.all[l.version]
	switch l.flaw {
	case simulator.NotAnObject:
		return "record " + l.id.String()
	case simulator.Truncated:
		return object{"version": v.number, "lastModifiedDateTime": formatTime(v.at, 0)} // no two rows are alike
	default:
		return l.record(l.version, true)
	}
}

// isListFlaw says whether a flaw is in the list: then nothing but the list has the record. The other flaws are in the record itself.
func isListFlaw(f simulator.Flaw) bool {
	switch f {
	case simulator.NumericID, simulator.NotAnObject, simulator.Truncated, simulator.NegativeDuration, simulator.WrongType:
		return true
	default:
		return false
	}
}

// participants are those who are known to have taken part in a version, each once.
func (p *recordPlan) participants(version int) []object {
	all := []object{}
	for i := range min(p.all[version].sessions, p.people) {
		s := p.outline(i)
		for _, e := range []*participant{&s.caller, &s.callee} {
			if e.kind != serviceEnd {
				all = append(all, e.listed())
			}
		}
	}
	return all
}

// renderSessions renders the sessions of a version with all their segments.
func (p *recordPlan) renderSessions(version int) []*session {
	v := &p.all[version]
	all := make([]*session, v.sessions)
	for i := range all {
		all[i] = p.session(i, v)
	}
	return all
}

// session renders one session in a version.
func (p *recordPlan) session(index int, v *recordVersion) *session {
	s := p.outline(index)
	s.Start, s.End = formatTime(later(s.start, v.start), index), formatTime(s.end, index)
	s.Caller, s.Callee = s.caller.endpoint(v.rated), s.callee.endpoint(v.rated)
	s.Failure = s.failure.info(v)
	media := index < v.media
	for _, part := range s.Segments {
		part.Start, part.End = formatTime(later(part.start, v.start), s.caller.style), formatTime(later(part.end, v.start.Add(time.Millisecond)), s.callee.style)
		part.Caller, part.Callee = s.Caller, s.Callee
		if media || s.caller.style != 0 {
			part.Media = []*medium{}
		}
	}
	s.Segments[len(s.Segments)-1].Failure = s.Failure
	if media {
		p.drawMedia(s, index, v.remeasured)
	}
	return s
}

// info is the failure as Graph says it; null while it isn't known.
func (f *failure) info(v *recordVersion) object {
	if f == nil || !v.explained {
		return nil
	}
	return object{"stage": f.stage.wire, "reason": f.reason}
}

// outline draws a session without what a version adds to it.
func (p *recordPlan) outline(index int) *session {
	d := p.source.world.Draws(p.place, drawSession|uint64(index))
	s := &session{ID: d.UUID().String(), IsTest: p.shape.test, start: p.start, end: p.end}
	if !p.shape.group {
		s.ID = p.id.String() // as in the documentation's sample
	}
	// The first session begins and ends with the call.
	if length := p.end.Sub(p.start); index > 0 && length >= 2*time.Second {
		s.start = p.start.Add(d.Duration(0, length/2))
		s.end = s.start.Add(d.Duration(time.Second, p.end.Sub(s.start)))
	}
	p.drawEnds(s, index, &d)
	s.failure = p.drawFailure(index, &d)
	s.content = &contents[0]
	if s.caller.kind != phoneEnd && s.callee.kind != phoneEnd && (s.callee.kind != serviceEnd || p.shape.group) {
		s.content = pick(contents, &d)
	}
	s.Modalities = s.content.modalities
	p.drawSegments(s, &d)
	return s
}

// drawEnds draws who a session was between. In meetings each session is between somebody and the service; those of people who joined again come last.
func (p *recordPlan) drawEnds(s *session, index int, d *simulator.Draws) {
	c := &p.call
	user := func(user *simulator.User) participant {
		if p.shape.role != "" || user == nil {
			return drawService(p.shape.role, d)
		}
		return drawUser(*user, d)
	}
	switch {
	case p.shape.group:
		index %= p.people
		s.caller, s.callee = p.attendee(index), drawService("mediaController", d)
		if index < p.shape.phones {
			number := c.Other.String()
			if index > 0 {
				number = fmt.Sprintf("+1425555%04d", 100+index)
			}
			s.caller = drawTelephone(number, d)
			s.callee.role = "conferencingAttendant"
		}
		if index < p.shape.phones && p.kind.Direction == cdr.Outbound {
			s.caller, s.callee = s.callee, s.caller
		}
		return
	case p.shape.phone && p.kind.Direction == cdr.Inbound:
		s.caller, s.callee = drawTelephone(c.Other.String(), d), user(c.User)
	case p.shape.phone:
		s.caller, s.callee = user(c.User), drawTelephone(c.Other.String(), d)
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

// drawFailure draws how a session failed. One in a meeting seldom does, the first somewhat more often: then the call isn't known to have succeeded
// until another is published.
func (p *recordPlan) drawFailure(index int, d *simulator.Draws) *failure {
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

// drawSegments draws the segments of a session: most have one, those with telephones some.
func (p *recordPlan) drawSegments(s *session, d *simulator.Draws) {
	most, n := p.shape.segments, 1
	switch {
	case most > 20:
		n = d.Between(21, most)
	case p.shape.phone || d.Below(6) == 0:
		n = d.Between(1, most)
	}
	length := s.end.Sub(s.start) / time.Duration(n)
	for i := range n {
		part := &segment{ID: d.UUID().String(), start: s.start.Add(time.Duration(i) * length)}
		part.end = part.start.Add(length)
		if !p.shape.group && i == 0 {
			part.ID = s.ID
		}
		s.Segments = append(s.Segments, part)
	}
	s.Segments[n-1].end = s.end
}

// weighted is a choice in a table.
type weighted interface{ share() int }

func (f failure) share() int { return f.weight }
func (c content) share() int { return c.weight }
func (c class) share() int   { return c.weight }
func (d device) share() int  { return d.weight }
func (n network) share() int { return n.weight }

// pick draws one of some weighted choices; nil from none.
func pick[T weighted](list []T, d *simulator.Draws) *T {
	sum := 0
	for i := range list {
		sum += list[i].share()
	}
	n := d.Below(sum)
	for i := range list {
		if n -= list[i].share(); n < 0 {
			return &list[i]
		}
	}
	return nil
}
