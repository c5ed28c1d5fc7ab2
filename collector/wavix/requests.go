package wavix

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// The paths of both generations of the API, below /v1/. They also name the endpoint in errors and
// logs.
const (
	newList, oldList     = "cdrs", "cdr"
	newExport, oldExport = "cdrs/all", "cdr/all"
	oldCSV               = "cdr.csv"
	newCalls, oldCalls   = "calls", "call"
)

// query is one day of one type. The provider knows no smaller span, and defines the day.
type query struct {
	Day  time.Time // midnight UTC of the calendar day
	Kind string    // placed or received
}

// parameters are the parameters of a page. It asks for all dispositions: the default is answered
// calls only, and every rate would be 100 %.
func (q query) parameters(page, perPage int) url.Values {
	day := q.Day.Format(time.DateOnly)
	return url.Values{
		"from": {day}, "to": {day}, "type": {q.Kind}, "disposition": {"all"},
		"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)},
	}
}

// errNoCSV: accounts of later generations have no CSV.
var errNoCSV = &advice.Error{
	What: "the account has no CSV export; only older accounts do",
	Todo: "set format to json or stream",
}

// fetchTotal requests the total of a query, which only the JSON list has.
func (l *callLog) fetchTotal(ctx context.Context, q query) (int, error) {
	a, err := l.fetch(ctx, formatJSON, q, 1, 1)
	if err == nil && a.total < 0 {
		err = fmt.Errorf("read %s: the answer has no total", q)
	}
	if err != nil {
		return 0, err
	}
	return a.total, nil
}

func (l *callLog) fetch(ctx context.Context, format string, q query, page, perPage int) (*answer, error) {
	paths, header, decode := []string{newList, oldList}, http.Header(nil), (*decoder).decodePage
	switch format {
	case formatStream:
		paths, header, decode = []string{newExport, oldExport}, http.Header{"Accept": {"application/x-ndjson"}},
			(*decoder).decodeStream
	case formatCSV:
		paths, header, decode = []string{oldCSV}, http.Header{"Accept": {"text/csv"}}, (*decoder).decodeCSV
	}
	var d *decoder
	err := l.paths.fetch(ctx, paths, q.parameters(page, perPage), header, func(body []byte) error {
		d = &decoder{log: l, values: newValues(), query: q, page: page, answer: answer{total: -1}}
		return decode(d, body)
	})
	if format == formatCSV && httpclient.KindOf(err) == httpclient.KindNotFound {
		err = fmt.Errorf("%w: %w", err, errNoCSV)
	}
	if err != nil {
		return nil, fmt.Errorf("read page %d of %s: %w", page, q, err)
	}
	return &d.answer, nil
}

// versionedClient requests a feed by the paths that the account has, and remembers which: those of
// 2026 and later, /v1/cdrs and /v1/calls, or the older ones, /v1/cdr and /v1/call. It is safe for
// concurrent use.
type versionedClient struct {
	client *httpclient.Client
	feed   string
	older  atomic.Bool
}

// fetch requests the path of the API version that answered last. After a 404 it tries the other
// path, since Wavix may have moved the account. If both fail with 404, it returns the first error.
func (g *versionedClient) fetch(
	ctx context.Context, paths []string, parameters url.Values, header http.Header, decode func([]byte) error,
) error {
	try := func(path string) error {
		r := httpclient.Request{Feed: g.feed, URL: "v1/" + path, Label: path, Header: header, ExpectJSON: header == nil}
		if len(parameters) > 0 {
			r.URL += "?" + parameters.Encode()
		}
		return g.client.Fetch(ctx, r, func(body []byte) error { return httpclient.Retryable(decode(body)) })
	}
	first, other := paths[0], paths[len(paths)-1]
	older := g.older.Load()
	if older {
		first, other = other, first
	}
	err := try(first)
	if first != other && httpclient.KindOf(err) == httpclient.KindNotFound {
		if second := try(other); httpclient.KindOf(second) != httpclient.KindNotFound {
			if err = second; err == nil {
				g.older.Store(!older)
			}
		}
	}
	return err
}
