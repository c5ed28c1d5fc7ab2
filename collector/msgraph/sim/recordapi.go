package sim

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const callRecordsPath = "/v1.0/communications/callRecords"

// target is what a request or a next link asks for.
type target struct {
	endpoint string
	skip     int
	// from and to are the range of the functions and of the list of call records; begin is where a
	// page of the list begins.
	from, to time.Time
	begin    position
	// id is a record's id. version and session belong to a further page, which has the same version
	// as the first.
	id               simulator.UUID
	version, session int
	// segments says that the request is for a page of a session's segments.
	segments bool
}

// requests matches the requests that are simulated, except for next links. They have unquoted
// parameters, literal parentheses and commas, and no plus, which might mean a space. The server
// refuses all other requests, to detect a wrong client.
var requests = []struct {
	endpoint string
	uri      *regexp.Regexp
}{
	{EndpointPSTN, regexp.MustCompile(`^/getPstnCalls\(fromDateTime=([^+,]+),toDateTime=([^+,]+)\)$`)},
	{
		EndpointDirectRouting,
		regexp.MustCompile(`^/getDirectRoutingCalls\(fromDateTime=([^+,]+),toDateTime=([^+,]+)\)$`),
	},
	{
		EndpointCallRecords,
		regexp.MustCompile(`^\?\$filter=startDateTime%20ge%20([^+]+)%20and%20startDateTime%20lt%20([^+]+)$`),
	},
	{EndpointCallRecord, regexp.MustCompile(`^/([-0-9a-f]{36})\?\$expand=sessions\(\$expand=segments\)$`)},
	{EndpointParticipants, regexp.MustCompile(`^/([-0-9a-f]{36})/participants_v2$`)},
}

// parseRequest reads a request's URI as it was sent, because the path that net/http unescapes hides
// the spelling.
func parseRequest(uri string) (t target, ok bool) {
	path, found := strings.CutPrefix(uri, callRecordsPath)
	for _, r := range requests {
		match := r.uri.FindStringSubmatch(path)
		if !found || match == nil {
			continue
		}
		t.endpoint = r.endpoint
		var err, wrong error
		if len(match) == 2 {
			t.id, err = uuid.Parse(match[1])
			return t, err == nil
		}
		t.from, err = parseTime(match[1])
		t.to, wrong = parseTime(match[2])
		return t, err == nil && wrong == nil && !t.to.Before(t.from)
	}
	return target{endpoint: EndpointOther}, false
}

// parseTime reads an Edm.DateTimeOffset, which may be escaped.
func parseTime(text string) (time.Time, error) {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, plain)
}

// serveCallRecords answers requests for call records, for calls of the two functions, and for their
// next links.
func (s *Server) serveCallRecords(w http.ResponseWriter, r *http.Request) {
	p, ok := &page{Server: s, request: r, continued: strings.Contains(r.RequestURI, "$skip")}, false
	if p.continued {
		p.target, ok = s.followLink(r)
	} else {
		p.target, ok = parseRequest(r.RequestURI)
	}
	s.serve(w, r, p.endpoint, func() simulator.Reply {
		switch {
		case !ok || r.Method != http.MethodGet:
			return s.badRequest(r, notSimulated)
		case p.isFunction():
			return s.function(p)
		case p.endpoint == EndpointCallRecords:
			return s.list(p)
		}
		return s.record(p)
	})
}

// notSimulated is the answer to a request that the exporter never sends.
const notSimulated = "This request isn't simulated."

func (s *Server) list(p *page) simulator.Reply {
	in := span{p.from.UnixMilli(), min(p.to.UnixMilli()-1, s.Now().UnixMilli())}
	rows, more := s.CallRecords.list(in, p.begin, s.Visible(), s.RecordPage)
	list, to, next := []any{}, p.target, ""
	for i := range rows {
		x := &rows[i]
		list = append(list, slices.Repeat([]any{x.row()}, max(1, x.call.Copies))...)
		to.begin = x.next
	}
	if more {
		filter := "startDateTime ge " + p.from.Format(time.RFC3339)
		next = p.next(callRecordsPath+"?$filter="+url.PathEscape(filter), to, true)
	}
	return p.answer(p.collection("", next, list))
}

func (s *Server) record(p *page) simulator.Reply {
	plan := &recordPlan{}
	if !s.CallRecords.find(p.id, plan) || isListFlaw(plan.flaw) {
		return s.refuse(p.request, http.StatusNotFound, "NotFound", "")
	}
	if !p.continued {
		p.version = plan.readable(s.Visible())
	}
	if p.version < 0 {
		return s.refuse(p.request, http.StatusNotFound, "NotFound", "")
	}
	size, all := s.SessionPage, plan.versions[p.version].sessions
	if p.segments {
		size, all = s.SegmentPage, len(plan.outline(p.session).segments)
	} else if p.endpoint == EndpointParticipants {
		size, all = s.ParticipantPage, len(plan.participants(p.version))
	}
	p.size = min(all-p.skip, size)
	p.more = p.skip+p.size < all
	return p.answer(p.recordBody(plan))
}

func (p *page) context(rest string) string {
	return "https://" + p.request.Host + "/v1.0/$metadata#communications/callRecords" + rest
}

func (p *page) collection(context, next string, rows any) []byte {
	o := simulator.NewObject("@odata.context", p.context(context))
	o.SetKnown("@odata.nextLink", next)
	o.Set("value", rows)
	return simulator.JSON(o)
}

// recordBody renders a record with its sessions, or a page of one of its collections.
func (p *page) recordBody(plan *recordPlan) []byte {
	last := p.skip + p.size
	to, next := p.target, ""
	to.skip = last
	if to.endpoint == EndpointCallRecord {
		to.endpoint = EndpointSessions
	}
	if p.more {
		next = p.recordLink(to)
	}
	context := "('" + plan.id.String() + "')"
	switch {
	case p.segments:
		_, segments := plan.session(p.session, p.version)
		return p.collection(context, next, segments[p.skip:last])
	case p.endpoint == EndpointParticipants:
		return p.collection(context, next, plan.participants(p.version)[p.skip:last])
	}
	sessions := []simulator.Object{}
	for i := p.skip; i < last; i++ {
		o, segments := plan.session(i, p.version)
		link := ""
		if n := p.SegmentPage; n < len(segments) {
			more := to
			more.segments, more.session, more.skip = true, i, n
			segments, link = segments[:n], p.recordLink(more)
		}
		o.Set("segments", segments)
		o.SetKnown("segments@odata.nextLink", link)
		sessions = append(sessions, o)
	}
	if p.endpoint != EndpointCallRecord {
		return p.collection(context, next, sessions)
	}
	o := plan.record(p.version, false)
	o.Set("@odata.context", p.context("(sessions(segments()))/$entity"))
	o.Set("sessions", sessions)
	o.SetKnown("sessions@odata.nextLink", next)
	return simulator.JSON(o)
}

// recordLink is the link to the rest of a collection of the record.
func (p *page) recordLink(to target) string {
	uri := callRecordsPath + "('" + p.id.String() + "')/"
	switch {
	case to.segments:
		uri += fmt.Sprintf("sessions('%d')/segments", to.session)
	case to.endpoint == EndpointParticipants:
		uri += "participants_v2"
	default:
		uri += "sessions?$expand=segments"
	}
	return p.next(uri, to, true)
}
