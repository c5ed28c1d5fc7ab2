package sim

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// query is what a request to one of the functions asks for.
type query struct {
	endpoint string
	from, to time.Time
	// fromText and toText are as they were written, for the next link.
	fromText, toText string
}

// function matches the path of a call: unquoted parameters, parentheses and
// commas as they are, with or without the namespace.
var function = regexp.MustCompile(
	`^/v1\.0/communications/callRecords/(?:microsoft\.graph\.callRecords\.)?(getPstnCalls|getDirectRoutingCalls)\(([^()]*)\)$`)

var (
	errNoResource = errors.New("resource not found for the segment")
	errParameters = errors.New("expression expected at position 13: fromDateTime and toDateTime are needed, once each")
	errTime       = errors.New("the value is not a DateTimeOffset or a date")
	errReversed   = errors.New("fromDateTime must not be after toDateTime")
	errOptions    = errors.New("query option is not supported by this function")
)

// parsePath reads a function call from a path as it came, escapes and all.
func parsePath(path string) (query, error) {
	match := function.FindStringSubmatch(path)
	if match == nil {
		return query{}, errNoResource
	}
	q := query{endpoint: EndpointPSTN}
	if match[1] == "getDirectRoutingCalls" {
		q.endpoint = EndpointDirectRouting
	}
	return q, q.parameters(match[2])
}

func (q *query) parameters(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		field, at := &q.fromText, &q.from
		switch {
		case value == "":
			return errParameters
		case name == "toDateTime":
			field, at = &q.toText, &q.to
		case name != "fromDateTime":
			return errParameters
		}
		if *field != "" {
			return errParameters
		}
		parsed, err := parseTime(value)
		if err != nil {
			return err
		}
		*field, *at = value, parsed
	}
	switch {
	case q.fromText == "" || q.toText == "":
		return errParameters
	case q.to.Before(q.from):
		return errReversed
	}
	return nil
}

// parseTime reads an Edm.DateTimeOffset, or a date, which means midnight UTC. An
// offset's plus must come escaped: a plus in a URL may be a space.
func parseTime(text string) (time.Time, error) {
	if strings.Contains(text, "+") {
		return time.Time{}, errTime
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
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
