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

// functionPath matches the path of a function call: unquoted parameters, parentheses and commas as they are, with or without the namespace.
var functionPath = regexp.MustCompile(`^/v1\.0/communications/callRecords/(?:microsoft\.graph\.callRecords\.)?(getPstnCalls|getDirectRoutingCalls)\(([^()]*)\)$`)

var (
	errResource   = errors.New("resource not found for the segment")
	errOption     = errors.New("query option is not supported here")
	errParameters = errors.New("fromDateTime and toDateTime are needed, once each, as a DateTimeOffset or a date, in this order")
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
	match := functionPath.FindStringSubmatch(path)
	if match == nil {
		return t, errResource
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
	if f.fromText == "" || f.toText == "" || f.to.Before(f.from) {
		return t, errParameters
	}
	return t, nil
}

// parseTime reads an Edm.DateTimeOffset, or a date, which means midnight UTC. An offset's plus must come escaped: a plus in a URL may be a space.
func parseTime(text string) (time.Time, error) {
	plain, err := url.PathUnescape(text)
	if err != nil || strings.Contains(text, "+") {
		return time.Time{}, errParameters
	}
	if t, err := time.Parse(time.DateOnly, plain); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, plain)
	if err != nil {
		return time.Time{}, errParameters
	}
	return t.UTC(), nil
}

// function answers one of the two functions. Requests that the documentation doesn't promise to work are refused.
func (s *Server) function(p *page) simulator.Reply {
	switch f := &p.target.function; {
	case p.request.Method != http.MethodGet:
		return s.notAllowed(p.request)
	case f.to.Sub(f.from) > maxRange:
		return s.refuse(p.request, http.StatusNotAcceptable, "", "")
	}
	world := s.settings.PSTN
	if p.endpoint == EndpointDirectRouting {
		world = s.settings.DirectRouting
	}
	rows := []any{}
	if world != nil {
		p.more = world.Page(simulator.Query{
			From: p.target.function.from, To: p.target.function.to, ToIncluded: p.endpoint == EndpointPSTN,
			At: s.Visible(), Skip: p.skip, Limit: s.settings.PageSize,
		}, func(c *simulator.Call, v *simulator.Version) { rows = append(rows, renderRow(p.endpoint, c, v)) })
	}
	p.size = len(rows)
	p.body = func(p *page) []byte { return p.rows(rows[:p.size]) }
	var extra []simulator.Fault
	if p.more {
		extra = append(extra, OtherNames)
	}
	a := p.answer(extra...)
	a.From, a.To = p.target.function.from, p.target.function.to
	return a
}

// rows is the body of a page. In the documentation's samples the link comes before the rows of one function and after those of the other, and
// that of PSTN has other parameter names than the function.
func (p *page) rows(rows []any) []byte {
	kind, name, from, until := "directRoutingLogRow)", "getDirectRoutingCalls", "fromDateTime", "toDateTime"
	pstn := p.endpoint == EndpointPSTN
	if pstn {
		kind, name = "pstnCallLogRow)", "getPstnCalls"
	}
	if pstn != (p.fault == OtherNames) {
		from, until = "from", "to"
	}
	o := simulator.NewObject(
		"@odata.context", "https://"+p.request.Host+"/v1.0/$metadata#Collection(microsoft.graph.callRecords."+kind, "@odata.count", len(rows))
	if !pstn {
		o.Set("value", rows)
	}
	if p.more {
		to := p.target
		to.skip += len(rows)
		o.Set("@odata.nextLink", p.next(fmt.Sprintf("%s/%s(%s=%s,%s=%s)?$skip=%d",
			callRecordsPath, name, from, to.function.fromText, until, to.function.toText, to.skip), to, false))
	}
	if pstn {
		o.Set("value", rows)
	}
	return simulator.JSON(o)
}
