package collector

import (
	"context"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// oneCall fetches one record, as it is now.
type oneCall struct{ record cdr.Record }

func (c *oneCall) Parallel() int { return 1 }

func (c *oneCall) Fetch(context.Context, []work.Item) (*Page, error) {
	r := c.record
	return &Page{Records: []*cdr.Record{&r}}, nil
}

// counting.md 17: a record that isn't final waits as long as its feed lets it, also if it
// began longer than the lookback ago, as a long meeting does: it isn't counted as a call
// that didn't connect, whose duration then is missing for ever.
func TestRule17_ALongCallWaitsForItsSession(t *testing.T) {
	feed := ledgerOf(t, counting.Rules{StartMoves: true, PartsSettle: true, TaskVersions: true}, nil)
	now := time.Now()
	meeting := &oneCall{cdr.Record{
		ID: "a", Version: 1, Start: now.Add(-50 * time.Hour), End: now.Add(-time.Minute), Provisional: true,
	}}
	info := &FeedInfo{Reader: silent{}, Interval: time.Hour, Lookback: minutely.Lookback, Fetcher: meeting}
	loop := NewLoop(FeedSettings{Info: info, Ledger: feed, Queue: feed})
	fetch := func(counted uint64) {
		notified := work.Item{Kind: "notified", Key: "a", Version: time.Now().UnixMicro(), Due: time.Now()}
		page := &counting.Page{Enqueue: []work.Item{notified}, ObservedAt: time.Now()}
		if _, err := feed.Commit(t.Context(), page); err != nil {
			t.Fatal(err)
		}
		if err := partOf[*records](loop).do(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waiting, _, err := feed.Waiting(t.Context()); feed.State().Records != counted || waiting != 0 || err != nil {
			t.Errorf("%d calls are counted, want %d; %d wait, %v", feed.State().Records, counted, waiting, err)
		}
	}
	fetch(0)
	meeting.record.Version, meeting.record.Provisional, meeting.record.Outcome = 2, false, cdr.Answered
	fetch(1)
}
