package ringcentral

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	feedCallLog = "call_log"
	// labelCallLog is the endpoint in errors.
	labelCallLog = "call-log"
	// maxRange bounds a range: a long one has many pages, which cost a request each.
	maxRange = 7 * 24 * time.Hour
	// probeSpan is what a probe looks at.
	probeSpan = time.Hour
	// wireTime is how RingCentral writes times: RFC 3339 in milliseconds.
	wireTime = "2006-01-02T15:04:05.000Z"
)

// callLog reads the call log of an account or an extension. It never changes and is
// safe for concurrent use.
type callLog struct {
	path    string // of the call log
	view    string // as the API writes it
	grouped bool   // rows of a session are one call

	client    *httpclient.Client
	countries *cdr.Countries
	emergency *cdr.EmergencyNumbers
}

func (l *callLog) mapper() *mapper {
	return &mapper{countries: l.countries, emergency: l.emergency, grouped: l.grouped}
}

// Limits implements collector.RangeReader.
func (l *callLog) Limits() collector.Limits {
	return collector.Limits{MaxRange: maxRange, Retention: retention}
}

// Read implements collector.RangeReader.
func (l *callLog) Read(ctx context.Context, from, to time.Time, emit func(*collector.Batch) error) error {
	batch := newBatch(l.mapper(), emit)
	err := l.pager(batch).read(ctx, l.link(from, to, perPage), batch.flush)
	if batch.emitErr != nil {
		return batch.emitErr
	}
	return err
}

func (l *callLog) pager(batch *batch) *pager {
	return &pager{
		client: l.client, feed: feedCallLog, label: labelCallLog, decoder: newPageDecoder(batch),
		halted: func() bool { return batch.emitErr != nil },
	}
}

// link is the first page of a range. Both ends belong to it.
func (l *callLog) link(from, to time.Time, perPage int) string {
	query := url.Values{
		"view":     {l.view},
		"type":     {"Voice"},
		"dateFrom": {from.UTC().Truncate(time.Millisecond).Format(wireTime)},
		"dateTo":   {upToMilliseconds(to.UTC()).Format(wireTime)},
		"perPage":  {strconv.Itoa(perPage)},
		"page":     {"1"},
	}
	return l.path + "?" + query.Encode()
}

// upToMilliseconds rounds up, so that nothing before the time is left out.
func upToMilliseconds(at time.Time) time.Time {
	if whole := at.Truncate(time.Millisecond); whole.Before(at) {
		return whole.Add(time.Millisecond)
	}
	return at
}

// probe reads the smallest page of the last hour, without following it.
func (l *callLog) probe(ctx context.Context, now time.Time) (rows int, err error) {
	batch := newBatch(l.mapper(), nil)
	if _, err := l.pager(batch).page(ctx, l.link(now.Add(-probeSpan), now, 1), 1); err != nil {
		return 0, fmt.Errorf("read a page of the call log: %w", err)
	}
	return batch.records.Len() + len(batch.invalid), nil
}
