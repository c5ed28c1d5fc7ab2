package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// read yields the pages of the span asked, which covers the calls of the span wanted. When the span
// is read completely, atEnd gets the last page before it is yielded. If a list has fewer rows than
// the provider's total, collector.FewerRows follows the last page instead.
func (r *reader) read(
	ctx context.Context, asked, wanted span, atEnd func(*collector.Page),
) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		q := &listRead{
			reader: r, asked: r.Filter.widened(asked), wanted: wanted, days: make(dayRows),
			sums: new(daySums), atEnd: atEnd, yield: yield, ids: make(forIDs),
		}
		q.pieces = r.pieces(asked)
		if len(q.pieces) == 0 {
			yield(nil, errNoValues)
			return
		}
		var err error
		if q.found, err = r.names(ctx); err != nil {
			yield(nil, err)
			return
		}
		for len(q.pieces) > 0 {
			if !q.readPiece(ctx) {
				return
			}
		}
		if q.fewer != nil {
			yield(nil, q.fewer)
		}
	}
}

// pieces are the lists of a span, in the order of their time, except that those that failed come
// last: what one list can't give doesn't keep back the others.
func (r *reader) pieces(asked span) (all []piece) {
	whole := r.Filter.widened(span{asked.from.Add(-r.Filter.Margin), asked.to.Add(r.Filter.Margin)})
	for part := whole; part.from.Before(whole.to); part.from = part.to {
		if part.to = whole.to; r.Filter.Step > 0 {
			part.to = earliest(whole.to, part.from.Add(r.Filter.Step))
		}
		for _, values := range r.Combinations(r.Parameters) {
			all = append(all, piece{part, values})
		}
	}
	slices.SortStableFunc(all, func(a, b piece) int {
		_, before := r.failed.Load(a.from)
		_, after := r.failed.Load(b.from)
		switch {
		case before == after:
			return 0
		case after:
			return -1
		}
		return 1
	})
	return all
}

// errNoValues: all lists in a feed's `for` are empty.
var errNoValues = &advice.Error{
	What: "a list parameter in the feed's for is empty, so there is nothing to read",
	Todo: "set its values in the source's block",
}

// listRead is one read of a span: a list for each step and each combination of the feed's values,
// halved while it has too many rows.
type listRead struct {
	*reader

	asked, wanted span
	pieces        []piece // not read yet
	days          dayRows
	sums          *daySums                     // of the pieces that were read
	fewer         *collector.FewerRows         // the first piece that has fewer rows than its total
	found         map[string]map[string]string // the feed's lists of names
	ids           forIDs                       // of the rows that were read
	atEnd         func(*collector.Page)
	yield         func(*collector.Page, error) bool
}

// piece is a list to read.
type piece struct {
	span

	values map[string]string // values of the feed's `for`
}

// readPiece reads the next piece and says whether to continue.
func (q *listRead) readPiece(ctx context.Context) (more bool) {
	p := q.pieces[0]
	q.pieces = q.pieces[1:]
	walk, pages := q.list(ctx, p)
	mapper := q.NewMapper(p.values, q.found)
	listed := newListing(q.reader, p, q.days, q.ids)
	if err := listed.askTotal(ctx); err != nil {
		return q.fail(p, err)
	}
	var held []*collector.Page
	for number, err := range pages {
		if listed.refusedBehind(walk, err) {
			walk.page.rows, walk.last, err = nil, true, nil
		}
		var page *collector.Page
		if err == nil {
			page, err = listed.read(ctx, mapper, walk, number, q.wanted)
		}
		if err != nil {
			return q.yieldAll(held) && q.fail(p, err)
		}
		held = append(held, page)
		if q.MaxRows > 0 && (walk.rows >= q.MaxRows || walk.total >= q.MaxRows) {
			return q.halve(p, held)
		}
		last := walk.last || listed.ended
		if last {
			listed.warn()
			q.endPiece(ctx, p, listed, page)
		}
		if q.holds() && !last {
			continue
		}
		if !q.yieldAll(held) {
			return false
		}
		held = held[:0]
		if last {
			break
		}
	}
	q.failed.Delete(p.from)
	return true
}

// fail ends the read, except where only this list is at fault.
func (q *listRead) fail(p piece, err error) (more bool) {
	if fewer, is := errors.AsType[*collector.FewerRows](err); is {
		q.fewer = cmp.Or(q.fewer, fewer)
		return true
	}
	q.failed.Store(p.from, nil)
	q.yield(nil, err)
	return false
}

// endPiece ends the read of a piece, whose last page is given.
func (q *listRead) endPiece(ctx context.Context, p piece, listed *listing, page *collector.Page) {
	q.fewer = cmp.Or(q.fewer, listed.fewer())
	switch {
	case q.Filter.By == ByInserted:
	case q.Filter.Step > 0 && p.isDay():
		q.sums.add(p.from, listed)
	case q.asked.isDay():
		q.sums.add(q.asked.from, listed)
	}
	if len(q.pieces) > 0 {
		return
	}
	if page.Totals = q.sums.all(); q.Totals != nil {
		page.Totals = q.compareDays(ctx, q.days, q.asked, q.wanted)
	}
	if q.fewer == nil {
		q.atEnd(page)
	}
}

// list starts a list. pages are the numbers of its pages, one after the other; the walk has the
// page. If the provider doesn't have the path that it had before, the others are tried.
func (r *reader) list(ctx context.Context, p piece) (w *walk, pages iter.Seq2[int, error]) {
	w = new(walk)
	return w, func(yield func(int, error) bool) {
		var missing error
		for i := range len(r.Request.Path) {
			at := (int(r.path.Load()) + i) % len(r.Request.Path)
			request := w.start(r, p, at)
			unknown := false
			for number, err := range r.client.Pages(ctx, request, maxPages, w.decode) {
				unknown = number == 1 && httpclient.KindOf(err) == httpclient.KindNotFound
				if unknown {
					missing = cmp.Or(missing, err)
					break
				}
				if err == nil {
					r.path.Store(int32(at)) //nolint:gosec // the number of a path
				}
				if !yield(number, err) {
					return
				}
			}
			if !unknown {
				return
			}
		}
		yield(1, missing)
	}
}

// start begins at the first page of a list, by one of the request's paths, and returns its request.
func (w *walk) start(r *reader, p piece, path int) httpclient.Request {
	*w = walk{reader: r, total: -1, address: r.address(r.Request.Path[path], p), body: r.body(p)}
	request := r.request(w.address, r.Name)
	request.ExpectJSON, request.NoContent = r.Format == rows.FormatJSON, true
	request.Answered = func(status int, header http.Header) { w.status, w.header = status, header }
	request.NextBody = func() []byte { return w.body.json() }
	return request
}

// holds says whether a list's pages wait for its last one: if the list is halved, its rows come again, and those
// without an id would count again.
func (q *listRead) holds() bool { return q.MaxRows > 0 && q.MayLackIDs }

func (q *listRead) yieldAll(pages []*collector.Page) (more bool) {
	for _, page := range pages {
		if q.Filter.By == ByInserted { // a page alone: rows may move from one to the next while a list is read
			collector.Twins{}.Number(page.Records)
		}
		for len(page.Records) > mostRecords {
			if !q.yield(&collector.Page{Records: page.Records[:mostRecords]}, nil) {
				return false
			}
			page.Records = page.Records[mostRecords:]
		}
		if !q.yield(page, nil) {
			return false
		}
	}
	return true
}

// mostRecords are committed at once: a provider without pages may give all calls of a day in one answer.
const mostRecords = 10_000

// halve replaces a piece by its halves, because it has the largest number of rows that the provider
// returns and may have more. pages are those that weren't yielded yet.
func (q *listRead) halve(p piece, pages []*collector.Page) bool {
	half := p.from.Add(p.to.Sub(p.from) / 2).Truncate(max(q.Filter.Grain, time.Second))
	isGrain := !half.After(p.from)
	if (isGrain || !q.holds()) && !q.yieldAll(pages) {
		return false
	}
	if isGrain {
		q.yield(nil, &advice.Error{
			What: fmt.Sprintf("the %s from %s have %d rows, the limit max_rows, so there may be more", p.to.Sub(p.from),
				p.from.UTC().Format(time.RFC3339), q.MaxRows),
			Todo: "request less at once: one account, type or site at a time (for), or a finer filter (grain)",
		})
		return false
	}
	q.pieces = append([]piece{{span{p.from, half}, p.values}, {span{half, p.to}, p.values}}, q.pieces...)
	return true
}

// isRefused says whether an answer says that the request failed, although its status says otherwise.
func (l *List) isRefused(page *answerPage, body []byte) bool {
	if l.Format == rows.FormatJSONLines {
		return slices.ContainsFunc(page.rows, func(row rows.Row) bool { return l.Refuses(row.Raw) })
	}
	return l.Refuses(body)
}

// Refuses says whether a text is a refused answer, or a refused object in one of JSON lines.
func (l *List) Refuses(text []byte) bool { return l.Refused != nil && answers(l.Refused, text) }

// answers says whether an answer fulfils a condition.
func answers(c *language.Condition, body []byte) bool {
	answer, is := objectIn(body)
	if !is {
		return false
	}
	holds, _ := c.Holds(&answer)
	return holds
}

// objectIn is an answer that is one JSON object.
func objectIn(body []byte) (answer language.Row, is bool) {
	body = rows.Trimmed(body)
	is = rows.IsJSON(body) && answer.SetJSON(body)
	return answer, is
}

// errRefused is an answer that the definition's `refused` is true for.
var errRefused = &advice.Error{
	What: "the provider answers that the request failed, with status 200",
	Todo: "nothing, if it passes: the exporter asks again; otherwise ask the provider's support",
}
