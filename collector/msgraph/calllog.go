package msgraph

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxRange is less than the 90 days beyond which Graph answers 406.
const maxRange = 89 * 24 * time.Hour

// callLog is one of the two call logs of a source. It is immutable and safe for concurrent use.
type callLog struct {
	*source

	feed     string // value of the label `feed`
	function string // Graph's function
	mapRow   func(*mapper, *wire.Fields, *cdr.Record)
	rows     collector.RowCache // if nil, every row is decoded
}

// skipUnchanged is a collector.FeedInfo.SkipUnchanged.
func (l *callLog) skipUnchanged(rows collector.RowCache) collector.RangeReader {
	reader := *l
	reader.rows = rows
	return &reader
}

// Pages implements collector.RangeReader.
func (l *callLog) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	request := httpclient.Request{Feed: l.feed, URL: l.link(from, to), Label: l.function, ExpectJSON: true}
	mapper := newMapper(l, collector.NewRowFilter(l.rows))
	return collector.MapPages(graph.Pages(ctx, l.client, request), mapper.mapPage)
}

func (l *callLog) link(from, to time.Time) string {
	return fmt.Sprintf("v1.0/communications/callRecords/%s(fromDateTime=%s,toDateTime=%s)", l.function,
		from.Format(time.RFC3339), to.Format(time.RFC3339))
}
