package msgraph

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// maxRange stays below Graph's 90 days, beyond which it answers 406.
	maxRange = 89 * 24 * time.Hour
	// maxPages ends a read that goes on and on: ten million rows.
	maxPages = 10_000
)

// logFeed is one of the two call logs of a source. It never changes and is safe for
// concurrent use.
type logFeed struct {
	name      string // label `feed`
	function  string // of Graph
	retention time.Duration
	names     []string // of the row type's properties
	mapRow    func(*mapper, *fields, *cdr.Record)

	client    *httpclient.Client
	countries *cdr.Countries
	emergency *cdr.EmergencyNumbers
}

// Limits implements collector.RangeReader.
func (l *logFeed) Limits() collector.Limits {
	return collector.Limits{MaxRange: maxRange, Retention: l.retention}
}

// Pages implements collector.RangeReader.
func (l *logFeed) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		decoder, mapper := newPageDecoder(), newPageMapper(l)
		request := httpclient.Request{Feed: l.name, URL: l.link(from, to), Label: l.function, ExpectJSON: true}
		for number, err := range l.client.Pages(ctx, request, maxPages, decoder.decode) {
			if err != nil {
				yield(nil, withCode(err))
				return
			}
			for first, rows := range decoder.rows.Pages() {
				if !yield(mapper.mapPage(rows, number, first, decoder.endsWith(first, rows)), nil) {
					return
				}
			}
		}
	}
}

// link is the request for a range, with times in whole seconds around it.
func (l *logFeed) link(from, to time.Time) string {
	from, to = from.UTC().Truncate(time.Second), to.UTC()
	if whole := to.Truncate(time.Second); whole.Before(to) {
		to = whole.Add(time.Second)
	}
	return fmt.Sprintf("v1.0/communications/callRecords/%s(fromDateTime=%s,toDateTime=%s)",
		l.function, from.Format(time.RFC3339), to.Format(time.RFC3339))
}

// probe reads the first page of the last minute.
func (l *logFeed) probe(ctx context.Context, now time.Time) (rows int, err error) {
	if rows, err = collector.Probe(ctx, l, now.Add(-time.Minute), now); err != nil {
		return 0, fmt.Errorf("read a page of %s: %w", l.function, err)
	}
	return rows, nil
}
