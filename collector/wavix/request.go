package wavix

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// The names of the feeds, which are labels.
const (
	feedCallLog     = "call_log"
	feedActiveCalls = "active_calls"
)

// The paths of both generations. A path without its version is what errors and logs
// call the endpoint.
const (
	newList, oldList     = "cdrs", "cdr"
	newExport, oldExport = "cdrs/all", "cdr/all"
	oldCSV               = "cdr.csv"
	newCalls, oldCalls   = "calls", "call"
)

// errNoCSV is an account of a later generation, which has no CSV.
var errNoCSV = errors.New("there is no CSV export, which only older accounts have")

// request is a GET of a path of the API.
func request(feed, path string, parameters url.Values) httpclient.Request {
	link := "v1/" + path
	if len(parameters) > 0 {
		link += "?" + parameters.Encode()
	}
	return httpclient.Request{Feed: feed, URL: link, Label: path}
}

// parameters are those of a query. All dispositions are asked for: without that only
// answered calls come, and every rate would be 100 %.
func (q query) parameters() url.Values {
	day := q.Day.Format(time.DateOnly)
	return url.Values{"from": {day}, "to": {day}, "type": {q.Kind}, "disposition": {"all"}}
}

// paged are the parameters of a page.
func (q query) paged(page, perPage int) url.Values {
	v := q.parameters()
	v.Set("page", strconv.Itoa(page))
	v.Set("per_page", strconv.Itoa(perPage))
	return v
}

// asker asks for call records, in whichever generation an account is.
type asker struct {
	client     *httpclient.Client
	generation *generation
}

// list asks for a page as JSON.
func (a *asker) list(ctx context.Context, q query, page, perPage int, use func(*httpclient.Response) error) error {
	newer, older := request(feedCallLog, newList, q.paged(page, perPage)), request(feedCallLog, oldList, q.paged(page, perPage))
	newer.ExpectJSON, older.ExpectJSON = true, true
	return withMessage(a.generation.fetch(ctx, a.client, newer, older, use))
}

// export asks for all of a query as a stream.
func (a *asker) export(ctx context.Context, parameters url.Values, use func(*httpclient.Response) error) error {
	newer, older := request(feedCallLog, newExport, parameters), request(feedCallLog, oldExport, parameters)
	accept := http.Header{"Accept": {"application/x-ndjson"}}
	newer.Header, older.Header = accept, accept
	return withMessage(a.generation.fetch(ctx, a.client, newer, older, noHTMLType(use)))
}

// csv asks for a page as CSV.
func (a *asker) csv(ctx context.Context, q query, page, perPage int, use func(*httpclient.Response) error) error {
	r := request(feedCallLog, oldCSV, q.paged(page, perPage))
	r.Header = http.Header{"Accept": {"text/csv"}}
	err := a.client.Fetch(ctx, r, noHTMLType(use))
	if httpclient.KindOf(err) == httpclient.KindNotFound {
		return &csvError{err}
	}
	return withMessage(err)
}

// csvError is a 404 of the CSV export.
type csvError struct{ error }

// Error implements error.
func (e *csvError) Error() string { return e.error.Error() + ": " + errNoCSV.Error() }

// Unwrap returns both.
func (e *csvError) Unwrap() []error { return []error{e.error, errNoCSV} }

// noHTMLType refuses what calls itself HTML, where httpclient doesn't look.
func noHTMLType(use func(*httpclient.Response) error) func(*httpclient.Response) error {
	return func(response *httpclient.Response) error {
		kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // an odd type is left to the first byte
		if kind == "text/html" || kind == "application/xhtml+xml" {
			return httpclient.Retryable(ErrHTML)
		}
		return use(response)
	}
}
