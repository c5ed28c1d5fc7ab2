package collector

import (
	"context"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// failedOver is a ledger whose newest commits a failover has lost.
type failedOver struct {
	Ledger

	state counting.State
}

func (l *failedOver) State() counting.State { return l.state }

func (l *failedOver) Commit(context.Context, *counting.Page) (counting.Result, error) {
	return counting.Result{}, nil
}

// TestListAfterAFailover: a failover may lose the records that the list waits for, so the list is read again soon.
func TestListAfterAFailover(t *testing.T) {
	now := time.Now()
	l := &failedOver{state: counting.State{Origin: now.Add(-time.Hour), Floor: now.Add(-time.Hour), Watermark: now}}
	info := &FeedInfo{Lookback: 48 * time.Hour}
	f := newRanges(newCommitter(FeedSettings{Info: info, Ledger: l}.withDefaults()))
	f.load(l.state)
	f.seen = f.view(l.state)
	f.stored, f.withheld, f.resumeAt = []byte("ahead"), true, f.settings.Clock.Elapsed()+longestHold
	if wait := f.wait(t.Context()); wait > 10*time.Minute {
		t.Errorf("the list is read again in %s", wait)
	}
}
