package callrecords

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/work"
)

// reach is how far back the list is asked for: nothing may be older than Graph's retention by the time that the request arrives.
const reach = retention - 10*time.Minute

// Pages implements collector.RangeReader: it lists call records by range of start, as tasks.
func (r *Records) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	request := httpclient.Request{Feed: Feed, URL: listLink(from, to), Label: "callRecords", ExpectJSON: true}
	return collector.MapPages(graph.Pages(ctx, r.client, request), listedPage)
}

// listLink asks for the records of calls that started from from up to to. The list takes no other filter, and no expansion.
func listLink(from, to time.Time) string {
	filter := fmt.Sprintf("startDateTime ge %s and startDateTime lt %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	return "v1.0/communications/callRecords?$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}

// listedPage makes tasks of rows. A row without a usable id is set aside.
func listedPage(rows wire.Piece) *collector.Page {
	page := &collector.Page{}
	for i, found := range rows.Rows {
		raw := wire.Checked(found)
		var row struct {
			ID      string `json:"id"`
			Version int64  `json:"version"`
		}
		problem := ""
		if bad, ok := errors.AsType[*graph.TypeError](graph.Unmarshal(raw, &row)); ok {
			problem = bad.Problem
		} else if !graph.IsGUID(row.ID) {
			problem = "there is no id that is a GUID"
		}
		if problem != "" {
			page.Invalid = append(page.Invalid, collector.BadRow{Content: raw, At: rows.At(i), Problem: problem})
			continue
		}
		page.Enqueue = append(page.Enqueue, work.Item{Kind: work.Record, Key: strings.ToLower(row.ID), Version: row.Version})
	}
	return page
}
