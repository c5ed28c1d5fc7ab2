package sim

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	// in is the range of the list of call records, after is where the page begins.
	in    span
	after *position
	// id is a record's; version and session are of a further page: it is of the same version as the first.
	id               simulator.UUID
	version, session int
	// segments says that a page of a session's segments is asked for.
	segments bool
}

var (
	errFilter   = errors.New("invalid filter clause: only startDateTime with ge, gt, le and lt, joined by and, is supported")
	errRecordID = errors.New("the id is not a GUID")
)

// recordPath matches the list, a record, and its participants.
var recordPath = regexp.MustCompile(`^/v1\.0/communications/callRecords(?:/([^/()']*)(/participants_v2)?)?$`)

// serveCallRecords answers requests for call records and calls of the two functions, and their next links.
func (s *Server) serveCallRecords(w http.ResponseWriter, r *http.Request) {
	var t target
	var refused *simulator.Answer
	var err error
	// The path as it came: the one that net/http unescaped says less.
	path, options, asked := strings.Cut(r.RequestURI, "?")
	continued := strings.Contains(options, "$skip")
	switch {
	case continued:
		t, refused = s.followLink(r)
	case strings.Contains(path, "("):
		if t, err = parseFunction(path); err == nil && asked {
			err = errOption
		}
	default:
		t, err = parseRecordRequest(path, options)
	}
	if err != nil {
		refused = s.badRequest(r, err.Error())
	}
	q := &reply{request: simulator.Request{Endpoint: t.endpoint, Continued: continued}, skip: t.skip}
	switch {
	case refused != nil:
	case t.endpoint == EndpointPSTN || t.endpoint == EndpointDirectRouting:
		q = s.functionReply(r, t, continued)
	case r.Method != http.MethodGet:
		refused = s.notAllowed(r)
	default:
		p := &recordPage{target: t, server: s, request: r, continued: continued}
		q.prepare, q.fits, q.render = p.find, p.fits, p.render
	}
	if refused != nil {
		q.refused = refused
	}
	s.serve(w, r, q)
}

// parseRecordRequest reads a path and its only option: the list's filter, or that a record comes with its sessions and their segments.
func parseRecordRequest(path, options string) (t target, err error) {
	match := recordPath.FindStringSubmatch(path)
	if match == nil {
		return target{endpoint: EndpointOther}, errNoResource
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
		return t, t.in.filter(value)
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
	return simulator.UUID(id), nil
}

// filter reads a filter on startDateTime.
func (s *span) filter(text string) error {
	for clause := range strings.SplitSeq(text, " and ") {
		words := strings.Split(clause, " ")
		if len(words) != 3 || words[0] != "startDateTime" {
			return errFilter
		}
		t, err := time.Parse(time.RFC3339Nano, words[2])
		if err != nil {
			return errFilter
		}
		ms := t.UnixMilli()
		whole := time.UnixMilli(ms).Equal(t)
		switch {
		case words[1] == "ge" && whole:
			s.low = max(s.low, ms)
		case words[1] == "gt" || words[1] == "ge":
			s.low = max(s.low, ms+1)
		case words[1] == "lt" && whole:
			s.high = min(s.high, ms-1)
		case words[1] == "le" || words[1] == "lt":
			s.high = min(s.high, ms)
		default:
			return errFilter
		}
	}
	return nil
}

// recordPage is the answer to one request about call records.
type recordPage struct {
	target
	server    *Server
	request   *http.Request
	continued bool
	// rows are the list's, plan is the record's.
	rows []listedRecord
	plan recordPlan
	// count is how many entries come, more whether more follow.
	count int
	more  bool
}

func (p *recordPage) isList() bool { return p.endpoint == EndpointCallRecords }

// find reads what is asked for.
func (p *recordPage) find(q *reply) *simulator.Answer {
	s := p.server
	now, visible, records := s.timeline.Now(), s.timeline.Visible(), s.settings.CallRecords
	if p.isList() {
		p.in.low, p.in.high = max(p.in.low, now.Add(-retention).UnixMilli()), min(p.in.high, now.UnixMilli())
		q.request.From, q.request.To = time.UnixMilli(p.in.low).UTC(), time.UnixMilli(p.in.high).UTC()
		if records != nil {
			p.rows, p.more = records.list(p.in, p.after, visible, s.settings.RecordPage)
		}
		p.count, q.request.HasNext = len(p.rows), p.more
		return nil
	}
	if wait := s.limits.take(p.id, p.continued, now); wait > 0 {
		a := s.refuse(p.request, http.StatusTooManyRequests, "TooManyRequests", "")
		a.Header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		return a
	}
	if records == nil || !records.find(p.id, now, &p.plan) || isListFlaw(p.plan.flaw) || now.Sub(p.plan.start) > retention {
		return s.refuseByFault(p.request, NotYet)
	}
	if !p.continued {
		p.version = p.plan.readable(visible)
	}
	if p.version < 0 {
		return s.refuseByFault(p.request, NotYet)
	}
	size, all := s.settings.SessionPage, p.plan.all[p.version].sessions
	if p.segments {
		size, all = s.settings.SegmentPage, len(p.plan.outline(p.session).Segments)
	} else if p.endpoint == EndpointParticipants {
		size, all = s.settings.ParticipantPage, len(p.plan.participants(p.version))
	}
	p.count = min(all-p.skip, size)
	p.more = p.skip+p.count < all
	q.request.HasNext = p.more
	return nil
}

func (p *recordPage) fits(f simulator.Fault) bool {
	switch f {
	case ExpiredLink400, ExpiredLink410, RepeatedLink:
		return p.continued
	case CapitalLink:
		return p.more
	case OtherNames:
		return false
	case EmptyPage:
		return p.count > 0
	case ShortPage:
		return p.count > 1
	case NotYet, BadRequest:
		return !p.isList()
	case OlderVersion:
		return p.endpoint == EndpointCallRecord && p.version > 0
	default:
		return true
	}
}

func (p *recordPage) render(fault simulator.Fault) (*simulator.Answer, int) {
	switch fault {
	case EmptyPage:
		p.count, p.more = 0, true
	case ShortPage:
		p.count, p.more = p.count/2, true
	case HostileLink, RepeatedLink:
		p.more = true
	case OlderVersion:
		p.version--
		all := p.plan.all[p.version].sessions
		p.count, p.more = min(p.count, all), p.count < all
	default:
	}
	var body []byte
	capital := "@odata.NextLink"
	switch p.endpoint {
	case EndpointCallRecords:
		body = encode(p.list(fault))
	case EndpointCallRecord:
		body, capital = encode(p.record(fault)), "@odata.nextlink" // the documentation's samples have both
	default:
		body = encode(p.collection(fault))
	}
	if fault == CapitalLink {
		body = capitalLinks(body, capital)
	}
	if p.request.Header.Get("Prefer") != "include-unknown-enum-members" { // a member that comes after unknownFutureValue
		body = bytes.ReplaceAll(body, []byte(`"azureCommunicationServices"`), []byte(`"unknownFutureValue"`))
	}
	return p.server.page(p.request, body), p.count
}

// recordsPage is the envelope of a list.
type recordsPage struct {
	Context string `json:"@odata.context"`
	Next    string `json:"@odata.nextLink,omitempty"`
	Value   any    `json:"value"`
}

func (p *recordPage) context(rest string) string {
	return "https://" + p.request.Host + "/v1.0/$metadata#communications/callRecords" + rest
}

func (p *recordPage) list(fault simulator.Fault) recordsPage {
	page, rows := recordsPage{Context: p.context("")}, []any{}
	to := p.target
	for i := range p.rows[:p.count] {
		x := &p.rows[i]
		rows = append(rows, slices.Repeat([]any{x.row()}, max(1, x.call.Copies))...)
		to.after = &x.at
	}
	page.Value = rows
	if p.more {
		filter := "startDateTime ge " + time.UnixMilli(p.in.low).UTC().Format(time.RFC3339Nano)
		page.Next = p.server.nextLink(p.request, fault, callRecordsPath+"?$filter="+url.PathEscape(filter), to, true)
	}
	return page
}

// link is the link to the rest of a collection of the record.
func (p *recordPage) link(fault simulator.Fault, to target) string {
	uri := callRecordsPath + "('" + p.id.String() + "')/"
	switch {
	case to.segments:
		uri += fmt.Sprintf("sessions('%d')/segments", to.session)
	case to.endpoint == EndpointParticipants:
		uri += "participants_v2"
	default:
		uri += "sessions?$expand=segments"
	}
	return p.server.nextLink(p.request, fault, uri, to, true)
}

// rest is what the link to the rest of the page leads to.
func (p *recordPage) rest() target {
	to := p.target
	to.skip += p.count
	if to.endpoint == EndpointCallRecord {
		to.endpoint = EndpointSessions
	}
	return to
}

func (p *recordPage) record(fault simulator.Fault) object {
	o := p.plan.record(p.version, false)
	o["@odata.context"], o["sessions"] = p.context("(sessions(segments()))/$entity"), p.sessions(fault)
	if p.more {
		o["sessions@odata.nextLink"] = p.link(fault, p.rest())
	}
	return o
}

// sessions are those of the page, with the first page of their segments.
func (p *recordPage) sessions(fault simulator.Fault) []*session {
	all := p.plan.renderSessions(p.version)[p.skip : p.skip+p.count]
	for i, s := range all {
		if n := p.server.settings.SegmentPage; n < len(s.Segments) {
			to := p.rest()
			to.segments, to.session, to.skip = true, p.skip+i, n
			s.Segments, s.SegmentsNext = s.Segments[:n], p.link(fault, to)
		}
	}
	return all
}

// collection is a page of one of the record's collections by itself.
func (p *recordPage) collection(fault simulator.Fault) recordsPage {
	page, last := recordsPage{Context: p.context("('" + p.plan.id.String() + "')")}, p.skip+p.count
	switch {
	case p.segments:
		page.Value = p.plan.session(p.session, &p.plan.all[p.version]).Segments[p.skip:last]
	case p.endpoint == EndpointParticipants:
		page.Value = p.plan.participants(p.version)[p.skip:last]
	default:
		page.Value = p.sessions(fault)
	}
	if p.more {
		page.Next = p.link(fault, p.rest())
	}
	return page
}

// recordLimits count the requests for each call record: so many in 20 seconds, and so many for further pages in 5 minutes.
type recordLimits struct {
	first, next int

	mu      sync.Mutex
	asked   map[limitKey][]time.Time // guarded by mu
	refused int                      // guarded by mu
}

type limitKey struct {
	id   simulator.UUID
	next bool
}

// take counts a request, or returns how long to wait.
func (l *recordLimits) take(id simulator.UUID, next bool, now time.Time) (wait time.Duration) {
	limit, window := l.first, 20*time.Second
	if next {
		limit, window = l.next, 5*time.Minute
	}
	if limit < 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked == nil {
		l.asked = map[limitKey][]time.Time{}
	}
	key := limitKey{id, next}
	times := slices.DeleteFunc(l.asked[key], func(at time.Time) bool { return now.Sub(at) >= window })
	if len(times) >= limit {
		l.refused++
		wait = window - now.Sub(times[0])
	} else {
		times = append(times, now)
	}
	l.asked[key] = times
	return wait
}

func (l *recordLimits) refusals() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}
