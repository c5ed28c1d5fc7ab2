package msgraph

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
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

// The ways in which a chain of next links fails. The range has to be read again from
// its beginning.
var (
	errLinkExpired  = errors.New("the next link is no longer good")
	errLinkRepeated = errors.New("the next link repeats")
	errEndless      = fmt.Errorf("the range has more than %d pages", maxPages)
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

// Read implements collector.RangeReader.
func (l *logFeed) Read(ctx context.Context, from, to time.Time, emit func(*collector.Batch) error) error {
	batch := newBatch(l, emit)
	decoder := newPageDecoder(batch)
	link, seen := l.link(from, to), newLinks()
	for number := 1; link != ""; number++ {
		if number > maxPages {
			return errEndless
		}
		if err := l.checkLink(link, seen); err != nil {
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

// checkLink refuses links that leave the host and links that were read before.
func (l *logFeed) checkLink(link string, seen *links) error {
	target, err := l.client.Resolve(link)
	if err != nil {
		return err
	}
	if !seen.add(target.String()) {
		return errLinkRepeated
	}
	return nil
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
	if number > 1 && refusesLink(httpclient.KindOf(err)) {
		return "", fmt.Errorf("%w: %w", errLinkExpired, withCode(err))
	}
	return next, withCode(err)
}

// refusesLink says whether an answer to a next link means that it has expired.
func refusesLink(kind httpclient.Kind) bool {
	return kind == httpclient.KindBadRequest || kind == httpclient.KindNotFound || kind == httpclient.KindGone
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

// links remembers the links of one read, by their hash.
type links struct {
	seed maphash.Seed
	seen map[uint64]struct{}
}

func newLinks() *links { return &links{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}} }

// add says whether the link is new.
func (l *links) add(link string) bool {
	key := maphash.String(l.seed, link)
	_, known := l.seen[key]
	l.seen[key] = struct{}{}
	return !known
}
