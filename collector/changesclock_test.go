package collector

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting.md 10: a time in doubt moves no watermark, and changes are counted meanwhile.
func TestRule10_ChangesWhileTheTimeIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		var wrong atomic.Int64
		m.date = func() time.Time { return time.Now().Add(time.Duration(wrong.Load())).Truncate(time.Second) }
		for i := range 80 {
			at := time.Now().Add(time.Duration(i) * time.Minute)
			m.rows = append(m.rows, modelRow{id: fmt.Sprint(i), start: at, published: at})
		}
		of := newChanging(m)
		loop := syncLoop(of, minutely)
		loop.Start()
		pass(t, 10*time.Minute)
		before := of.State()
		wrong.Store(int64(365 * 24 * time.Hour))
		pass(t, 50*time.Minute)
		if s := loop.Status(); s.State != StateError || !strings.Contains(s.LastError, "differ by more than") || s.Reads != "changes" {
			t.Errorf("status %+v", s)
		}
		now := of.State()
		// The first wrong Dates may still be outvoted by right ones.
		if moved := now.Watermark.Sub(before.Watermark); moved > 5*time.Minute {
			t.Errorf("the watermark moved by %s", moved)
		}
		if n := now.Records - before.Records; n < 48 {
			t.Errorf("%d calls were counted in 50 minutes", n)
		}
		wrong.Store(0)
		pass(t, 10*time.Minute)
		loop.Stop()
		if behind := time.Since(m.state.Watermark); behind < 0 || behind > 2*time.Minute || len(m.broken) > 0 {
			t.Errorf("with right Dates again the watermark is %s behind; %v", behind, m.broken)
		}
	})
}

// counting.md 10: a drain that our clock is set during, or that took long, moves the
// watermark to when it began by the provider's time.
func TestRule10_OurClockIsSetInMidDrain(t *testing.T) {
	for _, skew := range []time.Duration{-5 * 24 * time.Hour, -time.Minute, time.Minute, 5 * 24 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := quiet(t, minutely, time.Now())
				var set atomic.Int64
				m.local = func() time.Time { return time.Now().Add(time.Duration(set.Load())) }
				traffic(m, time.Now().Add(2*time.Hour), 10*time.Second, time.Second)
				of := newChanging(m)
				of.latency, of.size = 2*time.Second, 3
				steps := 0
				of.answer = func(string) error {
					if steps++; steps%40 == 0 {
						set.Store(int64(skew) - set.Load())
					}
					return nil
				}
				loop := syncLoop(of, minutely)
				loop.Start()
				pass(t, 2*time.Hour)
				loop.Stop()
				if behind := time.Since(m.state.Watermark); behind > 5*time.Minute || len(m.broken) > 0 || steps < 200 {
					t.Errorf("after %d steps the watermark is %s behind; %v", steps, behind, m.broken)
				}
			})
		})
	}
}

// counting.md 5, 10: the first commit of a new feed sets its origin by the provider's
// clock: a short range comes before the first changes.
func TestRule05_AFirstReadSetsTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(time.Now().Add(-24 * time.Hour))
		m.clock = func() time.Time { return time.Now().Add(-3 * time.Hour) }
		m.date = m.clock
		of := newChanging(m)
		sink := &committed{state: m.State()}
		loop := syncLoop(of, minutely, func(s *FeedSettings) { s.Ledger = sink })
		poll := func() {
			if err := loop.feed.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		poll()
		for i, page := range sink.all {
			if page.Position != nil || time.Since(page.ObservedAt).Round(time.Second) != 3*time.Hour {
				t.Errorf("commit %d of %d: %+v", i, len(sink.all), page)
			}
		}
		if len(sink.all) == 0 || len(of.asked) > 0 {
			t.Errorf("%d commits, %d requests for changes", len(sink.all), len(of.asked))
		}
		poll() // then everything moves
		if last := sink.all[len(sink.all)-1]; last.Position == nil || len(of.asked) == 0 {
			t.Errorf("the last of %d commits has no position; %d requests for changes", len(sink.all), len(of.asked))
		}
	})
}
