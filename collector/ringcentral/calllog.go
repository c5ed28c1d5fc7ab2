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
	// maxRange limits a range: a long one has many pages, and each costs a request.
	maxRange = 7 * 24 * time.Hour
	// wireTime is RingCentral's time format: RFC 3339 with milliseconds.
	wireTime = "2006-01-02T15:04:05.000Z"
)

// callLog reads the call log of an account or an extension. It is immutable and safe for concurrent
// use.
type callLog struct {
	path    string // path of the call log
	view    string // in the API's spelling
	grouped bool   // rows of a session make one call: an extension's log lists a session once per view

	machines []string // types of legs that no person answers, folded

	client    *httpclient.Client
	directory *httpclient.Client // for the account's queues; nil: queue visits aren't read
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
		collector.MapPages(wire.Pieces(l.client.Pages(ctx, request, maxPages, decoder.decode), &decoder.rows),
			mapper.mapPage)(yield)
	}
}

// link is the first page of a range. The range includes both ends.
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
