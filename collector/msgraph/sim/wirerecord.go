package sim

import (
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// recordWriter writes call records as Graph does.
type recordWriter struct {
	doc
	// host is where links and contexts lead to, tenant the tenant's id.
	host, tenant string
	sizes        recordSizes
	// next makes a next link; it says where the rest is.
	next func(rest) string
	// linkName is how next links are called. Forced writes one where none is due.
	linkName string
	forced   bool
}

// recordSizes are how much comes on one page.
type recordSizes struct{ sessions, segments, participants int }

// expansion says what of a record is asked for beside its own members.
type expansion struct{ sessions, segments, participants bool }

const callRecordsPath = "/v1.0/communications/callRecords"

// row writes a record as the list has it.
func (w *recordWriter) row(l *listedRecord) {
	r := l.release()
	switch l.flaw {
	case simulator.NotAnObject:
		w.text("", "record "+l.id.String())
		return
	case simulator.Truncated:
		w.object("", func() {
			w.whole("version", r.number)
			w.time("lastModifiedDateTime", r.at, 0) // no two rows are alike
		})
		return
	default:
	}
	w.object("", func() {
		w.members(&l.plan, r, listFlaw(l.flaw), true)
		w.organizer(&l.plan, r)
	})
}

// record writes a record by itself, with what was asked for.
func (w *recordWriter) record(p *plan, version int, e expansion) {
	r := &p.all[version]
	w.object("", func() {
		w.text("@odata.context", w.host+"/v1.0/$metadata#communications/callRecords"+contextOf(e)+"/$entity")
		w.members(p, r, p.flaw != simulator.NoFlaw, false)
		w.organizer(p, r)
		w.text("participants_v2@odata.context", w.context(p, "/participants_v2/$entity"))
		if e.sessions {
			w.sessions(p, version, 0, e.segments, "sessions")
		}
		if e.participants {
			w.participants(p, version, 0, "participants_v2")
		}
	})
}

func contextOf(e expansion) string {
	switch {
	case e.segments:
		return "(sessions(segments()))"
	case e.sessions:
		return "(sessions())"
	case e.participants:
		return "(participants_v2())"
	}
	return ""
}

func (w *recordWriter) context(p *plan, rest string) string {
	return w.host + "/v1.0/$metadata#communications/callRecords('" + p.id.String() + "')" + rest
}

// members writes a record's own members, which a flaw may spoil.
func (w *recordWriter) members(p *plan, r *release, spoilt, listed bool) {
	flaw := p.flaw
	if !spoilt {
		flaw = simulator.NoFlaw
	}
	switch flaw {
	case simulator.NumericID:
		w.whole("id", r.number)
	case simulator.NegativeDuration:
		w.text("id", "../"+p.id.String())
	default:
		w.text("id", p.id.String())
	}
	if flaw == simulator.WrongType {
		w.text("version", strconv.FormatInt(r.number, 10))
	} else {
		w.whole("version", r.number)
	}
	switch {
	case flaw == simulator.ObjectForString:
		w.object("type", func() { w.text("name", "hidden") })
	case listed && p.id[15]%8 == 0:
		w.text("type", "unknown")
	case p.shape.group:
		w.text("type", groupCall)
	default:
		w.text("type", peerToPeer)
	}
	w.texts("modalities", w.modalities(p, r))
	w.time("lastModifiedDateTime", r.at, p.call.Number)
	w.start(flaw, r.start, p.call.Number)
	w.time("endDateTime", p.end, p.call.Number)
	if p.shape.group {
		w.text("joinWebUrl", "https://teams.microsoft.com/l/meetup-join/19%3ameeting_"+p.id.String()+"%40thread.v2/0")
	} else {
		w.null("joinWebUrl")
	}
}

func (w *recordWriter) start(flaw simulator.Flaw, t time.Time, style int) {
	switch flaw {
	case simulator.BadTime:
		w.text("startDateTime", "yesterday")
	case simulator.ImpossibleTime:
		w.text("startDateTime", "2026-02-30T25:61:00Z")
	case simulator.NullStart:
		w.plain("startDateTime", "null")
	default:
		w.time("startDateTime", t, style)
	}
}

// modalities are those of the first sessions.
func (w *recordWriter) modalities(p *plan, r *release) []string {
	all := []string{}
	for i := range min(r.sessions, 3) {
		s := p.outline(i)
		for _, m := range s.carries.modalities {
			if !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	return all
}

// organizer writes who made the call.
func (w *recordWriter) organizer(p *plan, r *release) {
	if r.sessions == 0 {
		w.null("organizer_v2")
		return
	}
	e := p.organizer()
	w.text("organizer_v2@odata.context", w.context(p, "/organizer_v2/$entity"))
	w.participant("organizer_v2", &e)
}

// organizer is who made the call.
func (p *plan) organizer() end {
	if p.shape.group {
		return p.attendee(p.shape.phones)
	}
	return p.outline(0).caller
}

// participant writes somebody who took part.
func (w *recordWriter) participant(name string, e *end) {
	w.object(name, func() {
		w.text("id", e.identity())
		w.identitySet("identity", e)
		w.list("administrativeUnitInfos", 0, nil)
	})
}

// participants writes a page of those who took part, as a member of a record or, with an
// empty name, by itself.
func (w *recordWriter) participants(p *plan, version, skip int, name string) {
	all := p.participants(&p.all[version])
	last := min(len(all), skip+w.sizes.participants)
	if last < len(all) || w.forced && name == "" {
		w.link(name, rest{ID: p.id.String(), Version: version, What: restParticipants, Skip: last})
	}
	w.list(memberName(name), last-skip, func(i int) { w.participant("", &all[skip+i]) })
}

// participants are those who are known to have taken part, each once.
func (p *plan) participants(r *release) []end {
	var all []end
	for i := range min(r.sessions, p.people) {
		s := p.outline(i)
		for _, e := range []end{s.caller, s.callee} {
			if e.kind != serviceEnd {
				all = append(all, e)
			}
		}
	}
	return all
}

// memberName is the name of the list that a page has.
func memberName(name string) string {
	if name == "" {
		return "value"
	}
	return name
}

// link writes a next link, of a page by itself or of a member.
func (w *recordWriter) link(name string, to rest) { w.text(name+w.linkName, w.next(to)) }
