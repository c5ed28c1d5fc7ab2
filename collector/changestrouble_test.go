package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

// A drain that never ends starves no range, and isn't starved by a long history.
func TestChanges_ADrainThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := newChanging(newModel(time.Now().Add(-30 * 24 * time.Hour)))
		of.latency, of.pageSize, of.size = 2*time.Second, 20, 20
		began := time.Now()
		traffic(of.model, began.Add(5*time.Hour), 5*time.Minute, 48*time.Hour)
		of.more = func() bool { return true }
		loop := syncLoop(of, minutely)
		loop.Start()
		pass(t, 5*time.Hour)
		loop.Stop()
		if loop.Status().Reads != "ranges" || !of.state.HistoryDone {
			t.Errorf("%s are read; the history is done: %t", loop.Status().Reads, of.state.HistoryDone)
		}
		for i := 1; i < len(of.asked); i++ {
			if gap := of.asked[i].at.Sub(of.asked[i-1].ended); gap > of.took()+time.Minute {
				t.Errorf("a step waited for %s, though a read takes %s", gap, of.took())
			}
		}
		last := time.Time{}
		for _, r := range of.reads[1:] {
			if r.at.Sub(r.to) > time.Minute {
				continue // a piece of the history
			}
			if gap := r.at.Sub(last); !last.IsZero() && gap > 3*time.Minute {
				t.Errorf("%s passed between two ranges up to now", gap)
			}
			last = r.at
		}
		if behind := time.Since(of.state.Watermark); behind > 2*time.Minute || len(of.broken) > 0 {
			t.Errorf("the watermark is %s behind; %v", behind, of.broken)
		}
	})
}

// A long first history is left to ranges; changes are read beside it, from a catch-up's
// reach, and don't end it.
func TestChanges_TheFirstHistoryIsReadByRanges(t *testing.T) {
	for _, history := range []time.Duration{24 * time.Hour, 90 * 24 * time.Hour} {
		t.Run(history.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				of := newChanging(newModel(began.Add(-history)))
				of.latency, of.pageSize = 2*time.Second, 20
				traffic(of.model, began.Add(3*time.Hour), 10*time.Minute, 48*time.Hour)
				loop := syncLoop(of, minutely)
				loop.Start()
				pass(t, 3*time.Hour)
				loop.Stop()
				if of.asked[0].at.Sub(began) > 10*time.Second {
					t.Errorf("changes are first asked for after %s", of.asked[0].at.Sub(began))
				}
				if from, want := of.asked[0].from, plan.Latest(of.state.Origin, began.Add(-60*time.Hour)); from.Sub(want).Abs() > 10*time.Second {
					t.Errorf("changes are read from %s before the start, want %s", began.Sub(from), began.Sub(want))
				}
				read, whole := time.Time{}, time.Time{}
				for _, r := range of.reads {
					read = plan.Latest(read, r.to)
					if whole.IsZero() && near(r.from, of.state.Origin) {
						whole = r.at
					}
				}
				if whole.IsZero() || !of.state.HistoryDone {
					t.Errorf("ranges came to the origin at %s; done is %t", whole, of.state.HistoryDone)
				}
				if behind := time.Since(of.state.Watermark); behind > 2*time.Minute || len(of.broken) > 0 {
					t.Errorf("the watermark is %s behind; %v", behind, of.broken)
				}
				if missing := of.missing(time.Now().Add(-2 * time.Minute)); len(missing) > 0 {
					t.Errorf("%d calls are missing", len(missing))
				}
			})
		})
	}
}

// A drain that fails is tried again with the next poll, then more seldom, while ranges take
// over at once; when it works again they are left to it.
func TestChanges_StepsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t, func(s *FeedSettings) { s.Random = func() float64 { return 0 } })
		of.mu.Lock()
		of.answer = func(string) error { return errProvider }
		asked, reads := len(of.asked), len(of.reads)
		of.mu.Unlock()
		pass(t, time.Minute+10*time.Second)
		if s := loop.Status(); s.Reads != "ranges" || s.State != StateError || s.LastError != errProvider.Error() {
			t.Errorf("while changes fail, %s are read; the state is %s: %s", s.Reads, s.State, s.LastError)
		}
		pass(t, 9*time.Minute)
		of.mu.Lock()
		of.answer = nil
		var gaps []time.Duration
		for i := asked + 1; i < len(of.asked); i++ {
			gaps = append(gaps, of.asked[i].at.Sub(of.asked[i-1].at).Round(time.Second))
		}
		short := len(of.reads) - reads
		of.mu.Unlock()
		if len(gaps) < 6 || slices.Min(gaps) < time.Minute || slices.Max(gaps) > 2*time.Minute {
			t.Errorf("changes are asked for again after %v", gaps)
		}
		if short < 10 {
			t.Errorf("%d ranges were read in ten minutes without changes", short)
		}
		pass(t, 2*time.Minute)
		if s := loop.Status(); s.Reads != "changes" || s.State != StateOK {
			t.Errorf("when they work again %s are read; the state is %s: %s", s.Reads, s.State, s.LastError)
		}
		loop.Stop()
	})
}

// The bound on delays holds while changes fail.
func TestChanges_DelaysWhileStepsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := newChanging(quiet(t, minutely, time.Now()))
		of.latency = 200 * time.Millisecond
		began := time.Now()
		traffic(of.model, began.Add(4*24*time.Hour), 3*time.Minute, 48*time.Hour)
		fails := false
		of.answer = func(string) error {
			if fails {
				return errProvider
			}
			return nil
		}
		loop := syncLoop(of, minutely)
		loop.Start()
		for i := range 22 {
			pass(t, time.Duration(1+i%7)*time.Hour)
			of.mu.Lock()
			fails = !fails
			of.mu.Unlock()
		}
		loop.Stop()
		of.seenInTime(t, began, func(late time.Duration) time.Duration { return max(late/4, time.Minute) })
	})
}

// Ranges that fail leave changes alone, and the other way round.
func TestChanges_RangesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		of.mu.Lock()
		of.fault = func(time.Time, time.Time, int) error { return errProvider }
		began := time.Now()
		traffic(of.model, began.Add(48*time.Hour), time.Minute, 24*time.Hour)
		of.mu.Unlock()
		pass(t, 40*time.Hour)
		if s := loop.Status(); s.Reads != "changes" || s.State != StateError {
			t.Errorf("%s are read; the state is %s", s.Reads, s.State)
		}
		// Up to what the deepest level may still find.
		deepest := began.Add(-10 * time.Minute)
		if at := of.State().Watermark; at.After(deepest.Add(12*time.Hour+time.Minute)) || at.Before(deepest.Add(11*time.Hour)) {
			t.Errorf("the watermark is %s after the last deep read", at.Sub(deepest))
		}
		of.mu.Lock()
		of.fault = nil
		of.mu.Unlock()
		pass(t, 8*time.Hour)
		loop.Stop()
		of.seenInTime(t, began, func(time.Duration) time.Duration { return time.Minute })
		if behind := time.Since(of.state.Watermark); behind > 2*time.Minute {
			t.Errorf("when ranges work again the watermark is %s behind", behind)
		}
	})
}

// Changes aren't asked for before the time that the provider named. (Ranges are held up by the HTTP client.)
func TestChanges_RetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		of.mu.Lock()
		of.answer = func(string) error {
			of.answer = nil
			return fmt.Errorf("sync: %w", &httpclient.Error{Kind: httpclient.KindThrottled, Status: 429, RetryAfter: 20 * time.Minute})
		}
		asked := len(of.asked)
		of.mu.Unlock()
		pass(t, 19*time.Minute)
		if n := len(of.requests()) - asked; n != 1 {
			t.Errorf("%d requests for changes", n)
		}
		pass(t, 4*time.Minute)
		if n := len(of.requests()) - asked; n < 3 {
			t.Errorf("after the wait: %d requests for changes", n)
		}
		loop.Stop()
	})
}

// A provider that doesn't go on is asked ever more slowly; what it brought is counted.
func TestChanges_AProviderThatDoesNotGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		asked := 0
		loop := loopOver(m, time.Minute, 48*time.Hour, func(s *FeedSettings) {
			s.Info.Sync = func(context.Context, string, time.Time) (*Page, SyncPosition, error) {
				asked++
				return &Page{}, SyncPosition{Token: "same", More: true}, nil
			}
		})
		loop.Start()
		pass(t, 10*time.Minute)
		if s := loop.Status(); s.State != StateError || s.LastError != errStuck.Error() {
			t.Errorf("the state is %s: %s", s.State, s.LastError)
		}
		loop.Stop()
		if asked < 10 || asked > 22 {
			t.Errorf("it was asked %d times in ten minutes", asked)
		}
	})
}

// What is told of a poll that was stopped, or whose commit failed, is the loop's
// business: the drain doesn't back off.
func TestChanges_StoppedOrFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		loop.Stop()
		feed := loop.feed.(*RangeFeed)
		pass(t, time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		of.latency = time.Second
		if err := feed.Poll(ctx); !errors.Is(err, context.Canceled) || feed.changes.failures > 0 {
			t.Errorf("the error is %v, after which %d steps have failed", err, feed.changes.failures)
		}
	})
}
