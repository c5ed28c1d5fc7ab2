package collector

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
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
		lacking  time.Duration // when calls are that the provider counts and doesn't give; 0: there are none
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
		{
			name: "the watermark stands before missing rows", lacking: -time.Hour,
			legs:  []leg{{-10 * time.Minute, 70 * time.Minute}, {-10 * time.Minute, 73 * time.Minute}},
			after: settle, before: 3 * settle,
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
			count := func(f *facts.Fact) {
				switch {
				case f.Kind == facts.Call:
					counted.Store(time.Now().UnixNano())
				case read.Load() == 0:
					read.Store(time.Now().UnixNano())
				}
			}
			loop := loopOfCalls(m, count, func(s *FeedSettings) {
				if c.lacking != 0 {
					s.Info.Reader, _ = lackingUntil(m, noon.Add(c.lacking), noon.Add(day))
				}
			})
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
		loop := loopOfCalls(m, func(*facts.Fact) {})
		loop.Start()
		for len(loop.state().Spans) == 0 {
			pass(t, time.Minute)
		}
		before, reads := m.moves(), len(m.done())
		pass(t, time.Hour)
		loop.Stop()
		if made, polls := m.moves()-before, len(m.done())-reads; made > polls {
			t.Errorf("%d positions were committed in %d reads", made, polls)
		}
	})
}

// TestAFirstHistoryOfCallsIsShownAsAWhole (counting.md 20): while the calls of a first history wait for one more deep
// read, and that takes longer than `settle`, the reads of the newest calls in between don't show it.
func TestAFirstHistoryOfCallsIsShownAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m := newModel(t, began.Add(-24*time.Hour))
		m.latency, m.pageSize, m.limits.MaxRange = 15*time.Second, 10, 2*time.Hour
		for i := range 300 {
			at := began.Add(time.Duration(3*i-1000) * time.Minute)
			m.rows = append(m.rows, modelRow{id: fmt.Sprint(i), call: fmt.Sprint("call ", i), start: at, published: at})
		}
		var counted atomic.Int64
		loop := loopOfCalls(m, func(f *facts.Fact) {
			if f.Kind == facts.Call {
				counted.Add(1)
			}
		})
		loop.Start()
		for !m.State().HistoryDone && time.Since(began) < 12*time.Hour {
			pass(t, time.Second)
		}
		loop.Stop()
		if n := counted.Load(); n != int64(len(m.rows)) {
			t.Errorf("after %s it is shown with %d of %d calls", time.Since(began), n, len(m.rows))
		}
	})
}

// loopOfCalls is a loop over a model provider whose calls have legs. fact gets what is counted.
func loopOfCalls(m *model, fact func(*facts.Fact), change ...func(*FeedSettings)) *Loop {
	m.fact, m.spec.Rules, m.spec.Settle, m.spec.WholeAfter = fact, counting.Rules{Legs: true}, settle, wholeAfter
	return loopOver(m, minutely.Interval, minutely.Lookback, append(change, func(s *FeedSettings) {
		s.Info.Rules, s.Info.Settle, s.Info.WholeAfter = m.spec.Rules, settle, wholeAfter
	})...)
}
