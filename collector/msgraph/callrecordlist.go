package msgraph

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	// feedCallRecords is the label `feed`.
	feedCallRecords = "call_records"
	// callRecordRetention is how long Graph keeps call records. Nothing is asked for that
	// may be as old as that when the request comes.
	callRecordRetention = 30 * 24 * time.Hour
	callRecordReach     = callRecordRetention - 10*time.Minute
)

// callRecordList lists call records by range of start: ids and versions, as work. It
// never changes and is safe for concurrent use.
type callRecordList struct{ client *httpclient.Client }

// listedRecord is a call record as the list has it.
type listedRecord struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// Limits implements collector.RangeReader.
func (l *callRecordList) Limits() collector.Limits {
	return collector.Limits{MaxRange: callRecordReach, Retention: callRecordReach}
}

// Pages implements collector.RangeReader.
func (l *callRecordList) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		decoder := newPageDecoder()
		request := httpclient.Request{Feed: feedCallRecords, URL: listLink(from, to), Label: "callRecords", ExpectJSON: true}
		for number, err := range l.client.Pages(ctx, request, maxPages, decoder.decode) {
			if err != nil {
				yield(nil, withCode(err))
				return
			}
			for first, rows := range decoder.rows.Pages() {
				if !yield(listedPage(rows, number, first), nil) {
					return
				}
			}
		}
	}
}

// probe reads the first page of the last minute.
func (l *callRecordList) probe(ctx context.Context, now time.Time) (rows int, err error) {
	if rows, err = collector.Probe(ctx, l, now.Add(-time.Minute), now); err != nil {
		return 0, fmt.Errorf("read a page of callRecords: %w", err)
	}
	return rows, nil
}

// listLink asks for the records of calls that started from from up to to. The list
// takes no other filter, and no expansion.
func listLink(from, to time.Time) string {
	filter := fmt.Sprintf("startDateTime ge %s and startDateTime lt %s",
		from.UTC().Truncate(time.Second).Format(time.RFC3339), to.UTC().Add(time.Second-1).Truncate(time.Second).Format(time.RFC3339))
	return "v1.0/communications/callRecords?$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}

// listedPage makes tasks of rows. A row without a usable id is set aside.
func listedPage(rows [][]byte, number, first int) *collector.Page {
	page := &collector.Page{}
	for i, raw := range rows {
		var row listedRecord
		problem := ""
		if err := json.Unmarshal(raw, &row); err != nil {
			problem = shapeProblem(err)
		} else if !guid.MatchString(row.ID) {
			problem = "there is no id that is a GUID"
		}
		if problem != "" {
			page.Invalid = append(page.Invalid, collector.BadRow{Content: raw, At: fmt.Sprintf("page %d, row %d", number, first+i), Problem: problem})
			continue
		}
		page.Enqueue = append(page.Enqueue, collector.Task{Kind: taskRecord, Key: strings.ToLower(row.ID), Version: row.Version})
	}
	return page
}
