package sim

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// page is one page of rows, before its envelope.
type page struct {
	server   *Server
	request  *request
	host     string
	detailed bool
	// number counts from 1.
	number, perPage int
	buffer          *bytes.Buffer
	// ends is where each row ends in the buffer, with its comma.
	ends []int
	more bool
	// gone marks the rows that it doesn't match as deleted.
	gone match
}

func (s *Server) newPage(q *request, detailed bool) (*page, *refusal) {
	number, perPage, refused := q.paging()
	if refused != nil {
		return nil, refused
	}
	return &page{
		server: s, request: q, host: s.base(q.Request), detailed: detailed,
		number: number, perPage: perPage, buffer: s.buffer(), ends: make([]int, 0, perPage),
	}, nil
}

func (p *page) skip() int { return (p.number - 1) * p.perPage }

// add renders a row.
func (p *page) add(c *simulator.Call, v *simulator.Version) {
	row := p.request.row(p.buffer.AvailableBuffer(), c, v, p.detailed)
	if p.gone != nil && !p.gone(c, v) && row[len(row)-1] == '}' {
		row = append(row[:len(row)-1], `,"deleted":true}`...)
	}
	p.buffer.Write(append(row, ','))
	p.ends = append(p.ends, p.buffer.Len())
}

// first are the first n rows.
func (p *page) first(n int) []byte {
	if n == 0 {
		return nil
	}
	// The last row has no comma behind it.
	return p.buffer.Bytes()[:p.ends[n-1]-1]
}

func (p *page) result() *result {
	r := &result{skip: p.skip(), more: p.more, rows: len(p.ends), fits: p.fits}
	r.body = func(fault simulator.Fault) []byte {
		body, rows := p.body(fault)
		r.rows = rows
		return body
	}
	r.done = func() { p.server.buffers.Put(p.buffer) }
	return r
}

// fits says whether one of RingCentral's own faults can be done to the page.
func (p *page) fits(f simulator.Fault) bool {
	switch f {
	case CutPage:
		return p.perPage%2 == 0 && len(p.ends) > p.perPage/2
	case LostSyncToken:
		return false
	default:
		return true
	}
}

// body is the envelope with its rows, and how many they are.
func (p *page) body(fault simulator.Fault) (body []byte, rows int) {
	rows = len(p.ends)
	number, perPage, more := p.number, p.perPage, p.more
	switch fault {
	case EmptyPage, NoRecords:
		rows = 0
	case CutPage:
		number, perPage = 2*number-1, perPage/2
		rows, more = perPage, true
	default:
	}
	body = make([]byte, 0, p.buffer.Len()+2048)
	body = appendQuoted(append(body, `{"uri":`...), p.host+p.request.RequestURI)
	if fault != NoRecords {
		body = append(append(append(body, `,"records":[`...), p.first(rows)...), ']')
	}
	body = append(body, p.paging(fault, number, perPage, rows)...)
	body = append(body, `,"navigation":{"firstPage":{"uri":"`...)
	body = append(body, p.link(1, perPage)+`"}`...)
	if next := p.next(fault, number, perPage, more); next != "" {
		body = append(appendQuoted(append(body, `,"nextPage":{"uri":`...), next), '}')
	}
	if number > 1 {
		body = append(append(append(body, `,"previousPage":{"uri":"`...), p.link(number-1, perPage)...), `"}`...)
	}
	return append(body, `}}`...), rows
}

// appendQuoted appends a text of which a client has made a part.
func appendQuoted(dst []byte, text string) []byte {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' }) {
		return append(dst, encode(text)...)
	}
	return append(append(append(dst, '"'), text...), '"')
}

// paging says which rows these are. Totals aren't given.
func (p *page) paging(fault simulator.Fault, number, perPage, rows int) string {
	size := strconv.Itoa(perPage)
	switch {
	case fault == OddPaging:
		return `,"paging":{"page":1,"perPage":` + size + `,"pageStart":0,"pageEnd":0,"totalPages":1,"totalElements":1}`
	case rows == 0:
		return `,"paging":{"perPage":` + size + `}`
	}
	start := (number - 1) * perPage
	return `,"paging":{"page":` + strconv.Itoa(number) + `,"perPage":` + size +
		`,"pageStart":` + strconv.Itoa(start) + `,"pageEnd":` + strconv.Itoa(start+rows-1) + `}`
}

// next is the next page's link; empty on the last one.
func (p *page) next(fault simulator.Fault, number, perPage int, more bool) string {
	switch {
	case fault == HostileNext:
		return p.server.hostile.URL() + strings.TrimPrefix(p.link(number+1, perPage), p.host)
	case fault == RepeatedNext:
		return p.host + p.request.RequestURI
	case fault == EmptyPage:
		return p.again()
	case more:
		return p.link(number+1, perPage)
	}
	return ""
}

// linked are the parameters that a link begins with, in RingCentral's order.
var linked = []string{"view", "type", "direction", "dateFrom", "dateTo"}

// link leads to a page of the same list. A dateTo that wasn't given isn't in it.
func (p *page) link(number, perPage int) string {
	var b strings.Builder
	b.WriteString(p.host + p.request.URL.Path)
	separator := byte('?')
	write := func(name, value string) {
		b.WriteByte(separator)
		b.WriteString(name + "=" + url.QueryEscape(value))
		separator = '&'
	}
	for _, name := range linked {
		for _, value := range p.request.query[name] {
			write(name, value)
		}
	}
	for _, name := range extensionParameters {
		if p.isPlain(name) {
			write(name, p.request.query.Get(name))
		}
	}
	write("page", strconv.Itoa(number))
	write("perPage", strconv.Itoa(perPage))
	return b.String()
}

// isPlain says whether a parameter was given that has no place of its own in links.
func (p *page) isPlain(name string) bool {
	switch name {
	case "view", "type", "direction", "dateFrom", "dateTo", "page", "perPage":
		return false
	}
	return p.request.query.Has(name)
}

// again leads to the same page by another link: its parameters change places.
func (p *page) again() string {
	query := p.request.URL.RawQuery
	if query == "" {
		return p.link(p.number, p.perPage)
	}
	first, rest, several := strings.Cut(query, "&")
	if !several {
		return p.link(p.number, p.perPage)
	}
	return p.host + p.request.URL.Path + "?" + rest + "&" + first
}
