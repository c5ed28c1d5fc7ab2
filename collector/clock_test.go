package collector

import (
	"bytes"
	"context"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

const day = 24 * time.Hour

// skewed is a clock that can be wrong.
type skewed struct{ by atomic.Int64 }

func (s *skewed) set(by time.Duration) { s.by.Store(int64(by)) }

func (s *skewed) now() time.Time { return time.Now().Add(time.Duration(s.by.Load())) }

// silent is a provider without calls.
type silent struct{}

func (silent) Pages(context.Context, time.Time, time.Time) iter.Seq2[*Page, error] {
	return func(func(*Page, error) bool) {}
}

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
		runFor(t, loop, 10*time.Minute)
		for _, r := range m.reads[1:] {
			if !near(r.to, r.at) {
				t.Errorf("at the provider's %s the range ends at %s", r.at, r.to)
			}
			if r.from.Location() != time.UTC || r.to.Location() != time.UTC {
				t.Errorf("a range in %s", r.from.Location())
			}
		}
		if behind := time.Since(m.State().Watermark); behind < 0 || behind > 2*time.Minute {
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
		inBubble(t, c.name, func(t *testing.T) {
			m := quiet(t, minutely, time.Now())
			var local skewed
			clock := NewClock(local.now, nil)
			m.clock = clock.Now
			loop := loopOver(m, time.Minute, 48*time.Hour, func(s *FeedSettings) { s.Clock = clock })
			loop.Start()
			pass(t, 5*time.Minute)
			before, reads := m.State().Watermark, len(m.done())
			local.set(c.skew)
			pass(t, 5*time.Minute)
			if n := len(m.done()) - reads; n < 4 {
				t.Errorf("%d reads in five minutes", n)
			}
			if now := m.State().Watermark; now.After(before.Add(time.Second)) != c.moves {
				t.Errorf("the watermark went from %s to %s, want it to move: %t", before, now, c.moves)
			}
			local.set(0)
			pass(t, 5*time.Minute)
			loop.Stop()
			if behind := time.Since(m.State().Watermark); !c.moves && behind > 2*time.Minute {
				t.Errorf("once the clock is right again the watermark is %s behind", behind)
			}
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

// TestRule10_AMachineThatSlept (counting.md 10): once its clock is right again, that isn't taken for a Date that jumps,
// weeks later.
func TestRule10_AMachineThatSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var local skewed
		var offset time.Duration
		c := NewClock(local.now, func() (time.Duration, bool) { return offset, true })
		type clocks struct{ slept, offset time.Duration }
		for _, now := range []clocks{{0, 0}, {10 * day, 0}, {10 * day, 3 * time.Second}} {
			local.set(now.slept)
			offset = now.offset
			for range 5 {
				pass(t, time.Minute)
				c.sampleDate()
			}
		}
		if earlier, later := c.times(); !later.Equal(earlier) || c.Offset() != offset {
			t.Errorf("the offset is %s, the times %s and %s", c.Offset(), earlier, later)
		}
	})
}

// TestRule10_AMachineThatSleepsEachNight (counting.md 10): without a provider's clock a leap of hours is
// believed, however many there were before, and no offset is shown. One of days isn't.
func TestRule10_AMachineThatSleepsEachNight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var local skewed
		c := NewClock(local.now, nil)
		for night := range 7 {
			local.set(time.Duration(night+1) * 9 * time.Hour)
			pass(t, 15*time.Hour)
			if earlier, later := c.times(); !earlier.Equal(local.now()) || !later.Equal(earlier) || c.Offset() != 0 {
				t.Fatalf("after %d nights the offset is %s, the times %s and %s", night+1, c.Offset(), earlier, later)
			}
		}
		local.set(365 * day)
		if earlier, later := c.times(); later.Sub(earlier) < 300*day {
			t.Errorf("a leap of a year is believed: the times are %s and %s", earlier, later)
		}
	})
}

// TestRule05_TheFirstPollOfEachFeedMovesNothing (counting.md 5, 10): the second feed of a source, whose clock is known
// already, sets its origin by it too before it plans.
func TestRule05_TheFirstPollOfEachFeedMovesNothing(t *testing.T) {
	clock := NewClock(time.Now, func() (time.Duration, bool) { return -3 * time.Hour, true })
	for _, name := range []string{"first feed", "second feed"} {
		p := &pages{}
		err := pollOnce(t, p, nil, func(s *FeedSettings) { s.Info.Reader, s.Clock = silent{}, clock })
		if err != nil || len(p.all) != 1 || p.all[0].Position != nil {
			t.Fatalf("%s: %d pages, %v", name, len(p.all), err)
		}
		if ago := time.Since(p.all[0].ObservedAt) - 3*time.Hour; ago.Abs() > time.Minute {
			t.Errorf("%s: the page was observed 3 h and %s ago by our clock, want 3 h", name, ago)
		}
	}
}

// wrongly is for how long our clock, or the provider's Date, is wrong. Afterwards both are right for a while.
type wrongly struct {
	local, date, lasts time.Duration
	shown              bool          // as an error
	counts             bool          // meanwhile all that is published at once
	restarts           bool          // meanwhile
	slept              time.Duration // the container before
}

// TestRule10_NoCallIsLostWhileAClockIsWrong (guarantee 7): whether it is our clock or the provider's Date, by little or
// by much, for long or not, also if a process begins with it. No position passes calls that are still to come, and the
// watermark isn't ahead afterwards. While a container is suspended the monotonic clock stops.
func TestRule10_NoCallIsLostWhileAClockIsWrong(t *testing.T) {
	const lookback, h, interval = time.Hour, time.Hour, time.Minute
	for _, c := range []struct {
		name   string
		strict bool // the provider refuses spans that are far from its time
		steps  []wrongly
	}{
		{"a Date ahead for a minute", false, []wrongly{{date: 50 * time.Minute, lasts: time.Minute}}},
		{"a Date days ahead for a minute", false, []wrongly{{date: 6 * day, lasts: time.Minute}}},
		{"a Date ahead by less than the lookback", false, []wrongly{{date: 50 * time.Minute, lasts: 3 * h}}},
		{"a Date ahead by more", false, []wrongly{{date: 2 * h, lasts: 3 * h, shown: true}}},
		{"a Date ahead by a year", false, []wrongly{{date: 400 * day, lasts: 3 * h, shown: true}}},
		{"ours back and forth", false, []wrongly{
			{local: -3 * h, lasts: h},
			{local: 3 * h, lasts: h, restarts: true},
			{local: -90 * time.Minute, lasts: h},
			{local: 90 * time.Minute, lasts: h, restarts: true},
		}},
		{"ours days ahead, then days ago", false, []wrongly{
			{local: 72 * h, lasts: h}, {local: 73 * h, lasts: h, restarts: true}, {local: -72 * h, lasts: h},
		}},
		{"ours a year behind at a start", false, []wrongly{
			{local: -400 * day, restarts: true}, {local: -400 * day, lasts: 2 * h, counts: true},
		}},
		{"ours months behind", true, []wrongly{{local: -100 * day, lasts: 2 * h, counts: true}}},
		{"ours months ahead", true, []wrongly{{local: 100 * day, lasts: 2 * h, counts: true}}},
		{"a container slept for minutes", false, []wrongly{{slept: 3 * time.Minute}}},
		{"a container slept for as long as the lookback", false, []wrongly{{slept: h}}},
		{"a container slept for hours", false, []wrongly{{slept: 5 * h}}},
		{"a container slept for days", false, []wrongly{{slept: 80 * h}}},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			var world, local, date skewed
			m := newModel(t, time.Now().Add(-lookback))
			m.prunes, m.clock = true, world.now
			slept := func() time.Duration { return time.Duration(world.by.Load()) }
			m.local = func() time.Time { return local.now().Add(slept()) }
			m.date = func() time.Time { return date.now().Add(slept()).Truncate(time.Second) }
			m.fault = func(from, to time.Time, _ int) error {
				if now := world.now(); c.strict && (now.Sub(from) > 90*day || to.Sub(now) > day) {
					return errProvider
				}
				return nil
			}
			traffic(m, time.Now().Add(c.steps[0].slept+10*h), time.Minute, lookback)
			l := loopOver(m, interval, lookback)
			l.Start()
			pass(t, h)
			for _, step := range c.steps {
				if step.slept > 0 {
					world.set(step.slept)
					pass(t, 4*time.Minute)
					if behind := world.now().Sub(m.State().Watermark); behind < 0 || behind > 4*interval {
						t.Errorf("four minutes later the watermark is %s behind", behind)
					}
				}
				local.set(step.local)
				date.set(step.date)
				pass(t, step.lasts)
				s := l.Status()
				if step.shown && (s.State != StateError || !strings.Contains(s.LastError, "differ by")) {
					t.Errorf("the state is %+v", s)
				}
				isLate := func(r modelRow) bool { return r.published.After(r.start) }
				left := slices.DeleteFunc(m.missing(world.now().Add(-5*time.Minute)), isLate)
				if step.counts && len(left) > 0 {
					t.Errorf("%d calls aren't counted while the clock is wrong", len(left))
				}
				if step.restarts {
					l.Stop()
					pass(t, 10*time.Minute)
					l = loopOver(m, interval, lookback)
					l.Start()
				}
			}
			local.set(0)
			date.set(0)
			pass(t, 3*lookback)
			l.Stop()
			m.wantWhole(t, world.now().Add(-lookback), time.Minute)
		})
	}
}

// TestRule10_AWatermarkAheadStepsBack: what an earlier version, or a copy of a ledger, left ahead of both clocks.
func TestRule10_AWatermarkAheadStepsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		ahead := time.Now().Add(144 * time.Hour)
		m.begin(&Page{ObservedAt: ahead, Position: &Position{Watermark: ahead}})
		traffic(m, time.Now().Add(time.Hour), time.Minute, time.Second)
		run(t, m, minutely, 3*time.Minute)
		m.wantWhole(t, time.Now().Add(-time.Minute), 2*time.Minute)
	})
}

// TestRule10_ASpanSteppedOverIsReadAgainInTime: a span that is stepped over while a Date is hours ahead is read again
// once it isn't.
func TestRule10_ASpanSteppedOverIsReadAgainInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := quiet(t, minutely, begin)
		bad := begin.Add(90 * time.Minute)
		m.fault = func(from, to time.Time, _ int) error {
			if time.Since(begin) < 209*time.Minute && !bad.Before(from) && bad.Before(to) {
				return errProvider
			}
			return nil
		}
		var date skewed
		m.date = date.now
		l := loopOver(m, time.Minute, day)
		l.Start()
		pass(t, 89*time.Minute)
		date.set(20 * time.Hour)
		pass(t, time.Hour)
		date.set(0)
		pass(t, 8*time.Hour)
		l.Stop()
		if left := l.Status().Unread; len(left) > 0 {
			t.Errorf("%v wasn't read again", left)
		}
	})
}
