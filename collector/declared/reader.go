package declared

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxPages bounds the pages of a span.
const maxPages = 10_000

// httpReader reads a feed over HTTP, by the start or the end of calls. It implements collector.RangeReader, and is safe for concurrent use.
type httpReader struct {
	*httpWay
	*feed

	mu     sync.Mutex
	totals map[time.Time]collector.DayTotal // the provider's, of days that are over; guarded by mu

	nextSeen atomic.Bool // an answer had what Next names
}

// Pages implements collector.RangeReader. What is younger than the filter's min_age isn't asked for: a later read has it.
func (r *httpReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	wanted := span{from, to}
	asked := wanted
	if earlier, _ := r.clocks(); r.Filter.MinAge > 0 {
		asked = r.Filter.upTo(asked, earlier)
	}
	if !asked.from.Before(asked.to) {
		return func(func(*collector.Page, error) bool) {}
	}
	return r.read(ctx, asked, wanted, func(*collector.Page) {})
}

// clocks are the earlier and the later of the local time and the provider's, as far as that is known.
func (r *httpReader) clocks() (earlier, later time.Time) {
	local := r.now().UTC()
	offset, _ := r.client.Offset()
	return local.Add(min(offset, 0)), local.Add(max(offset, 0))
}

// read yields the pages of a span that is asked for, of which some calls are wanted. When the span
// is read completely, atEnd gets the last page before it is yielded. If it has fewer rows than the
// provider's total, collector.FewerRows follows that page instead.
func (r *httpReader) read(ctx context.Context, asked, wanted span, atEnd func(*collector.Page)) iter.Seq2[*collector.Page, error] {
	asked = r.Filter.widened(asked)
	walk := &walk{httpReader: r, address: r.address(asked, r.settings.Parameters), body: r.body(asked, r.settings.Parameters)}
	request := r.request(walk.address, r.name)
	request.ExpectJSON = r.Format == formatJSON
	request.Answered = func(header http.Header) { walk.header = header }
	if walk.body != nil {
		request.NextBody = func() []byte { return walk.body.json() }
	}
	mapper, counts := r.newMapper(), newDayCounts()
	total := -1 // the newest
	return func(yield func(*collector.Page, error) bool) {
		for number, err := range r.client.Pages(ctx, request, maxPages, walk.decode) {
			if walk.refusedBehind(err) {
				walk.page.rows, walk.last, err = nil, true, nil
			}
			if err != nil {
				yield(nil, err)
				return
			}
			page := mapper.page(walk.page.rows, number, wanted)
			r.countDays(counts, asked, walk.page.rows, page.Records)
			if walk.page.total >= 0 {
				total = walk.page.total
			}
			rows := counts.rows(asked.from)
			isShort := walk.last && rows < total
			if walk.last {
				page.Totals = r.compareDays(ctx, counts, asked, wanted, total)
			}
			if walk.last && !isShort {
				atEnd(page)
			}
			if !yield(page, nil) {
				return
			}
			if isShort {
				yield(nil, &collector.FewerRows{Span: plan.Span{From: asked.from, To: asked.to}, Rows: rows,
					Total: total})
				return
			}
		}
	}
}

// request is the request for an address, without its body.
func (f *feed) request(address, label string) httpclient.Request {
	return httpclient.Request{Feed: f.name, URL: address, Label: label, Method: f.Request.Method, Reads: true}
}

// walk goes from page to page.
type walk struct {
	*httpReader

	address string       // of the page that was asked for
	body    *requestBody // of the next request; nil: none
	header  http.Header  // of the newest answer
	page    answerPage
	pages   int
	rows    int
	last    bool // the newest page is the last one
}

// decode reads a page and says where the next one is; empty: there is none.
func (w *walk) decode(body []byte) (next string, err error) {
	if w.page, err = w.readPage(body); err != nil {
		return "", err
	}
	w.pages++
	w.rows += len(w.page.rows)
	if next, err = w.next(); err != nil {
		return "", err
	}
	w.last, w.address = next == "", next
	return next, nil
}

// next is where the page says that the next one is. Where pages or rows are counted a page without rows is the last one; else it is if the provider's
// total was reached.
func (w *walk) next() (string, error) {
	n := &w.Next
	counts := n.Page != "" || n.Offset != ""
	if len(w.page.rows) == 0 && (counts || w.page.total >= 0 && w.rows >= w.page.total) {
		return "", nil
	}
	next, there := "", false
	var err error
	switch {
	case n.URL != nil:
		next, there, err = w.page.next(n.URL, false)
		next = w.withSecrets(next, w.address)
	case n.Token != nil:
		if next, there, err = w.page.next(n.Token, true); next != "" {
			next, err = w.with(next, false)
		}
	case n.Link != "":
		next = w.withSecrets(nextLink(w.header, n.Link, w.address), w.address)
		there = next != ""
	case n.Page != "":
		return w.with(strconv.Itoa(n.From+w.pages), true)
	case n.Offset != "":
		return w.with(strconv.Itoa(w.rows), true)
	default:
		return "", nil
	}
	if there {
		w.nextSeen.Store(true)
	}
	if err == nil && next == "" && !w.nextSeen.Load() && w.isFull() {
		err = &advice.Error{
			What: fmt.Sprintf("the page is full (%d rows), and no answer has had what next names: "+
				"its path may be misspelt", len(w.page.rows)),
			Todo: checkPaths,
		}
	}
	return next, err
}

// with is the address of the page that a value of the parameter leads to. In a body the value is put there, as a number or a text.
func (w *walk) with(value string, isNumber bool) (string, error) {
	if w.Next.In != inBody {
		return withParameter(w.address, w.Next.parameter(), value)
	}
	var v any = value
	if isNumber {
		v = jsontext.Value(value)
	}
	w.body.set(w.Next.parameter(), v)
	return w.address, nil
}

// roundPage divides the number of rows of a full page where the request doesn't say how many it may
// have.
const roundPage = 50

// sizeIn is what parameters that say how many rows a page may have are called.
var sizeIn = regexp.MustCompile(`(?i)limit|size|max|per_?page|top|count|rows|results|take|num`)

// isFull says whether another page may follow: the answer announces one by another name than the
// definition's, or it has as many rows as its request allows, or a round number where the request
// doesn't say; and the provider's total doesn't say that these are all.
func (w *walk) isFull() bool {
	rows := len(w.page.rows)
	if w.page.total >= 0 && w.rows >= w.page.total {
		return false
	}
	if w.page.announcesNext() || nextLink(w.header, "next", w.address) != "" {
		return true
	}
	said := false
	texts := w.Request.Body.numbers()
	maps.Copy(texts, w.Request.Query)
	for name, text := range texts {
		if n, err := strconv.Atoi(expand(text, w.settings.Parameters)); err == nil && n > 0 &&
			sizeIn.MatchString(name) {
			if said = true; rows >= n {
				return true
			}
		}
	}
	return !said && rows > 0 && rows%roundPage == 0
}

// refusedBehind says whether an error is that of a provider that counts pages or rows and refuses what lies behind the last one, where others give no rows.
func (w *walk) refusedBehind(err error) bool {
	counts := w.Next.Page != "" || w.Next.Offset != ""
	return counts && errors.Is(err, httpclient.ErrLinkExpired) && w.page.total >= 0 && w.rows >= w.page.total
}

// A Link header (RFC 8288) is a list of links, <address>; rel="next"; title="…", whose values may be quoted.
var (
	linkIn          = regexp.MustCompile(`<([^>]*)>((?:\s*;\s*[^=;,]*(?:=\s*(?:"(?:[^"\\]|\\.)*"?|[^;,"]*))?)*)`)
	linkParameterIn = regexp.MustCompile(`;\s*([^=;,\s]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;,"]*)))?`)
)

// nextLink is the address that the Link headers of an answer give for a relation, relative to the address of the page; empty: none.
func nextLink(header http.Header, relation, page string) string {
	isRelation := func(text string) bool { return strings.EqualFold(text, relation) }
	for _, line := range header.Values("Link") {
		for _, link := range linkIn.FindAllStringSubmatch(line, -1) {
			parameters := linkParameterIn.FindAllStringSubmatch(link[2], -1)
			rel := slices.IndexFunc(parameters, func(p []string) bool { return strings.EqualFold(p[1], "rel") }) // only the first one counts
			if rel >= 0 && link[1] != "" && slices.ContainsFunc(strings.Fields(parameters[rel][2]+parameters[rel][3]), isRelation) {
				return resolved(link[1], page)
			}
		}
	}
	return ""
}

// resolved is a link as an address like that of the page. What can't be read stays: the client refuses it.
func resolved(link, page string) string {
	if base, err := url.Parse(page); err == nil {
		if target, err := base.Parse(link); err == nil {
			return target.String()
		}
	}
	return link
}

// page makes a page of rows. What lies outside the span that is wanted is passed over: another read has it.
func (m *Mapper) page(rows []rawRow, number int, wanted span) *collector.Page {
	page := new(collector.Page)
	for i := range rows {
		at := fmt.Sprintf("page %d, row %d", number, i+1)
		if mapped := m.mapRow(&rows[i]); mapped.Record == nil || m.feed.Filter.contains(wanted, mapped.Record) {
			mapped.put(page, rows[i].raw, at)
		}
	}
	return page
}

// put puts what became of a row onto a page. at is where the row stood.
func (m *Mapped) put(page *collector.Page, raw []byte, at string) {
	var near time.Time
	if n := len(page.Records); n > 0 {
		near = page.Records[n-1].Start
	}
	switch {
	case m.Invalid != "":
		page.Invalid = append(page.Invalid, collector.BadRow{Content: slices.Clone(raw), At: at, Problem: m.Invalid, Near: near})
	case m.Ignored:
		page.Ignored = append(page.Ignored, collector.BadRow{Content: slices.Clone(raw), At: at, Problem: "is no call", Near: near})
	default:
		page.Records = append(page.Records, m.Record)
		page.Unmapped = append(page.Unmapped, m.Unmapped...)
	}
}

// everything is a span that contains every call.
var everything span

// contains says whether a record lies in a span, by the time that the filter speaks of. A row without an end goes by its start.
func (f *Filter) contains(s span, r *cdr.Record) bool {
	at := f.at(r)
	return s == everything || !at.Before(s.from) && at.Before(s.to)
}
