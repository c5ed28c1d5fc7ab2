package msgraph

import (
	"context"
	"fmt"
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

// errEndless ends a chain of links. The range has to be read again from its beginning.
var errEndless = fmt.Errorf("the range has more than %d pages", maxPages)

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

// Read implements collector.RangeReader.
func (l *logFeed) Read(ctx context.Context, from, to time.Time, emit func(*collector.Batch) error) error {
	batch := newBatch(l, emit)
	decoder := newPageDecoder(batch)
	link, chain := l.link(from, to), l.client.Chain()
	for number := 1; link != ""; number++ {
		if number > maxPages {
			return errEndless
		}
		if err := chain.Follow(link); err != nil {
			return fmt.Errorf("read page %d: %w", number, err)
		}
		next, err := l.readPage(ctx, decoder, link, number)
		if batch.emitErr != nil {
			return batch.emitErr
		}
		if err != nil {
			return fmt.Errorf("read page %d: %w", number, err)
		}
		link = next
	}
	return nil
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

// readPage reads one page, again if it breaks, and returns the next link.
func (l *logFeed) readPage(ctx context.Context, decoder *pageDecoder, link string, number int) (next string, err error) {
	request := httpclient.Request{Feed: l.name, URL: link, Label: l.function, ExpectJSON: true}
	err = l.client.Fetch(ctx, request, func(response *httpclient.Response) error {
		next, err = decoder.decode(response.Body, number)
		if err != nil && decoder.batch.emitErr == nil {
			return httpclient.Retryable(err)
		}
		return err
	})
	if number > 1 && httpclient.KindOf(err).RefusesLink() {
		return "", fmt.Errorf("%w: %w", httpclient.ErrLinkExpired, withCode(err))
	}
	return next, withCode(err)
}

// probe reads the first page of the last minute, without following it.
func (l *logFeed) probe(ctx context.Context, now time.Time) (rows int, err error) {
	decoder := newPageDecoder(newBatch(l, func(b *collector.Batch) error {
		rows += len(b.Records) + len(b.Invalid)
		return nil
	}))
	if _, err := l.readPage(ctx, decoder, l.link(now.Add(-time.Minute), now), 1); err != nil {
		return 0, fmt.Errorf("read a page of %s: %w", l.function, err)
	}
	return rows, nil
}
