package collector

import (
	"context"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
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
	l, err := ledger.Open(t.Context(), ledger.Settings{Storage: ledger.Storage{Folder: t.TempDir()}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	const lookback = time.Hour
	state, err := l.Feed(t.Context(), ledger.FeedSpec{
		Settings: counting.Settings{
			Source: "contoso", Feed: "call_records", History: 24 * time.Hour, Lookback: lookback,
			Rules: counting.Rules{StartMoves: true, PartsSettle: true, TaskVersions: true},
		},
		Fingerprint: "model",
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	meeting := &oneCall{cdr.Record{
		ID: "a", Version: 1, Start: now.Add(-5 * time.Hour), End: now.Add(-time.Minute),
		Provisional: true,
	}}
	loop := NewLoop(FeedSettings{
		Info: &FeedInfo{Reader: silent{}, Interval: time.Hour, Lookback: lookback, Fetcher: meeting}, Ledger: state,
		Queue: state,
	})
	fetch := func() {
		notified := work.Item{Kind: "notified", Key: "a", Version: time.Now().UnixMicro(), Due: time.Now()}
		if _, err := state.Commit(t.Context(),
			&counting.Page{Enqueue: []work.Item{notified}, ObservedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		if err := partOf[*records](loop).do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fetch()
	if waiting, _, err := state.Waiting(t.Context()); state.State().Records != 0 || waiting != 0 || err != nil {
		t.Errorf("without a session %d calls are counted; %d wait, %v", state.State().Records, waiting, err)
	}
	meeting.record.Version, meeting.record.Provisional, meeting.record.Outcome = 2, false, cdr.Answered
	fetch()
	if state.State().Records != 1 {
		t.Errorf("with one %d calls are counted", state.State().Records)
	}
}
