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
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// reach is how far back the list is read. It is less than Graph's retention, because the request
// takes time to arrive.
const reach = retention - 10*time.Minute

// Pages implements collector.RangeReader: it lists call records by range of start, as tasks.
func (r *Records) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	request := httpclient.Request{Feed: Feed, URL: listLink(from, to), Label: "callRecords", ExpectJSON: true}
	return collector.MapPages(graph.Pages(ctx, r.client, request), listedPage)
}

// listLink requests the records of calls with from ≤ start < to. The list supports no other filter,
// and no expansion.
func listLink(from, to time.Time) string {
	filter := fmt.Sprintf("startDateTime ge %s and startDateTime lt %s", from.Format(time.RFC3339),
		to.Format(time.RFC3339))
	return "v1.0/communications/callRecords?$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}

// listedPage makes a task of each row. It sets aside a row without a usable id.
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
			problem = "the id is missing or isn't a GUID"
		}
		if problem != "" {
			page.Invalid = append(page.Invalid, collector.BadRow{Content: raw, At: rows.At(i), Problem: problem})
			continue
		}
		page.Enqueue = append(page.Enqueue,
			work.Item{Kind: work.Record, Key: strings.ToLower(row.ID), Version: row.Version})
	}
	return page
}
