package sim

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// maxRange is the longest range that the functions accept.
const maxRange = 90 * 24 * time.Hour

// function matches the path of a function call: unquoted parameters, parentheses and commas as they are, with or without the namespace.
var function = regexp.MustCompile(`^/v1\.0/communications/callRecords/(?:microsoft\.graph\.callRecords\.)?(getPstnCalls|getDirectRoutingCalls)\(([^()]*)\)$`)

var (
	errParameters = errors.New("expression expected at position 13: fromDateTime and toDateTime are needed, once each")
	errTime       = errors.New("the value is not a DateTimeOffset or a date")
	errReversed   = errors.New("fromDateTime must not be after toDateTime")
)

// functionCall is a call of getPstnCalls or getDirectRoutingCalls.
type functionCall struct {
	from, to time.Time
	// fromText and toText are as they were written, for the next link.
	fromText, toText string
}

// parseFunction reads a function call from a path with its escapes.
func parseFunction(path string) (t target, err error) {
	t.endpoint = EndpointOther
	match := function.FindStringSubmatch(path)
	if match == nil {
		return t, errNoResource
	}
	t.endpoint = map[string]string{"getPstnCalls": EndpointPSTN, "getDirectRoutingCalls": EndpointDirectRouting}[match[1]]
	f := &t.function
	for part := range strings.SplitSeq(match[2], ",") {
		name, value, _ := strings.Cut(part, "=")
		text, at := &f.fromText, &f.from
		if name == "toDateTime" {
			text, at = &f.toText, &f.to
		}
		if value == "" || *text != "" || name != "fromDateTime" && name != "toDateTime" {
			return t, errParameters
		}
		*text = value
		if *at, err = parseTime(value); err != nil {
			return t, err
		}
	}
	switch {
	case f.fromText == "" || f.toText == "":
		return t, errParameters
	case f.to.Before(f.from):
		return t, errReversed
	}
	return t, nil
}

// parseTime reads an Edm.DateTimeOffset, or a date, which means midnight UTC. An offset's plus must come escaped: a plus in a URL may be a space.
func parseTime(text string) (time.Time, error) {
	plain, err := url.PathUnescape(text)
	if err != nil || strings.Contains(text, "+") {
		return time.Time{}, errTime
	}
	if t, err := time.Parse(time.DateOnly, plain); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, plain)
	if err != nil {
		return time.Time{}, errTime
	}
	return t.UTC(), nil
}

// functionReply answers one of the two functions. Requests that the documentation doesn't promise to work are refused.
func (s *Server) functionReply(r *http.Request, t target, continued bool) *reply {
	p := &rowPage{server: s, request: r, target: t, continued: continued}
	q := &reply{
		request: simulator.Request{Endpoint: t.endpoint, Continued: continued, From: t.function.from, To: t.function.to},
		skip:    t.skip, prepare: p.find, fits: p.fits, render: p.render,
	}
	switch {
	case r.Method != http.MethodGet:
		q.refused = s.notAllowed(r)
	case t.function.to.Sub(t.function.from) > maxRange:
		q.refused = s.refuse(r, http.StatusNotAcceptable, "", "")
	}
	return q
}

// rowPage is one page of rows.
type rowPage struct {
	target
	server    *Server
	request   *http.Request
	continued bool
	rows      []any
	more      bool
}

// The envelopes: in the documentation's samples the link comes before the rows of one function and after those of the other.
type (
	pstnPage struct {
		Context string `json:"@odata.context"`
		Count   int    `json:"@odata.count"`
		Next    string `json:"@odata.nextLink,omitempty"`
		Value   []any  `json:"value"`
	}
	directRoutingPage struct {
		Context string `json:"@odata.context"`
		Count   int    `json:"@odata.count"`
		Value   []any  `json:"value"`
		Next    string `json:"@odata.nextLink,omitempty"`
	}
)

// find reads the rows of the page from the world.
func (p *rowPage) find(q *reply) *simulator.Answer {
	settings := &p.server.settings
	world := settings.PSTN
	if p.endpoint == EndpointDirectRouting {
		world = settings.DirectRouting
	}
	p.rows = []any{}
	if world != nil {
		p.more = world.Page(simulator.Query{
			From: p.function.from, To: p.function.to, ToIncluded: p.endpoint == EndpointPSTN,
			At: p.server.timeline.Visible(), Skip: p.skip, Limit: settings.PageSize,
		}, func(c *simulator.Call, v *simulator.Version) { p.rows = append(p.rows, renderRow(p.endpoint, c, v)) })
	}
	q.request.HasNext = p.more
	return nil
}

func (p *rowPage) fits(f simulator.Fault) bool {
	switch f {
	case ExpiredLink400, ExpiredLink410, RepeatedLink:
		return p.continued
	case CapitalLink, OtherNames:
		return p.more
	case ShortPage:
		return len(p.rows) > 1
	case NotYet, BadRequest, OlderVersion:
		return false
	default:
		return true
	}
}

func (p *rowPage) render(fault simulator.Fault) (*simulator.Answer, int) {
	switch fault {
	case EmptyPage:
		p.rows, p.more = p.rows[:0], true
	case ShortPage:
		p.rows, p.more = p.rows[:len(p.rows)/2], true
	case HostileLink, RepeatedLink:
		p.more = true
	default:
	}
	n := len(p.rows)
	context := "https://" + p.request.Host + "/v1.0/$metadata#Collection(microsoft.graph.callRecords."
	next := ""
	if p.more {
		next = p.next(fault)
	}
	var body []byte
	if p.endpoint == EndpointPSTN {
		body = encode(pstnPage{Context: context + "pstnCallLogRow)", Count: n, Value: p.rows, Next: next})
	} else {
		body = encode(directRoutingPage{Context: context + "directRoutingLogRow)", Count: n, Value: p.rows, Next: next})
	}
	if fault == CapitalLink {
		body = capitalLinks(body, "@odata.NextLink")
	}
	return p.server.page(p.request, body), n
}

// next is the link to the next page. The documentation's sample of a PSTN link has other parameter names than the function.
func (p *rowPage) next(fault simulator.Fault) string {
	to := p.target
	to.skip += len(p.rows)
	name, from, until := "getDirectRoutingCalls", "fromDateTime", "toDateTime"
	if p.endpoint == EndpointPSTN {
		name = "getPstnCalls"
	}
	if p.endpoint == EndpointPSTN != (fault == OtherNames) {
		from, until = "from", "to"
	}
	uri := fmt.Sprintf("%s/%s(%s=%s,%s=%s)?$skip=%d", callRecordsPath, name, from, to.function.fromText, until, to.function.toText, to.skip)
	return p.server.nextLink(p.request, fault, uri, to, fault == EmptyPage || fault == ShortPage)
}
