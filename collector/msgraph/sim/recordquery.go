package sim

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// recordPath matches what is asked of call records: the list, one of them, and what it
// has.
var recordPath = regexp.MustCompile(`^/v1\.0/communications/callRecords(?:/([^/()']*)(/sessions|/participants_v2)?)?$`)

// asked is what a request asks for.
type asked struct {
	endpoint string
	rest
	expand expansion
	// continued says that a next link was followed.
	continued bool
}

var (
	errOption    = errors.New("query option is not supported here")
	errFilter    = errors.New("invalid filter clause: only startDateTime with ge, gt, le and lt, joined by and, is supported")
	errExpand    = errors.New("parsing $expand failed")
	errRecordID  = errors.New("the id is not a GUID")
	errPreferred = errors.New("odata.maxpagesize is not a number of entries")
)

// asks reads a request about call records, or says why it is refused.
func (s *Server) asks(r *http.Request) (asked, *simulator.Answer) {
	if strings.Contains(r.RequestURI, skipToken) {
		return s.askedAgain(r)
	}
	path, options, _ := strings.Cut(r.RequestURI, "?")
	a, err := parseAsked(path, options)
	if err == nil {
		a.Size, err = preferredSize(r.Header)
	}
	var refused simulator.Answer
	switch {
	case r.Method != http.MethodGet:
		refused = s.refusal(r, http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	case err != nil:
		refused = s.refusal(r, http.StatusBadRequest, "BadRequest", err.Error())
	default:
		return a, nil
	}
	return a, &refused
}

// parseAsked reads a path and its options, as they came.
func parseAsked(path, options string) (asked, error) {
	match := recordPath.FindStringSubmatch(path)
	if match == nil {
		return asked{endpoint: EndpointOther}, errNoResource
	}
	a := asked{endpoint: EndpointCallRecord, rest: rest{ID: match[1]}}
	switch {
	case path == callRecordsPath:
		a.endpoint, a.What = EndpointCallRecords, restRecords
		a.In = &span{math.MinInt64, math.MaxInt64}
	case match[2] == "/sessions":
		a.endpoint, a.What = EndpointSessions, restSessions
	case match[2] == "/participants_v2":
		a.endpoint, a.What = EndpointParticipants, restParticipants
	}
	if _, ok := parseUUID(a.ID); !ok && a.What != restRecords {
		return a, errRecordID
	}
	return a, a.options(options)
}

// options reads the query options, each at most once. A plus may be a space, so it
// must come escaped.
func (a *asked) options(text string) error {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, err := url.PathUnescape(name)
		if part == "" && text == "" {
			return nil
		}
		plain, err2 := url.PathUnescape(value)
		switch {
		case err != nil || err2 != nil || seen[name] || strings.Contains(value, "+"):
			return errOption
		case name == "$filter" && a.endpoint == EndpointCallRecords:
			err = a.In.filter(plain)
		case name == "$expand" && a.endpoint == EndpointCallRecord:
			err = a.expand.parse(plain)
		case name == "$expand" && a.endpoint == EndpointSessions && plain == "segments":
			a.Segments = true
		default:
			return errOption
		}
		if err != nil {
			return err
		}
		seen[name] = true
	}
	return nil
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
			s.Low = max(s.Low, ms)
		case words[1] == "gt" || words[1] == "ge":
			s.Low = max(s.Low, ms+1)
		case words[1] == "lt" && whole:
			s.High = min(s.High, ms-1)
		case words[1] == "le" || words[1] == "lt":
			s.High = min(s.High, ms)
		default:
			return errFilter
		}
	}
	return nil
}

// parse reads what is to be expanded.
func (e *expansion) parse(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		switch part {
		case "sessions":
			e.sessions = true
		case "sessions($expand=segments)":
			e.sessions, e.segments = true, true
		case "participants_v2":
			e.participants = true
		default:
			return errExpand
		}
	}
	return nil
}

// preferences are those of a request.
func preferences(h http.Header) map[string]string {
	all := map[string]string{}
	for _, line := range h.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			all[name] = value
		}
	}
	return all
}

// preferredSize is the page size that a request prefers; 0 for none.
func preferredSize(h http.Header) (int, error) {
	value, ok := preferences(h)["odata.maxpagesize"]
	if !ok {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return 0, errPreferred
	}
	return n, nil
}
