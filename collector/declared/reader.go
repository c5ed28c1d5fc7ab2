package declared

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxPages bounds the pages of a span.
const maxPages = 10_000

// httpReader reads a feed over HTTP. It implements collector.RangeReader, and is safe for concurrent use.
type httpReader struct {
	name     string
	feed     *Feed
	client   *httpclient.Client
	settings MapperSettings
}

// Pages implements collector.RangeReader.
func (r *httpReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	asked := span{from, to}
	walk := &walk{feed: r.feed, address: r.feed.address(r.feed.Filter.widened(asked), r.settings.Parameters)}
	request := httpclient.Request{Feed: r.name, URL: walk.address, Label: r.name, ExpectJSON: r.feed.Format == formatJSON}
	mapper := NewMapper(r.feed, r.settings)
	return func(yield func(*collector.Page, error) bool) {
		for number, err := range r.client.Pages(ctx, request, maxPages, walk.decode) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(mapper.page(walk.page.rows, number, asked), nil) {
				return
			}
		}
	}
}

// walk goes from page to page.
type walk struct {
	feed    *Feed
	address string // of the page that was asked for
	page    answerPage
	pages   int
	rows    int
}

// decode reads a page and says where the next one is; empty: there is none.
func (w *walk) decode(body []byte) (next string, err error) {
	if w.page, err = w.feed.readPage(body); err != nil {
		return "", err
	}
	w.pages++
	w.rows += len(w.page.rows)
	if len(w.page.rows) == 0 || w.page.total >= 0 && w.rows >= w.page.total {
		return "", nil
	}
	n := &w.feed.Next
	switch {
	case n.URL != "":
		next = w.page.text(n.URL)
	case n.Token != "":
		if token := w.page.text(n.Token); token != "" {
			next, err = withParameter(w.address, n.Query, token)
		}
	case n.Page != "":
		next, err = withParameter(w.address, n.Page, strconv.Itoa(n.From+w.pages))
	case n.Offset != "":
		next, err = withParameter(w.address, n.Offset, strconv.Itoa(w.rows))
	}
	return next, err
}

// page makes a page of rows. What lies outside the span that was asked for is passed over: another read has it.
func (m *Mapper) page(rows [][]byte, number int, asked span) *collector.Page {
	page := new(collector.Page)
	for i, raw := range rows {
		at := fmt.Sprintf("page %d, row %d", number, i+1)
		mapped := m.MapJSON(raw)
		switch {
		case mapped.Invalid != "":
			page.Invalid = append(page.Invalid, collector.BadRow{Content: slices.Clone(raw), At: at, Problem: mapped.Invalid})
		case mapped.Ignored:
			page.Ignored = append(page.Ignored, collector.BadRow{Content: slices.Clone(raw), At: at, Problem: "is no call"})
		case m.feed.Filter.contains(asked, mapped.Record):
			page.Records = append(page.Records, mapped.Record)
			page.Unmapped = append(page.Unmapped, mapped.Unmapped...)
		}
	}
	return page
}

// contains says whether a record lies in a span, by the time that the filter speaks of. A row without an end goes by its start.
func (f *Filter) contains(s span, r *cdr.Record) bool {
	at := r.Start
	if f.By == "end" && !r.End.IsZero() {
		at = r.End
	}
	return !at.Before(s.from) && at.Before(s.to)
}
