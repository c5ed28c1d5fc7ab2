package wavix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// The paths of both generations of the API, below /v1/. They are also what errors and logs call the endpoint.
const (
	newList, oldList     = "cdrs", "cdr"
	newExport, oldExport = "cdrs/all", "cdr/all"
	oldCSV               = "cdr.csv"
	newCalls, oldCalls   = "calls", "call"
)

// query is one day of one type, in the provider's own days: it knows no smaller span.
type query struct {
	Day  time.Time // midnight UTC of the calendar day
	Kind string    // placed or received
}

// parameters are those of a page. All dispositions are asked for: without that only
// answered calls come, and every rate would be 100 %.
func (q query) parameters(page, perPage int) url.Values {
	day := q.Day.Format(time.DateOnly)
	return url.Values{
		"from": {day}, "to": {day}, "type": {q.Kind}, "disposition": {"all"},
		"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)},
	}
}

var (
	// errNoCSV is an account of a later generation, which has no CSV.
	errNoCSV = errors.New("there is no CSV export, which only older accounts have")
	// errNoPath is an account that has the paths of no generation.
	errNoPath = errors.New("and so is the older path")
)

// fetchTotal asks for the total of a query, which only the list as JSON says.
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

// fetch asks for a page of a query.
func (l *callLog) fetch(ctx context.Context, format string, q query, page, perPage int) (*answer, error) {
	paths, header, decode := []string{newList, oldList}, http.Header(nil), (*decoder).decodePage
	switch format {
	case formatStream:
		paths, header, decode = []string{newExport, oldExport}, http.Header{"Accept": {"application/x-ndjson"}}, (*decoder).decodeStream
	case formatCSV:
		paths, header, decode = []string{oldCSV}, http.Header{"Accept": {"text/csv"}}, (*decoder).decodeCSV
	}
	var d *decoder
	err := l.paths.fetch(ctx, l.client, feedCallLog, paths, q.parameters(page, perPage), header, func(body []byte) error {
		d = &decoder{mapper: l.mapper, seed: l.seed, query: q, page: page, answer: answer{total: -1}}
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

// The generations of the API, as far as its paths differ.
const (
	unknownGeneration int32 = iota
	newGeneration           // since 2026: /v1/cdrs, /v1/calls
	oldGeneration           // /v1/cdr, /v1/call
)

// generation remembers which paths an account has. It is found out once, by the first
// answer that isn't 404. Later a 404 means what it says: a newer path that answers so
// for a moment mustn't send everything to the older one. The other way there is an
// upgrade of the account, which also happens once: an older path that is gone while the
// newer one answers. It is safe for concurrent use.
type generation struct{ found atomic.Int32 }

// fetch asks for the path of the generation that was found, and while none was for
// both, the newer one, which comes first, before the older. The error after two 404s is that of the first.
func (g *generation) fetch(ctx context.Context, client *httpclient.Client, feed string, paths []string, parameters url.Values, header http.Header,
	decode func([]byte) error,
) error {
	try := func(path string) error {
		r := httpclient.Request{Feed: feed, URL: "v1/" + path, Label: path, Header: header, ExpectJSON: header == nil}
		if len(parameters) > 0 {
			r.URL += "?" + parameters.Encode()
		}
		return client.Fetch(ctx, r, func(response *httpclient.Response) error {
			if err := cmp.Or(notHTML(response), decode(response.Body.Bytes())); err != nil {
				return httpclient.Retryable(err)
			}
			switch path {
			case newList, newExport, newCalls:
				g.found.Store(newGeneration)
			default:
				g.found.CompareAndSwap(unknownGeneration, oldGeneration)
			}
			return nil
		})
	}
	found := g.found.Load()
	if found == oldGeneration {
		slices.Reverse(paths)
	}
	err := try(paths[0])
	if len(paths) > 1 && found != newGeneration && httpclient.KindOf(err) == httpclient.KindNotFound {
		if other := try(paths[1]); httpclient.KindOf(other) != httpclient.KindNotFound {
			err = other
		} else if found == unknownGeneration {
			err = fmt.Errorf("%w, %w", err, errNoPath)
		}
	}
	return withMessage(err)
}

// notHTML refuses an answer that calls itself HTML, where httpclient doesn't look.
func notHTML(response *httpclient.Response) error {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // an odd type is left to the decoder
	if kind == "text/html" || kind == "application/xhtml+xml" {
		return wire.ErrHTML
	}
	return nil
}

// otherKind is the other type of calls.
func otherKind(kind string) string {
	if kind == kindPlaced {
		return kindReceived
	}
	return kindPlaced
}
