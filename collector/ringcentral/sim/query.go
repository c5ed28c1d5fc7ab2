package sim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The query parameters that are documented.
var (
	companyParameters = []string{
		"dateFrom", "dateTo", "direction", "type", "view", "recordingType", "withRecording", "extensionNumber", "phoneNumber",
		"sessionId", "telephonySessionId", "metadataCategory", "showDeleted", "perPage", "page",
	}
	parameters = map[string][]string{
		EndpointCallLog:     companyParameters,
		EndpointSync:        {"syncType", "syncToken", "dateFrom", "recordCount", "view", "metadataCategory"},
		EndpointActiveCalls: {"direction", "type", "transport", "view", "conferenceType", "page", "perPage"},
		EndpointRecord:      {"view"},
	}
	extensionParameters = append(slices.Clip(companyParameters), "transport", "showBlocked")
)

// readQuery reads the parameters, and takes note of those that nobody documents, which
// RingCentral ignores.
func (s *Server) readQuery(q *request) *refusal {
	query, err := url.ParseQuery(q.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, "CMN-104", "Cannot parse request")
	}
	q.query = query
	known := parameters[q.endpoint]
	if q.endpoint == EndpointCallLog && !q.company {
		known = extensionParameters
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range query {
		if !slices.Contains(known, name) {
			s.strays = append(s.strays, q.endpoint+" "+name)
		}
	}
	return nil
}

// one is a parameter that may be given once.
func (q *request) one(name, otherwise string) (string, *refusal) {
	switch values := q.query[name]; len(values) {
	case 0:
		return otherwise, nil
	case 1:
		return values[0], nil
	}
	return "", badParameter(name)
}

// choice is a parameter with few values.
func (q *request) choice(name, otherwise string, values ...string) (string, *refusal) {
	text, refused := q.one(name, otherwise)
	if refused == nil && text != otherwise && !slices.Contains(values, text) {
		return "", badParameter(name)
	}
	return text, refused
}

// choices are the values of a parameter that may be repeated; none is all.
func (q *request) choices(name string, values ...string) ([]string, *refusal) {
	for _, text := range q.query[name] {
		if !slices.Contains(values, text) {
			return nil, badParameter(name)
		}
	}
	return q.query[name], nil
}

// isDetailed reads the view.
func (q *request) isDetailed() (bool, *refusal) {
	view, refused := q.choice("view", "Simple", "Detailed")
	return view == "Detailed", refused
}

// instant is a parameter with a time. A date alone, or a time without an offset, isn't
// one.
func (q *request) instant(name string, otherwise time.Time) (time.Time, *refusal) {
	text, refused := q.one(name, "")
	if refused != nil || text == "" {
		return otherwise, refused
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, badParameter(name)
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// number is a parameter with a number of at least 1.
func (q *request) number(name string, otherwise int) (int, *refusal) {
	text, refused := q.one(name, "")
	if refused != nil || text == "" {
		return otherwise, refused
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, badParameter(name)
	}
	return n, nil
}

// mostPerPage is how many rows a page has at most: more are cut.
const mostPerPage = 1000

// paging reads page and perPage.
func (q *request) paging() (page, perPage int, refused *refusal) {
	if page, refused = q.number("page", 1); refused != nil {
		return 0, 0, refused
	}
	if q.query.Get("perPage") == "max" {
		return page, mostPerPage, nil
	}
	perPage, refused = q.number("perPage", 100)
	return page, min(perPage, mostPerPage), refused
}

// The lists of the world: by type, then by direction.
const (
	voiceIn = iota
	voiceOut
	otherIn
	otherOut
)

// lists are those that type and direction choose.
func (q *request) lists() (uint8, *refusal) {
	kinds, refused := q.choices("type", "Voice", "Fax")
	if refused != nil {
		return 0, refused
	}
	ways, refused := q.choices("direction", "Inbound", "Outbound")
	if refused != nil {
		return 0, refused
	}
	has := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	mask := uint8(0)
	for list, on := range [...]bool{
		voiceIn:  has(kinds, "Voice") && has(ways, "Inbound"),
		voiceOut: has(kinds, "Voice") && has(ways, "Outbound"),
		otherIn:  has(kinds, "Fax") && has(ways, "Inbound"),
		otherOut: has(kinds, "Fax") && has(ways, "Outbound"),
	} {
		if on {
			mask |= 1 << list
		}
	}
	return mask, nil
}

// match is a filter that must look at each row.
type match func(*simulator.Call, *simulator.Version) bool

// and is both filters; nil is none.
func (m match) and(other match) match {
	switch {
	case m == nil:
		return other
	case other == nil:
		return m
	}
	return func(c *simulator.Call, v *simulator.Version) bool { return m(c, v) && other(c, v) }
}

// filter reads the parameters that choose among rows by what they say.
func (s *Server) filter(q *request) (match, *refusal) {
	var m match
	for name, test := range map[string]func(*simulator.Call, *simulator.Version, string) bool{
		"sessionId":          func(c *simulator.Call, _ *simulator.Version, text string) bool { return sessionText(c) == text },
		"telephonySessionId": func(c *simulator.Call, _ *simulator.Version, text string) bool { return "s-"+hexText(c.CallID) == text },
		"phoneNumber":        isNumber, "extensionNumber": isExtension, "recordingType": isRecorded,
		"withRecording": func(_ *simulator.Call, v *simulator.Version, text string) bool { return text != "true" || v.Recorded },
		"transport":     func(_ *simulator.Call, v *simulator.Version, text string) bool { return detailOf(v).transport == text },
		"showBlocked": func(_ *simulator.Call, v *simulator.Version, text string) bool {
			return text != "false" || v.Kind.Phrase != "Blocked"
		},
		"metadataCategory": func(*simulator.Call, *simulator.Version, string) bool { return false },
	} {
		text, refused := q.one(name, "")
		if refused != nil {
			return nil, refused
		}
		if text != "" {
			m = m.and(func(c *simulator.Call, v *simulator.Version) bool { return test(c, v, text) })
		}
	}
	return m, nil
}

func isNumber(c *simulator.Call, _ *simulator.Version, text string) bool {
	return strings.TrimPrefix(c.Other.String(), "+") == text || strings.TrimPrefix(c.Own.String(), "+") == text
}

func isExtension(c *simulator.Call, _ *simulator.Version, text string) bool {
	return c.User != nil && c.User.Principal == text || c.Peer != nil && c.Peer.Principal == text
}

func isRecorded(c *simulator.Call, v *simulator.Version, text string) bool {
	return v.Recorded && (text == "All" || c.Recording.Wire == text)
}
