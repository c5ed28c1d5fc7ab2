package msgraph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
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

// Read implements collector.RangeReader.
func (l *callRecordList) Read(ctx context.Context, from, to time.Time, emit func(*collector.Batch) error) error {
	link, chain := listLink(from, to), l.client.Chain()
	for number := 1; link != ""; number++ {
		if number > maxPages {
			return errEndless
		}
		if err := chain.Follow(link); err != nil {
			return fmt.Errorf("read page %d: %w", number, err)
		}
		batch, next, err := l.page(ctx, link, number)
		if err != nil {
			return fmt.Errorf("read page %d: %w", number, err)
		}
		if err := emit(batch); err != nil {
			return err
		}
		link = next
	}
	return nil
}

// probe reads the first page of the last minute, without following it.
func (l *callRecordList) probe(ctx context.Context, now time.Time) (rows int, err error) {
	b, _, err := l.page(ctx, listLink(now.Add(-time.Minute), now), 1)
	if err != nil {
		return 0, fmt.Errorf("read a page of callRecords: %w", err)
	}
	return len(b.Work) + len(b.Invalid), nil
}

// listLink asks for the records of calls that started from from up to to. The list
// takes no other filter, and no expansion.
func listLink(from, to time.Time) string {
	filter := fmt.Sprintf("startDateTime ge %s and startDateTime lt %s",
		from.UTC().Truncate(time.Second).Format(time.RFC3339), to.UTC().Add(time.Second-1).Truncate(time.Second).Format(time.RFC3339))
	return "v1.0/communications/callRecords?$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}

// page reads one page and makes work of it.
func (l *callRecordList) page(ctx context.Context, link string, number int) (b *collector.Batch, next string, err error) {
	var rows []json.RawMessage
	request := httpclient.Request{Feed: feedCallRecords, URL: link, Label: "callRecords", ExpectJSON: true}
	err = withCode(l.client.Fetch(ctx, request, func(response *httpclient.Response) error {
		rows, next, err = decodeListed(response.Body)
		return httpclient.Retryable(err)
	}))
	switch {
	case err != nil && number > 1 && httpclient.KindOf(err).RefusesLink():
		return nil, "", fmt.Errorf("%w: %w", httpclient.ErrLinkExpired, err)
	case err != nil:
		return nil, "", err
	}
	return listedBatch(rows, number), next, nil
}

// decodeListed reads a page: its rows, and the link to the next page, empty after the last.
func decodeListed(body io.Reader) (rows []json.RawMessage, next string, err error) {
	in, found := wire.NewInput(wire.MaxValue, wire.BodyBuffer), false
	err = in.Document(body, "the answer is no object", func(name string) error {
		switch {
		case strings.EqualFold(name, "value"):
			found = true
			return in.Array("the answer's value is no array", func(raw []byte) error {
				rows = append(rows, bytes.Clone(raw))
				return nil
			})
		case strings.EqualFold(name, "@odata.nextLink"):
			next, err = in.Link(next)
			return err
		}
		return in.JSON.SkipValue()
	})
	if err == nil && !found {
		err = errNoValue
	}
	return rows, next, err
}

// listedBatch makes work of a page's rows. A row without a usable id is set aside.
func listedBatch(rows []json.RawMessage, number int) *collector.Batch {
	b := &collector.Batch{Page: number, Begins: true}
	for i, raw := range rows {
		var row listedRecord
		problem := ""
		if err := json.Unmarshal(raw, &row); err != nil {
			problem = shapeProblem(err)
		} else if !guid.MatchString(row.ID) {
			problem = "there is no id that is a GUID"
		}
		if problem != "" {
			b.Invalid = append(b.Invalid, collector.BadRow{Content: raw, At: fmt.Sprintf("page %d, row %d", number, i+1), Problem: problem})
			continue
		}
		b.Work = append(b.Work, collector.Work{Kind: workRecord, Key: strings.ToLower(row.ID), Version: row.Version})
	}
	return b
}
