package collector

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

func TestRule10_TheProvidersTimeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead = 3 * time.Hour
		m := quiet(t, minutely, time.Now().Add(ahead))
		m.clock = func() time.Time { return time.Now().Add(ahead) }
		m.date = func() time.Time { return m.clock().Truncate(time.Second) }
		// Our clock shows another zone, too.
		m.local = func() time.Time { return time.Now().In(time.FixedZone("somewhere", -5*3600)) }
		var log bytes.Buffer
		seen := newObserved()
		loop := loopOver(m, time.Minute, 48*time.Hour, func(s *FeedSettings) {
			s.Logger, s.Own = slog.New(slog.NewTextHandler(&log, nil)), seen.Feed
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
		if behind := m.clock().Sub(m.state.Watermark); behind < 0 || behind > 2*time.Minute {
			t.Errorf("the watermark is %s behind the provider's time", behind)
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

func TestRule10_OurClockIsSet(t *testing.T) {
	for _, skew := range []time.Duration{-5 * 24 * time.Hour, -10 * time.Minute, -30 * time.Second, 30 * time.Second, 10 * time.Minute, 5 * 24 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := quiet(t, minutely, time.Now())
				var set atomic.Int64
				m.local = func() time.Time { return time.Now().Add(time.Duration(set.Load())) }
				traffic(m, time.Now().Add(4*time.Hour), time.Minute, time.Second)
				loop := loopOver(m, time.Minute, 48*time.Hour)
				loop.Start()
				pass(t, 30*time.Minute)
				before := len(m.done())
				set.Store(int64(skew))
				pass(t, 10*time.Minute)
				for _, r := range m.done()[before+3:] { // by then the provider has been asked often enough
					if !near(r.to, r.at) {
						t.Errorf("at %s the range ends at %s", r.at, r.to)
					}
				}
				if n := len(m.done()) - before; n < 9 || n > 20 {
					t.Errorf("%d reads in ten minutes", n)
				}
				set.Store(0)
				pass(t, 10*time.Minute)
				loop.Stop()
				if behind := time.Since(m.state.Watermark); behind > 2*time.Minute {
					t.Errorf("the watermark is %s behind", behind)
				}
				for _, problem := range m.broken {
					t.Error(problem)
				}
			})
		})
	}
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

func TestRule10_OneWrongDateChangesNothing(t *testing.T) {
	offset := time.Duration(0)
	c := NewClock(time.Now, func() (time.Duration, bool) { return offset, true })
	for i, one := range []struct{ offset, want time.Duration }{
		{-500 * time.Millisecond, 0}, // a Date is cut to the second
		{-300 * time.Millisecond, 0},
		{-26 * time.Hour, 0}, // one front end
		{-400 * time.Millisecond, 0},
		{900 * time.Millisecond, 0},
		{3 * time.Hour, 0},
		{3*time.Hour + time.Millisecond, 3 * time.Hour}, // it is so
		{3*time.Hour - time.Second, 3 * time.Hour},
	} {
		offset = one.offset
		began := time.Now()
		if now := c.sample(); !near(now, began.Add(one.offset)) || c.Offset() != one.want {
			t.Errorf("sample %d, of %s: the time is %s, the offset %s, want %s", i, one.offset, now, c.Offset(), one.want)
		}
	}
}

// TestRule10_TheProvidersDateGoesBack, and stays there for a while: reading goes
// on once a minute, and the watermark waits.
func TestRule10_TheProvidersDateGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		var lie atomic.Int64
		m.date = func() time.Time { return time.Now().Add(time.Duration(lie.Load())) }
		l := loopOver(m, time.Minute, 48*time.Hour)
		l.Start()
		pass(t, 10*time.Minute)
		before, reads := m.State().Watermark, len(m.done())
		lie.Store(int64(-26 * time.Hour))
		pass(t, 30*time.Minute)
		if n := len(m.done()) - reads; n < 29 || n > 40 {
			t.Errorf("%d reads in 30 minutes", n)
		}
		if now := m.State().Watermark; now.After(before.Add(time.Minute)) {
			t.Errorf("the watermark went from %s to %s", before, now)
		}
		lie.Store(0)
		pass(t, 10*time.Minute)
		l.Stop()
		if behind := time.Since(m.state.Watermark); behind > 2*time.Minute {
			t.Errorf("the watermark is %s behind", behind)
		}
	})
}

// TestRule10_OfTwoDatesTheFirstStays: after a start, too, one that is wrong
// changes nothing.
func TestRule10_OfTwoDatesTheFirstStays(t *testing.T) {
	for _, second := range []time.Duration{-26 * time.Hour, 26 * time.Hour} {
		offset := 3 * time.Hour
		c := NewClock(time.Now, func() (time.Duration, bool) { return offset, true })
		c.sample()
		offset = second
		c.sample()
		if c.Offset() != 3*time.Hour {
			t.Errorf("after one of %s the offset is %s, want 3h", second, c.Offset())
		}
	}
}
