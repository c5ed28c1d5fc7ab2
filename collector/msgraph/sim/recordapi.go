package sim

import (
	"errors"
	"fmt"
	"math"
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

// target is what a request asks for, or a next link leads to.
type target struct {
	endpoint string
	skip     int
	// function is a call of one of the functions.
	function functionCall
	// in is the range of the list of call records, begin is where the page begins.
	in    span
	begin position
	// id is a record's; version and session are of a further page: it is of the same version as the first.
	id               simulator.UUID
	version, session int
	// segments says that a page of a session's segments is asked for.
	segments bool
}

var (
	errFilter   = errors.New("invalid filter clause: only startDateTime ge and lt, joined by and, is simulated")
	errLink     = errors.New("the $skip token is not valid")
	errRecordID = errors.New("the id is not a GUID")
)

// filterText matches the filter of the list.
var filterText = regexp.MustCompile(`^startDateTime ge (\S+) and startDateTime lt (\S+)$`)

// recordPath matches the list, a record, and its participants.
var recordPath = regexp.MustCompile(`^/v1\.0/communications/callRecords(?:/([^/()']*)(/participants_v2)?)?$`)

// serveCallRecords answers requests for call records and calls of the two functions, and their next links.
func (s *Server) serveCallRecords(w http.ResponseWriter, r *http.Request) {
	// The path as it came: the one that net/http unescaped says less.
	path, options, asked := strings.Cut(r.RequestURI, "?")
	p := &page{Server: s, request: r, continued: strings.Contains(options, "$skip")}
	var err error
	switch {
	case p.continued:
		var ok bool
		if p.target, ok = s.followLink(r); !ok {
			err = errLink
		}
	case strings.Contains(path, "("):
		if p.target, err = parseFunction(path); err == nil && asked {
			err = errOption
		}
	default:
		p.target, err = parseRecordRequest(path, options)
	}
	s.serve(w, r, p.endpoint, func() simulator.Reply {
		switch {
		case err != nil:
			return s.badRequest(r, err.Error())
		case p.endpoint == EndpointPSTN || p.endpoint == EndpointDirectRouting:
			return s.function(p)
		case r.Method != http.MethodGet:
			return s.notAllowed(r)
		case p.endpoint == EndpointCallRecords:
			return s.list(p)
		}
		return s.record(p)
	})
}

// parseRecordRequest reads a path and its only option: the list's filter, or that a record comes with its sessions and their segments.
func parseRecordRequest(path, options string) (t target, err error) {
	match := recordPath.FindStringSubmatch(path)
	if match == nil {
		return target{endpoint: EndpointOther}, errResource
	}
	name, value, _ := strings.Cut(options, "=")
	value, err = url.PathUnescape(value)
	if err != nil || strings.Contains(options, "+") { // a plus may be a space
		return target{endpoint: EndpointOther}, errOption
	}
	switch {
	case path == callRecordsPath:
		t = target{endpoint: EndpointCallRecords, in: span{math.MinInt64, math.MaxInt64}}
		if options == "" {
			return t, nil
		}
		if name != "$filter" {
			return t, errOption
		}
		t.in, err = parseFilter(value)
		return t, err
	case match[2] != "":
		t.endpoint = EndpointParticipants
	default:
		t.endpoint = EndpointCallRecord
	}
	if t.id, err = parseID(match[1]); err != nil {
		return t, err
	}
	if t.endpoint == EndpointCallRecord && options != "$expand=sessions($expand=segments)" || t.endpoint == EndpointParticipants && options != "" {
		return t, errOption
	}
	return t, nil
}

// parseID reads a GUID, in either case.
func parseID(text string) (simulator.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || id.String() != strings.ToLower(text) {
		return simulator.UUID{}, errRecordID
	}
	return id, nil
}

func parseFilter(text string) (in span, err error) {
	match := filterText.FindStringSubmatch(text)
	if match == nil {
		return in, errFilter
	}
	from, wrong := time.Parse(time.RFC3339, match[1])
	to, err := time.Parse(time.RFC3339, match[2])
	if wrong != nil || err != nil {
		return in, errFilter
	}
	return span{from.UnixMilli(), to.UnixMilli() - 1}, nil
}

func (s *Server) list(p *page) simulator.Reply {
	now, records := s.Now(), s.settings.CallRecords
	p.in.low, p.in.high = max(p.in.low, now.Add(-retention).UnixMilli()), min(p.in.high, now.UnixMilli())
	var rows []listedRecord
	if records != nil {
		rows, p.more = records.list(p.in, p.begin, s.Visible(), s.settings.RecordPage)
	}
	p.size = len(rows)
	p.body = func(p *page) []byte {
		list, to, next := []any{}, p.target, ""
		for i := range rows[:p.size] {
			x := &rows[i]
			list = append(list, slices.Repeat([]any{x.row()}, max(1, x.call.Copies))...)
			to.begin = x.next
		}
		if p.more {
			filter := "startDateTime ge " + time.UnixMilli(p.in.low).UTC().Format(time.RFC3339Nano)
			next = p.next(callRecordsPath+"?$filter="+url.PathEscape(filter), to, true)
		}
		return p.collection("", next, list)
	}
	a := p.answer()
	a.From, a.To = time.UnixMilli(p.in.low).UTC(), time.UnixMilli(p.in.high).UTC()
	return a
}

func (s *Server) record(p *page) simulator.Reply {
	now, records := s.Now(), s.settings.CallRecords
	if wait := s.wait(limitKey{p.id, p.continued}); wait > 0 {
		a := s.refuse(p.request, http.StatusTooManyRequests, "TooManyRequests", "")
		a.Header.Set("Retry-After", simulator.WholeSeconds(wait))
		return a
	}
	plan := &recordPlan{}
	if records == nil || !records.find(p.id, plan) || isListFlaw(plan.flaw) || now.Sub(plan.start) > retention {
		return s.notFound(p.request)
	}
	if !p.continued {
		p.version = plan.readable(s.Visible())
	}
	if p.version < 0 {
		return s.notFound(p.request)
	}
	size, all := s.settings.SessionPage, plan.versions[p.version].sessions
	if p.segments {
		size, all = s.settings.SegmentPage, len(plan.outline(p.session).segments)
	} else if p.endpoint == EndpointParticipants {
		size, all = s.settings.ParticipantPage, len(plan.participants(p.version))
	}
	p.size = min(all-p.skip, size)
	p.more = p.skip+p.size < all
	p.body = func(p *page) []byte { return p.recordBody(plan) }
	var extra []simulator.Fault
	if p.endpoint == EndpointCallRecord && p.version > 0 {
		extra = append(extra, OlderVersion)
	}
	return p.answer(extra...)
}

func (p *page) context(rest string) string {
	return "https://" + p.request.Host + "/v1.0/$metadata#communications/callRecords" + rest
}

// collection is the body of a page of a collection.
func (p *page) collection(context, next string, rows any) []byte {
	o := simulator.NewObject("@odata.context", p.context(context))
	o.SetKnown("@odata.nextLink", next)
	o.Set("value", rows)
	return simulator.JSON(o)
}

// recordBody renders a record with its sessions, or a page of one of its collections.
func (p *page) recordBody(plan *recordPlan) []byte {
	version, size := p.version, p.size
	if p.fault == OlderVersion {
		version--
		size = min(size, plan.versions[version].sessions)
		p.size, p.version, p.more = size, version, size < plan.versions[version].sessions
	}
	last := p.skip + size
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
		_, segments := plan.session(p.session, version)
		return p.collection(context, next, segments[p.skip:last])
	case p.endpoint == EndpointParticipants:
		return p.collection(context, next, plan.participants(version)[p.skip:last])
	}
	sessions := make([]simulator.Object, 0, size)
	for i := p.skip; i < last; i++ {
		o, segments := plan.session(i, version)
		link := ""
		if n := p.settings.SegmentPage; n < len(segments) {
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
	o := plan.record(version, false)
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

// limitKey is a record, and whether the requests are for its first page or for further ones.
type limitKey struct {
	id   simulator.UUID
	next bool
}

// wait counts a request for a record, of which so many are allowed in 20 seconds, and so many for further pages in 5 minutes. It returns how long
// to wait if it is one too many.
func (s *Server) wait(key limitKey) (wait time.Duration) {
	limit := simulator.Limiter{Limit: s.settings.FirstPages, Window: 20 * time.Second}
	if key.next {
		limit = simulator.Limiter{Limit: s.settings.NextPages, Window: 5 * time.Minute}
	}
	if limit.Limit < 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits[key] == nil {
		s.limits[key] = &limit
	}
	if _, wait = s.limits[key].Take(s.Now()); wait > 0 {
		s.refusedRecords++
	}
	return wait
}
