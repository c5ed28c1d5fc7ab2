package wavix

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// reading asks for the call log in one format and hands the rows on; a dayReader says
// what to ask for. It is for one goroutine.
type reading struct {
	asker  asker
	format string
	batch  *batch

	pages  *pageDecoder
	stream *streamDecoder
	csv    *csvDecoder

	// begun are the queries whose first page was read; noStream says that the export gives
	// a page only.
	begun    map[query]bool
	noStream bool
}

// readError is an answer that didn't come, or wasn't one: the next would fare no better.
type readError struct{ error }

// Unwrap returns the cause.
func (e *readError) Unwrap() error { return e.error }

// exportTries is how often a stream that lacks rows is asked for.
const exportTries = 3

func newReading(a asker, format string, b *batch) *reading {
	in := NewInput(MaxValue, BodyBuffer)
	return &reading{
		asker: a, format: format, batch: b, begun: map[query]bool{},
		pages: newPageDecoder(b, in), stream: &streamDecoder{batch: b, input: in}, csv: newCSVDecoder(b),
	}
}

// Page implements pager.
func (r *reading) Page(ctx context.Context, q query, page, perPage int) (pageInfo, error) {
	read := r.jsonPage
	switch {
	case r.format == formatCSV:
		read = r.csvPage
	case r.format == formatStream && page == 1 && !r.noStream && !r.begun[q]:
		read = r.streamedPage
	}
	info, err := read(ctx, q, page, perPage)
	if err != nil {
		return pageInfo{}, &readError{fmt.Errorf("read page %d of the calls %s on %s: %w", page, q.Kind, q.Day.Format(time.DateOnly), err)}
	}
	if len(r.begun) >= maxRemembered {
		clear(r.begun)
	}
	r.begun[q] = true
	return info, nil
}

// forget makes all queries new again.
func (r *reading) forget() { clear(r.begun) }

func (r *reading) jsonPage(ctx context.Context, q query, page, perPage int) (info pageInfo, err error) {
	err = r.asker.list(ctx, q, page, perPage, r.again(func(body io.Reader) error {
		info, err = r.pages.decode(body, page, perPage)
		return err
	}))
	return info, err
}

// csvPage reads a page of CSV. As the list has the total, a page of one row is one of it,
// which hands nothing on.
func (r *reading) csvPage(ctx context.Context, q query, page, perPage int) (pageInfo, error) {
	if page == 1 && perPage == 1 {
		total, err := r.listTotal(ctx, q)
		if r.batch.total < 0 {
			r.batch.total = total
		}
		if err != nil || total >= 0 {
			return pageInfo{Total: total, PerPage: perPage}, err
		}
	}
	return r.csvRows(ctx, q, page, perPage)
}

func (r *reading) csvRows(ctx context.Context, q query, page, perPage int) (pageInfo, error) {
	err := r.asker.csv(ctx, q, page, perPage, r.again(func(body io.Reader) error {
		return r.csv.decode(body, page, perPage)
	}))
	if err != nil {
		return pageInfo{}, err
	}
	if r.batch.twins.doubtful() {
		total, err := r.listTotal(ctx, q)
		if err != nil {
			return pageInfo{}, err
		}
		r.batch.twins.settled(r.batch.total < 0 || total != r.batch.total)
	}
	r.batch.undouble() // there is no total that would tell whether they are too many
	return r.batch.info(-1, 0), nil
}

// listTotal is how many calls a query has; -1 if there is no list that says it.
func (r *reading) listTotal(ctx context.Context, q query) (int, error) {
	total := -1
	err := r.asker.list(ctx, q, 1, 1, r.again(func(body io.Reader) error {
		info, err := newPageDecoder(nil, r.pages.input).decode(body, 1, 1)
		total = info.Total
		return err
	}))
	if r.format == formatCSV && httpclient.KindOf(err) == httpclient.KindNotFound {
		return -1, nil
	}
	return total, err
}

// streamedPage reads a day that is no more than a page as a stream, whose rows are then
// that page. A stream that lacks rows, by the list's total, is asked for again, and then
// the page is.
func (r *reading) streamedPage(ctx context.Context, q query, page, perPage int) (pageInfo, error) {
	total, err := r.listTotal(ctx, q)
	switch {
	case err != nil:
		return pageInfo{}, err
	case total == 0:
		return pageInfo{PerPage: perPage}, nil
	case total < 0 || total > perPage:
		return r.jsonPage(ctx, q, page, perPage)
	}
	lengths := map[int]bool{}
	for range exportTries {
		if err := r.export(ctx, q.parameters(), nil); err != nil {
			return pageInfo{}, err
		}
		distinct := len(slices.Compact(slices.Sorted(slices.Values(r.batch.keys))))
		if distinct >= total {
			r.batch.undouble()
			return r.batch.info(distinct, perPage), nil
		}
		lengths[distinct] = true
	}
	r.noStream = len(lengths) == 1 // as long each time: it gives a page and not all
	return r.jsonPage(ctx, q, page, perPage)
}

// Whole implements pager. After an answer that broke, rows come again.
func (r *reading) Whole(ctx context.Context, q query, each func(keys []uint64) error) (ok bool, err error) {
	if r.format != formatStream {
		return false, nil
	}
	if err := r.export(ctx, q.parameters(), each); err != nil {
		return true, &readError{fmt.Errorf("read the stream of the calls %s on %s: %w", q.Kind, q.Day.Format(time.DateOnly), err)}
	}
	return true, nil
}

// export reads a stream. Without each, the keys of its rows wait for its end.
func (r *reading) export(ctx context.Context, parameters url.Values, each func(keys []uint64) error) error {
	var refused error
	if each != nil {
		r.batch.told = func(keys []uint64) error {
			refused = each(keys)
			return refused
		}
		defer func() { r.batch.told = nil }()
	}
	return r.asker.export(ctx, parameters, func(response *httpclient.Response) error {
		err := r.again(r.stream.decode)(response)
		if refused != nil {
			return refused
		}
		return err
	})
}

// again makes a decoder's error one after which the same is asked for again, unless it
// is that of whoever takes the rows.
func (r *reading) again(decode func(io.Reader) error) func(*httpclient.Response) error {
	return func(response *httpclient.Response) error {
		err := decode(response.Body)
		if err != nil && r.batch.emitErr == nil {
			return httpclient.Retryable(err)
		}
		return err
	}
}
