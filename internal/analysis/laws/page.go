package laws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// fault is what requests for some pages get in place of an answer.
type fault struct {
	kind  string
	from  int // the first page, from 0, in the order in which they are first asked for
	pages int // so many pages
	each  int // how often each is refused
}

// page is a page of rows that a request asks for.
type page struct {
	list      *web.List
	number    int // from 0, or the rows before it
	rows      []*row
	total     int  // of all pages
	more      bool // another page follows
	elsewhere bool // on another host
}

// list answers a request for a page.
func (s *server) list(r *http.Request, body []byte) *http.Response {
	p := page{list: &s.feed.List}
	asked, problem := s.parse(p.list, r, body)
	if problem != "" && s.counter != nil {
		p.list = s.counter
		asked, problem = s.parse(p.list, r, body)
	}
	if problem = cmp.Or(problem, s.tooFar(&asked)); problem != "" {
		return s.misunderstand(r, http.StatusBadRequest, problem)
	}
	kind := s.refusal(r.URL.RequestURI() + string(body))
	switch kind {
	case "429":
		// The client waits in real time, for a second or more if the header doesn't say how long.
		header := http.Header{"Retry-After": {"0.001"}}
		return answer(r, http.StatusTooManyRequests, header, `{"error":"too many requests"}`)
	case "500":
		return answer(r, http.StatusInternalServerError, nil, `{"error":"internal"}`)
	case "html":
		return answer(r, http.StatusOK, http.Header{"Content-Type": {"text/html"}}, "<html>Sign in</html>")
	case "empty":
		return answer(r, http.StatusOK, nil, "")
	}
	p.number, p.elsewhere = asked.page, kind == "host"
	s.fill(&p, s.matching(&asked))
	if kind == "total" {
		p.total++
	}
	header, text := s.render(&p, r)
	if kind == "cut" {
		if text = text[:len(text)*2/3]; p.list.Format == rows.FormatCSV {
			text = text[:max(0, strings.LastIndexByte(text, ','))] // nobody sees that the last value of a line is cut
		}
	}
	return answer(r, http.StatusOK, header, text)
}

// tooFar says how a request asks for more than the provider answers; empty: it doesn't.
func (s *server) tooFar(q *request) string {
	t := s.tests
	switch {
	case q.from.IsZero() || q.to.IsZero():
	case t.MaxRange > 0 && q.to.Sub(q.from) > t.MaxRange:
		return fmt.Sprintf("it asks for %s at once, and the provider answers %s at most", q.to.Sub(q.from), t.MaxRange)
	case t.Retention > 0 && q.from.Before(s.now().Add(-t.Retention)):
		return fmt.Sprintf("it asks for %s, and the provider keeps rows for %s", q.from.Format(time.RFC3339),
			t.Retention)
	}
	return ""
}

// refusal is the kind of fault that a request for a page gets; empty: none.
func (s *server) refusal(page string) string {
	if s.asked == nil {
		s.asked = make(map[string][2]int)
	}
	asked, again := s.asked[page]
	if !again {
		asked[0] = len(s.asked)
	}
	asked[1]++
	s.asked[page] = asked
	if f := s.script.fault; f != nil && asked[0] >= f.from && asked[0] < f.from+f.pages && asked[1] <= f.each {
		return f.kind
	}
	return ""
}

// matching are the rows that a request asks for.
func (s *server) matching(asked *request) (all []*row) {
	for _, row := range s.rows {
		at := row.at
		if s.filteredBy() == web.ByInserted {
			at = s.appeared[row]
		}
		if asked.has(row, at) {
			all = append(all, row)
		}
	}
	return all
}

// fill puts the rows of a page on it.
func (s *server) fill(p *page, matching []*row) {
	distinct := make(map[string]bool)
	for _, row := range matching {
		distinct[row.key] = true
	}
	p.total = len(distinct)
	if most := s.feed.MaxRows; most > 0 {
		matching = matching[:min(len(matching), most)]
	}
	size := cmp.Or(s.script.page, len(matching), 1)
	if s.settles && (s.script.fault != nil || s.script.kill != nil) { // what fails is over
		size = max(len(matching), 1)
	}
	// A page of as many rows as the definition asks for would need another one behind it.
	size = min(size, max(cmp.Or(p.list.PageSize(s.values), web.RoundPage)-1, 1))
	from := p.number * size
	if s.feed.Next.Offset != "" {
		from = p.number
	}
	from = min(from, len(matching))
	to := min(from+size, len(matching))
	if !s.pages() {
		from, to = 0, len(matching)
	}
	if p.list == s.counter {
		return
	}
	p.rows, p.more = matching[from:to], to < len(matching)
	if s.script.overlap && from > 0 && len(p.rows) > 0 {
		p.rows = append([]*row{matching[from-1]}, p.rows...)
	}
	// Rows change once the first of them was on a page: a row that no page had isn't missed.
	if between := s.script.between; between != nil && p.number == 0 && slices.Contains(p.rows, s.rows[0]) {
		s.rows, s.script.between = between(s.rows), nil
	}
}

// render writes a page as the provider's answers are.
func (b *bench) render(p *page, r *http.Request) (header http.Header, text string) {
	header = http.Header{}
	n, next := &p.list.Next, ""
	if p.more {
		next = b.nextOf(p, r)
	}
	if n.Link != "" && next != "" {
		header.Set("Link", "<"+next+`>; rel="`+n.Link+`"`)
	}
	texts := make([]string, len(p.rows))
	raw := make([]json.RawMessage, len(p.rows))
	for i, row := range p.rows {
		texts[i], raw[i] = row.text, json.RawMessage(row.text)
	}
	media := map[string]string{rows.FormatJSONLines: "application/x-ndjson", rows.FormatCSV: "text/csv"}
	if kind := media[p.list.Format]; kind != "" {
		header.Set("Content-Type", kind)
		return header, b.document(texts)
	}
	envelope := b.last
	if p.more {
		envelope = b.followed
	}
	var body any
	_ = decode(cmp.Or(envelope, b.last, b.followed, "null"), &body) // they were answers' bodies
	body = put(body, p.list.Rows, raw)
	if p.list.Total != nil {
		body = put(body, p.list.Total, p.total)
	}
	at := slices.Concat(n.URL, n.Token) // it has one of them
	switch {
	case at == nil || !p.more && b.last != "":
	case p.more:
		body = put(body, at, next)
		if has, _ := valueAt(body, n.Has); n.Has != nil && isEmpty(has) {
			body = put(body, n.Has, true)
		}
	case n.Has != nil:
		body = put(body, n.Has, missing{})
	default:
		body = put(body, at, nil)
	}
	return header, encode(body)
}

// nextOf is the token or the address of the page behind a page; empty: it has neither.
func (b *bench) nextOf(p *page, r *http.Request) string {
	number := strconv.Itoa(p.number + 1)
	switch n := &p.list.Next; {
	case n.Token != nil:
		return pageToken + number
	case n.URL == nil && n.Link == "":
		return ""
	}
	u := *r.URL
	query := u.Query()
	query.Set(pageParameter, number)
	u.RawQuery = query.Encode()
	if p.elsewhere {
		u.Host = "elsewhere.example"
	} else if b.relative {
		return u.RequestURI()
	}
	return u.String()
}

// pages says whether the provider gives its rows in pages.
func (b *bench) pages() bool {
	n := &b.feed.Next
	return n.URL != nil || n.Token != nil || n.Link != "" || n.Page != "" || n.Offset != ""
}
