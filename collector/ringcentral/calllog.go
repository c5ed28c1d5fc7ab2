package ringcentral

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	feedCallLog = "call_log"
	// maxRange bounds a range: a long one has many pages, which cost a request each.
	maxRange = 7 * 24 * time.Hour
	// wireTime is how RingCentral writes times: RFC 3339 in milliseconds.
	wireTime = "2006-01-02T15:04:05.000Z"
)

// callLog reads the call log of an account or an extension. It never changes and is
// safe for concurrent use.
type callLog struct {
	path    string // of the call log
	view    string // as the API writes it
	grouped bool   // rows of a session are one call: in the log of an extension a session is listed once per view of it

	machines []string // the types of legs that no person answers, as folded writes them

	client    *httpclient.Client
	directory *httpclient.Client // of the account's queues; nil: visits to them aren't asked for
	countries *cdr.Countries
	emergency cdr.EmergencyNumbers
}

// Pages implements collector.RangeReader.
func (l *callLog) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		decoder, mapper := newPageDecoder(), &mapper{log: l}
		if l.directory != nil {
			var err error
			if mapper.queues, err = l.queueNames(ctx); err != nil {
				yield(nil, err)
				return
			}
		}
		request := httpclient.Request{Feed: feedCallLog, URL: l.link(from, to), Label: "call-log", ExpectJSON: true}
		collector.MapPages(wire.Pieces(l.client.Pages(ctx, request, maxPages, decoder.decode), &decoder.rows), mapper.mapPage)(yield)
	}
}

// link is the first page of a range. Both ends belong to it.
func (l *callLog) link(from, to time.Time) string {
	query := url.Values{
		"view":     {l.view},
		"type":     {"Voice"},
		"dateFrom": {from.Format(wireTime)},
		"dateTo":   {to.Format(wireTime)},
		"perPage":  {strconv.Itoa(perPage)},
		"page":     {"1"},
	}
	return l.path + "?" + query.Encode()
}
