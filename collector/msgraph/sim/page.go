package sim

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// page is one page of rows, before its envelope.
type page struct {
	server *Server
	link
	// host is where links lead to, self the request's own URI.
	host, self string
	gzip       bool
	buffer     *bytes.Buffer
	// ends is where each row ends in the buffer, with its comma.
	ends  []int
	count int
	more  bool
}

// page renders the rows that a request is due.
func (s *Server) page(r *http.Request, to link) *page {
	p := &page{
		server: s, link: to, host: "https://" + r.Host, self: r.RequestURI,
		gzip:   s.settings.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"),
		buffer: s.buffer(),
	}
	feed := s.feeds[to.endpoint]
	if feed.world == nil {
		return p
	}
	size := s.settings.PageSize
	p.ends = make([]int, 0, size)
	q := simulator.Query{
		From: to.from, To: to.to, ToIncluded: to.endpoint == EndpointPSTN,
		At: s.timeline.Visible(), Skip: to.skip, Limit: size,
	}
	p.more = feed.world.Page(q, func(c *simulator.Call, v *simulator.Version) {
		p.buffer.Write(append(feed.rows.row(p.buffer.AvailableBuffer(), c, v), ','))
		p.ends = append(p.ends, p.buffer.Len())
	})
	p.count = len(p.ends)
	return p
}

// buffer is an empty one; the rows of a page are half a megabyte.
func (s *Server) buffer() *bytes.Buffer {
	b, ok := s.buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	b.Reset()
	return b
}

func (p *page) release() { p.server.buffers.Put(p.buffer) }

// fits says whether one of Graph's own faults can be done to the page.
func (p *page) fits(f simulator.Fault) bool {
	switch f {
	case ExpiredLink400, ExpiredLink410, RepeatedLink:
		return p.continued()
	case CapitalLink, OtherNames:
		return p.more
	case ShortPage:
		return p.count > 1
	case NotYet, BadRequest, OlderVersion:
		return false
	default:
		return true
	}
}

// body is the envelope with its rows, and how it is encoded.
func (p *page) body(fault simulator.Fault) (body []byte, encoding string) {
	if fault == EmptyPage {
		p.count = 0
	}
	if fault == ShortPage {
		p.count /= 2
	}
	rows := p.buffer.Bytes()
	if p.count > 0 {
		// The last row has no comma behind it.
		rows = rows[:p.ends[p.count-1]-1]
	} else {
		rows = nil
	}
	next := p.next(fault)
	body = make([]byte, 0, len(rows)+512)
	body = append(body, `{"@odata.context":"`...)
	body = append(append(body, p.host...), `/v1.0/$metadata#Collection(microsoft.graph.callRecords.`...)
	body = append(append(body, p.server.feeds[p.endpoint].row...), `)","@odata.count":`...)
	body = strconv.AppendInt(body, int64(p.count), 10)
	// The documentation's samples have the link before the rows for one function
	// and behind them for the other.
	if p.endpoint == EndpointPSTN {
		body = append(body, next...)
	}
	body = append(append(append(body, `,"value":[`...), rows...), ']')
	if p.endpoint != EndpointPSTN {
		body = append(body, next...)
	}
	body = append(body, '}')
	if p.gzip {
		return compress(body), "gzip"
	}
	return body, ""
}

// next is the member with the next link; empty on the last page.
func (p *page) next(fault simulator.Fault) string {
	name := `,"@odata.nextLink":"`
	if fault == CapitalLink {
		name = `,"@odata.NextLink":"`
	}
	to := link{query: p.query, skip: p.skip + p.count, issued: p.server.timeline.Now()}
	// The documentation's sample of a PSTN link has other parameter names.
	other := p.endpoint == EndpointPSTN != (fault == OtherNames)
	switch {
	case fault == HostileLink:
		return name + p.server.hostile.URL() + p.self + `"`
	case fault == RepeatedLink:
		return name + p.host + p.self + `"`
	case fault == EmptyPage || fault == ShortPage:
		return name + p.host + p.server.links.issue(to, other, true) + `"`
	case !p.more:
		return ""
	}
	return name + p.host + p.server.links.issue(to, other, false) + `"`
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	// A buffer takes everything.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}
