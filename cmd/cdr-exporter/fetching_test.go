package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// noon is when the calls of these tests begin.
var noon = time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)

// text is a string whose bytes will be others when the page is over.
type text struct{ bytes []byte }

func (x *text) of(s string) string {
	x.bytes = append(make([]byte, 0, len(s)+1), s...)
	return unsafe.String(unsafe.SliceData(x.bytes), len(s))
}

// naming is a feed whose list only names records, in pages that use memory again.
type naming struct {
	pages  [][]string
	fail   error
	listed atomic.Bool
	atOnce atomic.Int32
	most   atomic.Int32
}

// Pages implements collector.RangeReader.
func (n *naming) Pages(context.Context, time.Time, time.Time) iter.Seq2[*collector.Page, error] {
	return pagesOf(n.read)
}

// pagesOf makes a sequence of a read that hands its pages on.
func pagesOf(read func(emit func(*collector.Page) error) error) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		stopped := errors.New("stopped")
		err := read(func(page *collector.Page) error {
			if !yield(page, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

func (n *naming) read(emit func(*collector.Page) error) error {
	for _, page := range n.pages {
		var used []*text
		b := &collector.Page{}
		for _, key := range page {
			x := new(text)
			used = append(used, x)
			b.Enqueue = append(b.Enqueue, work.Item{Kind: "record", Key: x.of(key), Version: 1})
		}
		if err := emit(b); err != nil {
			return err
		}
		for _, x := range used {
			clear(x.bytes)
		}
	}
	n.listed.Store(true)
	return nil
}

// Parallel implements collector.Fetcher.
func (*naming) Parallel() int { return 3 }

// Fetch implements collector.Fetcher.
func (n *naming) Fetch(ctx context.Context, tasks []work.Item) (*collector.Page, error) {
	if !n.listed.Load() {
		return nil, errors.New("fetched while the list is read")
	}
	n.most.Store(max(n.most.Load(), n.atOnce.Add(1)))
	defer n.atOnce.Add(-1)
	switch key := tasks[0].Key; key {
	case "young":
		return nil, fmt.Errorf("%w: 404", collector.ErrNotYet)
	case "old":
		return nil, fmt.Errorf("%w: 410", collector.ErrGone)
	case "bad":
		return &collector.Page{Invalid: []collector.BadRow{{At: "record bad", Problem: "no start"}}}, nil
	case "trouble":
		return nil, n.fail
	case "waits":
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return &collector.Page{Records: []*cdr.Record{{ID: key, Start: noon, Outcome: cdr.Answered}}}, nil
	}
}

// print prints the feed's records, and returns the notes about records that were left out.
func (n *naming) print(t *testing.T) (out, left string, err error) {
	t.Helper()
	var table, errs bytes.Buffer
	printer, flush := newPrinter("csv", false, &table)
	p := &printing{
		from: noon, to: noon.Add(time.Hour), redactor: cdr.NewRedactor(cdr.DefaultPolicy(), nil),
		feed: &collector.FeedInfo{Reader: n, Fetcher: n}, printer: printer, errors: &errs,
	}
	err = p.run(t.Context())
	if closeErr := flush(); closeErr != nil {
		t.Fatal(closeErr)
	}
	return table.String(), errs.String(), err
}

// Records that a list only names are fetched and printed in its order; those that aren't
// there are left out and told of.
func TestRecordsAreFetched(t *testing.T) {
	n := &naming{pages: [][]string{{"a", "b", "young", "c"}, {"old", "a", "bad", "d"}, {}}}
	out, left, err := n.print(t)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for line := range strings.Lines(out) {
		ids = append(ids, strings.Split(line, ",")[1])
	}
	if got := strings.Join(ids, " "); got != "id a b c d" {
		t.Errorf("printed %s", got)
	}
	if strings.Count(left, "\n") != 3 {
		t.Errorf("left out %q", left)
	}
	for _, want := range []string{
		"record young: left out: the provider doesn't have it yet",
		"record old: left out: the provider no longer has it", "record bad: left out: no start",
	} {
		if !strings.Contains(left, want) {
			t.Errorf("%q lacks %q", left, want)
		}
	}
	if most := n.most.Load(); most > 3 {
		t.Errorf("%d were fetched at once", most)
	}
}

// The provider's trouble ends the printing, and those that are fetched beside.
func TestFetchingFails(t *testing.T) {
	n := &naming{pages: [][]string{{"a", "b", "c", "trouble", "waits"}}, fail: errors.New("403")}
	out, _, err := n.print(t)
	if !errors.Is(err, n.fail) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out, ",c,") {
		t.Errorf("what came before isn't printed: %s", out)
	}
}
