package declared

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
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

// read yields the pages of a span that is asked for, of which some calls are wanted. When the span is read completely, atEnd gets the last page before
// it is yielded.
func (r *httpReader) read(ctx context.Context, asked, wanted span, atEnd func(*collector.Page)) iter.Seq2[*collector.Page, error] {
	asked = r.Filter.widened(asked)
	walk := &walk{feed: r.Feed, address: r.address(asked, r.settings.Parameters)}
	request := httpclient.Request{
		Feed: r.name, URL: walk.address, Label: r.name, ExpectJSON: r.Format == formatJSON,
		Answered: func(header http.Header) { walk.header = header },
	}
	mapper, counts := r.newMapper(), newDayCounts()
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
			if walk.last {
				page.Totals = r.compareDays(ctx, counts, asked, wanted, walk.page.total)
				atEnd(page)
			}
			if !yield(page, nil) {
				return
			}
		}
	}
}

// walk goes from page to page.
type walk struct {
	feed    *Feed
	address string      // of the page that was asked for
	header  http.Header // of the newest answer
	page    answerPage
	pages   int
	rows    int
	last    bool // the newest page is the last one
}

// decode reads a page and says where the next one is; empty: there is none.
func (w *walk) decode(body []byte) (next string, err error) {
	if w.page, err = w.feed.readPage(body); err != nil {
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
	n := &w.feed.Next
	counts := n.Page != "" || n.Offset != ""
	if len(w.page.rows) == 0 && (counts || w.page.total >= 0 && w.rows >= w.page.total) {
		return "", nil
	}
	switch {
	case n.URL != nil:
		return w.page.text(n.URL), nil
	case n.Link != "":
		return nextLink(w.header, n.Link, w.address), nil
	case n.Token != nil:
		if token := w.page.text(n.Token); token != "" {
			return withParameter(w.address, n.Query, token)
		}
	case n.Page != "":
		return withParameter(w.address, n.Page, strconv.Itoa(n.From+w.pages))
	case n.Offset != "":
		return withParameter(w.address, n.Offset, strconv.Itoa(w.rows))
	}
	return "", nil
}

// refusedBehind says whether an error is that of a provider that counts pages or rows and refuses what lies behind the last one, where others give no rows.
func (w *walk) refusedBehind(err error) bool {
	counts := w.feed.Next.Page != "" || w.feed.Next.Offset != ""
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
