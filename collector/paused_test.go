package collector

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// TestAFullOutboxAsksNothing: while the ledger would refuse pages with records, the feed requests
// neither ranges nor records. Both resume without help.
func TestAFullOutboxAsksNothing(t *testing.T) {
	var full atomic.Bool
	var looks atomic.Int32
	paused := func(s *FeedSettings) {
		s.Paused = func() error {
			if looks.Add(1); full.Load() {
				return ledger.ErrOutboxFull
			}
			return nil
		}
	}
	inBubble(t, "ranges", func(t *testing.T) {
		full.Store(false)
		m := quiet(t, minutely, time.Now())
		traffic(m, time.Now().Add(2*time.Hour), time.Minute, time.Second)
		l := loopOver(m, time.Minute, 48*time.Hour, paused)
		l.Start()
		pass(t, 10*time.Minute)
		full.Store(true)
		pass(t, time.Second)
		before := len(m.done())
		looks.Store(0)
		pass(t, time.Hour)
		if n := looks.Load(); n < 50 || n > 150 {
			t.Errorf("it was looked at %d times in an hour", n)
		}
		if n := len(m.done()) - before; n != 0 || l.Status().State != StateError {
			t.Errorf("%d reads while the outbox was full, the state is %+v", n, l.Status())
		}
		full.Store(false)
		pass(t, 10*time.Minute)
		l.Stop()
		if left := m.missing(time.Now().Add(-2 * time.Minute)); len(left) > 0 {
			t.Errorf("%d calls are missing", len(left))
		}
	})
	inBubble(t, "records", func(t *testing.T) {
		full.Store(true)
		m := newTaskModel(t, time.Now())
		now := time.Now()
		m.unlisted = true
		m.calls = append(m.calls, published("a", now))
		l := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} }, paused)
		l.Start()
		if _, err := m.notify("a"); err != nil {
			t.Fatal(err)
		}
		pass(t, time.Hour)
		if n := m.allFetches(); n != 0 {
			t.Errorf("%d fetches while the outbox was full", n)
		}
		full.Store(false)
		pass(t, 10*time.Minute)
		l.Stop()
		if n := m.allFetches(); n == 0 {
			t.Error("the record wasn't fetched afterwards")
		}
	})
}
