package collector

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// How the calls of these tests settle.
const settle, wholeAfter = 5 * time.Minute, time.Hour

// TestWhenACallIsCounted (counting.md 36): a call of a feed that is read by time counts once it has
// settled, in a read that began after that and looked at all of its times. The feed is read each
// minute, and each scenario begins at noon.
func TestWhenACallIsCounted(t *testing.T) {
	type leg struct{ start, published time.Duration } // since noon
	for _, c := range []struct {
		name string
		legs []leg
		// down is how long nothing was read before noon, ahead how far the provider's clock is ahead.
		down, ahead time.Duration
		grain       time.Duration
		// gap is a span that can't be read, until a time if there is one.
		gap      [2]time.Duration
		readable time.Duration
		// The call counts this long after its first leg was read.
		after, before time.Duration
	}{
		{name: "a short call", legs: []leg{{-time.Minute, 2 * time.Minute}}, after: settle, before: 2 * settle},
		{
			name: "a call that is read hours late", legs: []leg{{-7 * time.Hour, time.Minute}}, after: settle,
			before: settle + 2*time.Minute,
		},
		{
			name: "its second leg comes later",
			legs: []leg{{-7 * time.Hour, time.Minute}, {-7 * time.Hour, 2 * time.Minute}}, after: settle,
			before: 2*settle + 4*time.Minute,
		},
		{
			name: "after a downtime", down: 3 * time.Hour, legs: []leg{{-2 * time.Hour, -time.Hour}},
			after:  time.Second,
			before: 2 * time.Minute,
		},
		{
			name: "of a provider of days", grain: day, legs: []leg{{-7 * time.Hour, time.Minute}}, after: settle,
			before: settle + 2*time.Minute,
		},
		{
			name: "the provider's clock is ahead", ahead: 10 * time.Minute,
			legs: []leg{{9 * time.Minute, 2 * time.Minute}}, after: settle, before: settle + 2*time.Minute,
		},
		{
			name: "the provider's clock is behind", ahead: -10 * time.Minute,
			legs: []leg{{-11 * time.Minute, 2 * time.Minute}}, after: settle, before: 2 * settle,
		},
		{
			name: "a span of it can't be read for an hour", legs: []leg{{-2 * time.Hour, 10 * time.Minute}},
			gap: [2]time.Duration{-time.Hour, -59 * time.Minute}, readable: time.Hour, after: 30 * time.Minute,
			before: 3 * time.Hour,
		},
		{
			name: "a span of it can never be read", legs: []leg{{-2 * time.Hour, 10 * time.Minute}},
			gap: [2]time.Duration{-time.Hour, -59 * time.Minute}, readable: 10 * day, after: wholeAfter + settle,
			before: wholeAfter + 30*time.Minute,
		},
		{
			name: "a span before it can't be read", legs: []leg{{-20 * time.Minute, time.Minute}},
			gap: [2]time.Duration{-time.Hour, -59 * time.Minute}, readable: 10 * day, after: settle,
			before: 2 * settle,
		},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			pass(t, 12*time.Hour)
			noon := time.Now()
			m := quiet(t, minutely, noon.Add(-c.down))
			m.limits.Grain, m.latency = c.grain, time.Second
			m.date = func() time.Time { return time.Now().Add(c.ahead) }
			m.fault = func(from, to time.Time, _ int) error {
				gap := from.Before(noon.Add(c.gap[1])) && to.After(noon.Add(c.gap[0]))
				if gap && time.Since(noon) < c.readable {
					return errProvider
				}
				return nil
			}
			for i, l := range c.legs {
				m.rows = append(m.rows, modelRow{
					id: string(rune('a' + i)), call: "one",
					start: noon.Add(l.start), published: noon.Add(l.published),
				})
			}
			var read, counted atomic.Int64
			count := func(f *facts.Fact, _ []metrics.Delta) {
				switch {
				case f.Kind == facts.Call:
					counted.Store(time.Now().UnixNano())
				case read.Load() == 0:
					read.Store(time.Now().UnixNano())
				}
			}
			loop := loopOverLedger(t, m, count)
			loop.Start()
			for counted.Load() == 0 && time.Since(noon) < 6*time.Hour {
				pass(t, time.Minute)
			}
			loop.Stop()
			if took := time.Duration(counted.Load() - read.Load()); took < c.after || took > c.before {
				t.Errorf("it was counted %s after its leg was read; want %s to %s", took, c.after, c.before)
			}
		})
	}
}

// TestASpanThatIsSteppedOverCostsNothing: while no call waits, a span that can't be read adds no commit to a poll.
func TestASpanThatIsSteppedOverCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass(t, 12*time.Hour)
		noon := time.Now()
		m := quiet(t, minutely, noon)
		m.latency = time.Second
		m.fault = func(from, to time.Time, _ int) error {
			if at := noon.Add(time.Minute); from.Before(at) && to.After(at) {
				return errProvider
			}
			return nil
		}
		loop := loopOverLedger(t, m, nil)
		commits := &commitCounter{Ledger: loop.settings.Ledger}
		partOf[*ranges](loop).settings.Ledger = commits
		loop.Start()
		for len(loop.state().Spans) == 0 {
			pass(t, time.Minute)
		}
		before, reads := commits.positions.Load(), len(m.done())
		pass(t, time.Hour)
		loop.Stop()
		if made, polls := commits.positions.Load()-before, int64(len(m.done())-reads); made > polls {
			t.Errorf("%d positions were committed in %d reads", made, polls)
		}
	})
}

// commitCounter counts the commits of a position.
type commitCounter struct {
	Ledger

	positions atomic.Int64
}

func (c *commitCounter) Commit(ctx context.Context, page *counting.Page) (counting.Result, error) {
	if page.Position != nil {
		c.positions.Add(1)
	}
	return c.Ledger.Commit(ctx, page)
}

// TestAFirstHistoryOfCallsIsShownAsAWhole (counting.md 20): while the calls of a first history wait for one more deep
// read, and that takes longer than `settle`, the reads of the newest calls in between don't show it.
func TestAFirstHistoryOfCallsIsShownAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m := newModel(began.Add(-24 * time.Hour))
		m.latency, m.pageSize, m.limits.MaxRange = 15*time.Second, 10, 2*time.Hour
		for i := range 300 {
			at := began.Add(time.Duration(3*i-1000) * time.Minute)
			m.rows = append(m.rows, modelRow{id: fmt.Sprint(i), call: fmt.Sprint("call ", i), start: at, published: at})
		}
		var counted atomic.Int64
		feed := ledgerOf(t, counting.Rules{Legs: true}, func(f *facts.Fact, _ []metrics.Delta) {
			if f.Kind == facts.Call {
				counted.Add(1)
			}
		})
		loop := loopOfCalls(m, feed)
		loop.Start()
		for !feed.State().HistoryDone && time.Since(began) < 12*time.Hour {
			pass(t, time.Second)
		}
		loop.Stop()
		if n := counted.Load(); n != int64(len(m.rows)) {
			t.Errorf("after %s it is shown with %d of %d calls", time.Since(began), n, len(m.rows))
		}
	})
}

// loopOverLedger is a loop over a model provider, with a real ledger that continues where the
// model's state is.
func loopOverLedger(t *testing.T, m *model, count func(*facts.Fact, []metrics.Delta)) *Loop {
	t.Helper()
	feed, state := ledgerOf(t, counting.Rules{Legs: true}, count), m.state
	if _, err := feed.Commit(t.Context(), &Page{ObservedAt: time.Now(), Position: &Position{
		Watermark: state.Watermark, HistoryDone: true, Resume: state.Resume,
	}}); err != nil {
		t.Fatal(err)
	}
	return loopOfCalls(m, feed)
}

// loopOfCalls is a loop over a model provider whose calls have legs.
func loopOfCalls(m *model, feed *ledger.Feed) *Loop {
	return loopOver(m, minutely.Interval, minutely.Lookback, func(s *FeedSettings) {
		s.Ledger, s.Info.Settle, s.Info.WholeAfter = feed, settle, wholeAfter
		s.Info.Rules = counting.Rules{Legs: true}
	})
}

// ledgerOf is a feed of a new ledger.
func ledgerOf(t *testing.T, rules counting.Rules, count func(*facts.Fact, []metrics.Delta)) *ledger.Feed {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Settings{
		Storage: ledger.Storage{Folder: filepath.Join(t.TempDir(), "ledger")}, Now: time.Now,
		Options: metrics.Options{SeriesLimit: 1000, BypassWindow: time.Hour}, OnFact: count,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	feed, err := l.Feed(t.Context(), ledger.FeedSpec{Fingerprint: "one", Settings: counting.Settings{
		Rules: rules, Source: "contoso", Provider: "p", Feed: "calls", Currency: "EUR", History: 3 * day,
		Lookback: minutely.Lookback, LateAfter: time.Hour, Settle: settle, WholeAfter: wholeAfter,
	}})
	require.NoError(t, err)
	return feed
}
