package web

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
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
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// maxPages limits the pages of a span.
const maxPages = 10_000

// reader is a collector.RangeReader that reads a feed over HTTP, by the start or the end of
// calls. It is safe for concurrent use.
type reader struct {
	*API
	*Feed

	mu     sync.Mutex
	totals map[time.Time]collector.ProviderTotal // the provider's totals of past days; guarded by mu

	nextSeen atomic.Bool  // an answer had the path of Next
	path     atomic.Int32 // of Request.Path, the one that the provider has
	failed   sync.Map     // the beginnings of the lists whose last read failed
	warned   atomic.Bool  // the log has the warning about rows that can't count

	// counter asks for totals, if the pages of an export have none; else nil.
	counter *reader
}

// Pages implements collector.RangeReader. It doesn't request records newer than the filter's
// min_age: a later read has them.
func (r *reader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
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

// clocks are the earlier and the later of the local time and the provider's, if that is known.
func (r *reader) clocks() (earlier, later time.Time) {
	local := r.now().UTC()
	offset, _ := r.client.Offset()
	return local.Add(min(offset, 0)), local.Add(max(offset, 0))
}

// request is the request for an address, without its body.
func (f *Feed) request(address, label string) httpclient.Request {
	header := make(http.Header)
	for name, text := range f.Request.Headers {
		header.Set(name, language.Expand(text, f.Parameters))
	}
	return httpclient.Request{
		Feed: f.Name, URL: address, Label: label, Method: f.Request.Method, Reads: true, Header: header,
	}
}

// walk follows the pages of a list.
type walk struct {
	*reader

	address string       // of the current page
	body    *requestBody // of the next request; may be nil
	status  int          // of the latest answer
	header  http.Header  // of it
	page    answerPage
	digests []uint64 // of the page's rows
	before  []uint64 // of the page before it
	pages   int
	rows    int
	total   int  // the latest; below zero without one
	last    bool // the latest page is the last one
}

// decode reads a page and returns the address of the next one, or an empty text.
func (w *walk) decode(body []byte) (next string, err error) {
	if w.status == http.StatusNoContent {
		w.endWithoutRows()
		return "", nil
	}
	if w.page, err = w.readPage(body); w.page.noList && w.Empty != nil && answers(w.Empty, body) {
		if err = nil; w.page.total < 0 && w.pages == 0 && w.Total != nil {
			w.page.total = 0 // it leaves out the total with the array
		}
	}
	if err == nil && !w.namesStart() {
		w.page.noList, err = true, errNoNames
	}
	if w.isRefused(&w.page, body) {
		err = errRefused
	}
	if errors.Is(err, wire.ErrCut) || errors.Is(err, errRefused) || w.page.noList && w.Refused != nil {
		err = httpclient.Retryable(err)
	}
	if err != nil {
		return "", err
	}
	w.pages++
	w.rows += len(w.page.rows)
	if w.page.total >= 0 {
		w.total = w.page.total
	}
	if w.before, w.digests = w.digests, digestsOf(w.page.rows); w.total < 0 && w.counter == nil && w.counted() &&
		len(w.digests) > 0 && slices.Equal(w.digests, w.before) {
		return "", errRepeated
	}
	if next, err = w.next(); err != nil {
		return "", err
	}
	w.last, w.address = next == "", next
	return next, nil
}

// errRepeated is a page like the one before it, without a total that says whether others follow.
var errRepeated = &advice.Error{
	What: "a page has the same rows as the page before it, so the next pages may never end",
	Todo: "nothing, if it passes: the exporter asks again; otherwise check the name of the parameter in the " +
		"definition's next, and set total if the provider repeats its last page",
}

// errNoNames is an answer of CSV that isn't a list: a text such as "try again later", or a part without its names.
var errNoNames = &advice.Error{
	What: "the first line of the answer doesn't name the column of a call's time, so it isn't a list of calls",
	Todo: "nothing, if it passes: the exporter asks again; otherwise check the record's start in the definition " +
		"against an answer that you requested by hand",
}

// namesStart says whether the first line of CSV, if it has the names, names a column that gives a row its time.
func (w *walk) namesStart() bool {
	return w.page.names == nil || len(w.Start) == 0 || slices.ContainsFunc(w.Start, func(p language.Path) bool {
		return slices.Contains(w.page.names, p[0])
	})
}

// endWithoutRows takes 204 No Content as a last page without rows. As the first page it also says that the total is 0.
func (w *walk) endWithoutRows() {
	w.page, w.last = answerPage{total: -1}, true
	if w.pages++; w.pages == 1 && w.Total != nil {
		w.page.total, w.total = 0, 0
	}
}

// next is the next page according to the page. If pages or rows are counted, a page without rows is
// the last one, and so is the page that reaches the provider's total.
func (w *walk) next() (string, error) {
	n := &w.Next
	if w.Complete != "" && w.total < 0 && w.counter == nil {
		return "", &advice.Error{What: "the answer has no total at " + strings.Join(w.Total, ".") +
			", which decides when the read is complete", Todo: checkPaths}
	}
	if len(w.page.rows) == 0 && (w.counted() || w.hasAll()) {
		return "", nil
	}
	var next string
	var there bool
	var err error
	switch {
	case n.Has != nil && w.page.row.Raw(n.Has) != nil && !w.page.has(n.Has): // it says that this is the last page
		there = true
	case n.URL != nil:
		next, there, err = w.page.next(n.URL, false)
		if strings.HasPrefix(next, "?") || strings.HasPrefix(next, "http:") {
			next = w.resolved(next)
		}
		next = w.withSecrets(next, w.address)
	case n.Token != nil:
		if next, there, err = w.page.next(n.Token, true); next != "" {
			next, err = w.with(next, false)
		}
	case n.Link != "":
		next = w.withSecrets(w.nextLink(n.Link), w.address)
		there = next != ""
	case n.Page != "":
		return w.with(strconv.Itoa(n.From+w.pages), true)
	case n.Offset != "":
		return w.with(strconv.Itoa(w.rows), true)
	default:
		return "", nil
	}
	if n.Has != nil && w.page.row.Raw(n.Has) == nil {
		// Some APIs leave the flag out on their last page and still give a token. A misspelt flag looks the same. So
		// the token is followed, until a page has no rows.
		if next != "" && len(w.page.rows) == 0 {
			return "", nil
		}
		there = (there || w.page.hasParent(n.Has)) && !w.announced()
	}
	if there {
		w.nextSeen.Store(true)
	}
	if err == nil && next == "" && n.Has != nil && w.page.has(n.Has) {
		return "", &advice.Error{
			What: "the answer has " + strings.Join(n.Has, ".") + ", but no next page where the definition says",
			Todo: checkPaths,
		}
	}
	if err == nil && next == "" && !w.nextSeen.Load() && w.isFull() {
		err = &advice.Error{
			What: fmt.Sprintf("another page may follow the page of %d rows, and no answer has had next's %s: "+
				"it may be misspelt", len(w.page.rows), n.written()),
			Todo: checkPaths,
		}
	}
	return next, err
}

// with is the address of the page for a value of the parameter. In a body it sets the value, as a
// number or a text.
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

// RoundPage divides the number of rows of a full page, if the request has no page size.
const RoundPage = 50

// sizeIn matches the names of parameters for the page size.
var sizeIn = regexp.MustCompile(`(?i)limit|size|max|per_?page|top|count|rows|results|take|num`)

// isFull says whether another page may follow. Either the answer announces one under another name
// than the definition's, or it has as many rows as the request allows, or a round number if the
// request has no page size. It can't follow if the provider's total says that these are all rows.
func (w *walk) isFull() bool {
	rows := len(w.page.rows)
	if w.hasAll() {
		return false
	}
	if w.announced() {
		return true
	}
	if size := w.PageSize(w.Parameters); size > 0 {
		return rows >= size
	}
	return rows > 0 && rows%RoundPage == 0
}

// PageSize is the number of rows of a page that the request asks for; 0: it doesn't say.
func (l *List) PageSize(parameters map[string][]string) (size int) {
	texts := l.Request.Body.numbers()
	maps.Copy(texts, l.Request.Query)
	for name, text := range texts {
		if n, err := strconv.Atoi(language.Expand(text, parameters)); err == nil && n > 0 && sizeIn.MatchString(name) &&
			(size == 0 || n < size) {
			size = n
		}
	}
	return size
}

// announced says whether the answer announces another page, where the definition doesn't look for one.
func (w *walk) announced() bool {
	return w.page.announcesNext() || w.nextLink("next") != ""
}

// hasAll says whether as many rows were read as the latest total says.
func (w *walk) hasAll() bool { return w.total >= 0 && w.rows >= w.total }

// A Link header (RFC 8288) is a list of links, <address>; rel="next"; title="…", whose values may be quoted.
var (
	linkIn          = regexp.MustCompile(`<([^>]*)>((?:\s*;\s*[^=;,]*(?:=\s*(?:"(?:[^"\\]|\\.)*"?|[^;,"]*))?)*)`)
	linkParameterIn = regexp.MustCompile(`;\s*([^=;,\s]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;,"]*)))?`)
)

// nextLink is the address for a relation in the Link headers of an answer, or empty.
func (w *walk) nextLink(relation string) string {
	isRelation := func(text string) bool { return strings.EqualFold(text, relation) }
	for _, line := range w.header.Values("Link") {
		for _, link := range linkIn.FindAllStringSubmatch(line, -1) {
			parameters := linkParameterIn.FindAllStringSubmatch(link[2], -1)
			// only the first rel counts
			rel := slices.IndexFunc(parameters, func(p []string) bool { return strings.EqualFold(p[1], "rel") })
			if rel >= 0 && link[1] != "" && slices.ContainsFunc(strings.Fields(parameters[rel][2]+parameters[rel][3]),
				isRelation) {
				return w.resolved(link[1])
			}
		}
	}
	return ""
}

// resolved is the address of a link that is relative to the page's address. An API behind a proxy may take requests by
// http, and write http: in its links; the reader stays with https. A link that can't be read stays unchanged: the
// client will refuse it.
func (w *walk) resolved(link string) string {
	if page, err := w.client.Resolve(w.address); err == nil {
		if target, err := page.Parse(link); err == nil {
			if target.Scheme == "http" {
				target.Scheme = page.Scheme
			}
			return target.String()
		}
	}
	return link
}
