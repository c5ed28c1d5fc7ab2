package collector

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// slowDisk takes its time for each commit, and counts those with records.
type slowDisk struct {
	*taskModel
	commits int
}

func (l *slowDisk) Commit(ctx context.Context, page *counting.Page) (counting.Result, error) {
	<-time.After(50 * time.Millisecond)
	if len(page.Records) > 0 {
		l.commits++
	}
	return l.taskModel.Commit(ctx, page)
}

// Answers that arrive during a commit are committed together, so that a slow disk doesn't
// make each record wait for all before it.
func TestRecords_AnswersAreCommittedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(now)
		m.latency, m.unlisted, m.parallel = 10*time.Millisecond, true, 8
		m.add(now, now.Add(200*time.Millisecond), time.Millisecond, -30*time.Second)
		for _, c := range m.calls {
			c.versions[0] = now
		}
		slow := &slowDisk{taskModel: m}
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} }, func(s *FeedSettings) { s.Ledger = slow })
		loop.Start()
		for _, c := range m.calls {
			if _, err := m.notify(c.id); err != nil {
				t.Fatal(err)
			}
		}
		pass(t, 5*time.Second)
		if n := m.State().Records; n != 200 {
			t.Errorf("after five seconds %d calls are counted", n)
		}
		loop.Stop()
		if slow.commits > 60 {
			t.Errorf("they were committed in %d pieces", slow.commits)
		}
		m.wantWhole(t)
	})
}

// fullDisk takes no positions.
type fullDisk struct{ Ledger }

func (s fullDisk) Commit(ctx context.Context, page *counting.Page) (counting.Result, error) {
	if page.Position != nil {
		return counting.Result{}, ledger.ErrFull
	}
	return s.Ledger.Commit(ctx, page)
}

// A position that couldn't be committed isn't withheld either: the list is read again.
func TestRecords_APositionThatFailsIsntWithheld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newTaskModel(time.Now().Add(-time.Hour))
		list := partOf[*ranges](m.loop(func(s *FeedSettings) { s.Ledger = fullDisk{m} }))
		if err := list.do(t.Context()); !errors.Is(err, ledger.ErrFull) || list.withheld {
			t.Errorf("withheld is %t; error %v", list.withheld, err)
		}
	})
}
