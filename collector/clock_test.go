package collector

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/long"
)

// TestRule10_NeitherClockIsBelievedAlone: spans are read up to the later clock, and the watermark
// moves up to the earlier one.
func TestRule10_NeitherClockIsBelievedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead = 3 * time.Hour
		m := quiet(t, minutely, time.Now())
		m.clock = func() time.Time { return time.Now().Add(ahead) }
		m.date = func() time.Time { return m.clock().Truncate(time.Second) }
		// Our clock shows another zone, too.
		m.local = func() time.Time { return time.Now().In(time.FixedZone("somewhere", -5*3600)) }
		var log bytes.Buffer
		seen := newObserved()
		loop := loopOver(m, time.Minute, 48*time.Hour, func(s *FeedSettings) {
			s.Logger, s.Metrics = slog.New(slog.NewTextHandler(&log, nil)), seen.FeedMetrics
		})
		loop.Start()
		pass(t, 10*time.Minute)
		loop.Stop()
		for _, r := range m.reads[1:] {
			if !near(r.to, r.at) {
				t.Errorf("at the provider's %s the range ends at %s", r.at, r.to)
			}
			if r.from.Location() != time.UTC || r.to.Location() != time.UTC {
				t.Errorf("a range in %s", r.from.Location())
			}
		}
		if behind := time.Since(m.state.Watermark); behind < 0 || behind > 2*time.Minute {
			t.Errorf("the watermark is %s behind our time, which is the earlier one", behind)
		}
		shown := seen.duration(metrics.ClockOffset)
		if (shown - ahead).Abs() > time.Second {
			t.Errorf("the offset is shown as %s", shown)
		}
		if n := strings.Count(log.String(), "clock differs"); n != 1 {
			t.Errorf("the offset was logged %d times", n)
		}
	})
}

// TestRule10_ALeapThatNoDateConfirms: reading goes on, the watermark doesn't move.
func TestRule10_ALeapThatNoDateConfirms(t *testing.T) {
	for _, c := range []struct {
		name  string
		skew  time.Duration
		moves bool
	}{
		{"ahead by more than the lookback", 49 * time.Hour, false},
		{"ahead by less", 47 * time.Hour, true},
		{"back behind the watermark", -6 * time.Minute, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := quiet(t, minutely, time.Now())
				var set atomic.Int64
				clock := NewClock(func() time.Time { return time.Now().Add(time.Duration(set.Load())) }, nil)
				m.clock = clock.Now
				loop := loopOver(m, time.Minute, 48*time.Hour, func(s *FeedSettings) { s.Clock = clock })
				loop.Start()
				pass(t, 5*time.Minute)
				before, reads := m.State().Watermark, len(m.done())
				set.Store(int64(c.skew))
				pass(t, 5*time.Minute)
				if n := len(m.done()) - reads; n < 4 {
					t.Errorf("%d reads in five minutes", n)
				}
				if now := m.State().Watermark; now.After(before.Add(time.Second)) != c.moves {
					t.Errorf("the watermark went from %s to %s, want it to move: %t", before, now, c.moves)
				}
				set.Store(0)
				pass(t, 5*time.Minute)
				loop.Stop()
				if behind := time.Since(m.state.Watermark); !c.moves && behind > 2*time.Minute {
					t.Errorf("once the clock is right again the watermark is %s behind", behind)
				}
			})
		})
	}
}

// TestRule10_OneWrongDateChangesNothing: front ends of one provider that disagree are one provider.
// One Date alone changes nothing; of two that differ neither is believed.
func TestRule10_OneWrongDateChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const h = time.Hour
		offset := time.Duration(0)
		c := NewClock(time.Now, func() (time.Duration, bool) { return offset, true })
		for i, one := range []struct{ offset, earlier, later time.Duration }{
			{-500 * time.Millisecond, 0, 0}, // a Date is cut to the second
			{-300 * time.Millisecond, 0, 0},
			{200 * time.Millisecond, 0, 0},
			{-26 * h, 0, 0}, // one front end
			{900 * time.Millisecond, 0, 0},
			{3 * h, 0, 0},
			{3*h + time.Millisecond, 0, 3 * h},
			{-26 * h, -26 * h, 3 * h}, // the second one within five
			{0, 0, 3 * h},
			{3 * h, 0, 3 * h},
			{3 * h, 0, 3 * h},
			{3 * h, 0, 3 * h},
		} {
			offset = one.offset
			c.sampleDate()
			earlier, later := c.times()
			if got := time.Until(earlier) - one.earlier; got.Abs() > time.Second {
				t.Errorf("sample %d, of %s: the earlier time is off by %s", i, one.offset, got)
			}
			if got := time.Until(later) - one.later; got.Abs() > time.Second {
				t.Errorf("sample %d, of %s: the later time is off by %s", i, one.offset, got)
			}
		}
	})
}

// TestRule10_ADateAheadLosesNothing (guarantee 7): a provider's Date that runs ahead by more than
// the lookback for longer than that moves no position past calls that are still to come; no call is
// lost, and the watermark isn't ahead afterwards.
func TestRule10_ADateAheadLosesNothing(t *testing.T) {
	for _, ahead := range []time.Duration{50 * time.Minute, 2 * time.Hour, 6 * 24 * time.Hour, 400 * 24 * time.Hour} {
		for _, lasts := range []time.Duration{15 * time.Second, 3 * time.Hour} {
			t.Run(fmt.Sprint(ahead, " for ", lasts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const lookback = time.Hour
					begin := time.Now()
					m := newModel(begin.Add(-lookback))
					m.keep = 2 * lookback
					var lie atomic.Int64
					m.date = func() time.Time { return time.Now().Add(time.Duration(lie.Load())).Truncate(time.Second) }
					traffic(m, begin.Add(lasts+4*lookback), 30*time.Second, lookback)
					l := loopOver(m, 5*time.Second, lookback)
					l.Start()
					pass(t, lookback)
					lie.Store(int64(ahead))
					pass(t, lasts)
					if got := l.Status(); lasts > time.Minute && ahead > lookback &&
						(got.State != StateError || !strings.Contains(got.LastError, "differ by")) {
						t.Errorf("the state is %+v", got)
					}
					lie.Store(0)
					pass(t, 3*lookback)
					l.Stop()
					for _, problem := range m.broken {
						t.Error(problem)
					}
					if left := m.missing(time.Now().Add(-lookback)); len(left) > 0 || m.tooOld > 0 {
						t.Errorf("%d of %d calls are missing, %d were too old", len(left), len(m.rows), m.tooOld)
					}
					if behind := time.Since(m.state.Watermark); behind < -time.Second || behind > time.Minute {
						t.Errorf("the watermark is %s behind", behind)
					}
				})
			})
		}
	}
}

// TestRule10_AWatermarkAheadStepsBack: what an earlier version, or a copy of a ledger, left ahead of both clocks.
func TestRule10_AWatermarkAheadStepsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		m.state.Watermark = time.Now().Add(144 * time.Hour)
		traffic(m, time.Now().Add(time.Hour), time.Minute, time.Second)
		l := loopOver(m, time.Minute, 48*time.Hour)
		l.Start()
		pass(t, 3*time.Minute)
		if behind := time.Since(m.State().Watermark); behind < 0 || behind > 2*time.Minute {
			t.Errorf("the watermark is %s behind", behind)
		}
		pass(t, time.Hour)
		l.Stop()
		if left := m.missing(time.Now().Add(-time.Minute)); len(left) > 0 {
			t.Errorf("%d calls are missing", len(left))
		}
	})
}

// TestRule10_TheMachinesClockIsWrong: it is set back and forth by hours, and the process is
// restarted meanwhile. No call is lost or counted twice.
func TestRule10_TheMachinesClockIsWrong(t *testing.T) {
	const lookback = 2 * time.Hour
	for _, c := range []struct {
		name  string
		steps []time.Duration // the local clock's error, each for an hour
	}{
		{"back and forth by hours", []time.Duration{
			-3 * time.Hour, 3 * time.Hour, -90 * time.Minute, 90 * time.Minute,
			0,
		}},
		{"ahead by days and back", []time.Duration{72 * time.Hour, 73 * time.Hour, -72 * time.Hour, 0}},
		{"by minutes", []time.Duration{3 * time.Minute, -4 * time.Minute, 7 * time.Minute, -time.Minute, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				m := newModel(begin.Add(-lookback))
				m.keep = 2 * lookback
				var skew atomic.Int64
				m.local = func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
				traffic(m, begin.Add(time.Duration(2*len(c.steps)+8)*time.Hour), 20*time.Second, lookback)
				l := loopOver(m, 10*time.Second, lookback)
				l.Start()
				pass(t, time.Hour)
				for i, step := range c.steps {
					skew.Store(int64(step))
					pass(t, time.Hour)
					if i%2 == 1 {
						l.Stop()
						pass(t, 10*time.Minute)
						l = loopOver(m, 10*time.Second, lookback)
						l.Start()
					}
				}
				pass(t, 2*lookback)
				l.Stop()
				for _, problem := range m.broken {
					t.Error(problem)
				}
				if left := m.missing(time.Now().Add(-lookback)); len(left) > 0 || m.tooOld > 0 {
					t.Errorf("%d of %d calls are missing, %d were too old", len(left), len(m.rows), m.tooOld)
				}
				if behind := time.Since(m.state.Watermark); behind < 0 || behind > time.Minute {
					t.Errorf("the watermark is %s behind", behind)
				}
			})
		})
	}
}

// TestRule10_AContainerIsSuspended: the monotonic clock stops, and so do both loops; afterwards our
// clock and the provider's Date agree again, hours later. The time extrapolated by the monotonic clock
// is wrong then. It must move nothing.
func TestRule10_AContainerIsSuspended(t *testing.T) {
	for _, slept := range []time.Duration{3 * time.Minute, 5 * time.Hour, 80 * time.Hour} {
		t.Run(slept.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const lookback = 2 * time.Hour
				var suspended atomic.Int64 // what the world's clock is ahead of the monotonic one
				world := func() time.Time { return time.Now().Add(time.Duration(suspended.Load())) }
				begin := time.Now()
				m := newModel(begin.Add(-lookback))
				m.keep, m.clock, m.local, m.date = 200*time.Hour, world, world, world
				traffic(m, begin.Add(slept+6*time.Hour), time.Minute, lookback)
				l := loopOver(m, 10*time.Second, lookback)
				l.Start()
				pass(t, time.Hour)
				suspended.Store(int64(slept))
				pass(t, time.Minute)
				if behind := world().Sub(m.State().Watermark); behind < 0 || behind > 20*time.Second {
					t.Errorf("a minute later the watermark is %s behind", behind)
				}
				pass(t, 2*lookback)
				l.Stop()
				for _, problem := range m.broken {
					t.Error(problem)
				}
				if left := m.missing(world().Add(-lookback)); len(left) > 0 || m.tooOld > 0 {
					t.Errorf("%d of %d calls are missing, %d were too old", len(left), len(m.rows), m.tooOld)
				}
			})
		})
	}
}

// TestRule10_TheProviderRefusesWhatAWrongClockAsksFor: calls are counted by the other clock meanwhile.
func TestRule10_TheProviderRefusesWhatAWrongClockAsksFor(t *testing.T) {
	for _, skew := range []time.Duration{-100 * 24 * time.Hour, 100 * 24 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				m := quiet(t, minutely, begin)
				m.fault = func(from, to time.Time, _ int) error {
					if time.Since(from) > 90*24*time.Hour || time.Until(to) > 24*time.Hour {
						return errProvider
					}
					return nil
				}
				traffic(m, begin.Add(5*time.Hour), time.Minute, time.Second)
				var local atomic.Int64
				m.local = func() time.Time { return time.Now().Add(time.Duration(local.Load())) }
				l := loopOver(m, time.Minute, 48*time.Hour)
				l.Start()
				pass(t, time.Hour)
				local.Store(int64(skew))
				pass(t, 2*time.Hour)
				if left := m.missing(time.Now().Add(-5 * time.Minute)); len(left) > 0 {
					t.Errorf("%d calls aren't counted while the clock is wrong", len(left))
				}
				local.Store(0)
				pass(t, 2*time.Hour)
				l.Stop()
				if left := m.missing(time.Now().Add(-5 * time.Minute)); len(left) > 0 {
					t.Errorf("%d calls are missing", len(left))
				}
				if behind := time.Since(m.state.Watermark); behind < 0 || behind > 2*time.Minute {
					t.Errorf("the watermark is %s behind", behind)
				}
			})
		})
	}
}

// TestRule10_ASpanSteppedOverIsReadAgainInTime: a span that is stepped over while a Date is days
// ahead is read again once it isn't.
func TestRule10_ASpanSteppedOverIsReadAgainInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := quiet(t, minutely, begin)
		bad := begin.Add(90 * time.Minute).Truncate(time.Second)
		var healed atomic.Bool
		m.fault = func(from, to time.Time, _ int) error {
			if !healed.Load() && !bad.Before(from) && bad.Before(to) {
				return errProvider
			}
			return nil
		}
		var lie atomic.Int64
		m.date = func() time.Time { return time.Now().Add(time.Duration(lie.Load())) }
		l := loopOver(m, time.Minute, 24*time.Hour)
		l.Start()
		pass(t, 89*time.Minute)
		lie.Store(int64(20 * time.Hour))
		pass(t, time.Hour)
		lie.Store(0)
		pass(t, time.Hour)
		healed.Store(true)
		pass(t, 7*time.Hour)
		l.Stop()
		if left := l.Status().Unread; len(left) > 0 {
			t.Errorf("%v wasn't read again", left)
		}
	})
}

// TestRule10_OneOfTheClocksIsWrong, now the one and now the other, by minutes or a year, while
// single front ends disagree and the process is restarted: no call is lost or counted twice, and
// the watermark never goes past the true time.
func TestRule10_OneOfTheClocksIsWrong(t *testing.T) {
	for seed := range long.Seeds(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const lookback, interval, lasts = time.Hour, 20 * time.Second, 10 * time.Hour
				random, begin := seeded(seed), time.Now()
				var local, date atomic.Int64
				m := newModel(begin.Add(-lookback))
				m.keep = 2 * lookback
				m.local = func() time.Time { return time.Now().Add(time.Duration(local.Load())) }
				fronts := seeded(seed + 100)
				m.date = func() time.Time {
					if fronts.IntN(50) == 0 { // of many front ends one
						return time.Now().Add(5 * 24 * time.Hour)
					}
					return time.Now().Add(time.Duration(date.Load())).Truncate(time.Second)
				}
				traffic(m, begin.Add(lasts+4*lookback), 30*time.Second, lookback)
				l := loopOver(m, interval, lookback)
				l.Start()
				for time.Since(begin) < lasts {
					wrong := &local
					if random.IntN(2) == 0 {
						wrong = &date
					}
					by := []time.Duration{
						3 * time.Minute, 40 * time.Minute, 3 * time.Hour, 6 * 24 * time.Hour,
						400 * 24 * time.Hour,
					}[random.IntN(5)]
					if random.IntN(2) == 0 {
						by = -by
					}
					wrong.Store(int64(by))
					pass(t, time.Duration(random.ExpFloat64()*float64(20*time.Minute)))
					if random.IntN(3) == 0 {
						l.Stop()
						pass(t, time.Duration(random.ExpFloat64()*float64(5*time.Minute)))
						l = loopOver(m, interval, lookback)
						l.Start()
						pass(t, 10*interval)
					}
					wrong.Store(0)
					pass(t, 10*interval+time.Duration(random.ExpFloat64()*float64(20*time.Minute)))
				}
				pass(t, 3*lookback)
				l.Stop()
				for _, problem := range m.broken {
					t.Error(problem)
				}
				if left := m.missing(time.Now().Add(-lookback)); len(left) > 0 || m.tooOld > 0 {
					t.Errorf("%d of %d calls are missing, %d were too old", len(left), len(m.rows), m.tooOld)
				}
				if behind := time.Since(m.state.Watermark); behind < -time.Second || behind > time.Minute {
					t.Errorf("the watermark is %s behind", behind)
				}
			})
		})
	}
}
