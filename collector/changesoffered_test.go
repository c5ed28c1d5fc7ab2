package collector

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// TestRule11_OfferedOrNot: switching either way leaves no gap, counts nothing twice
// and keeps the bound on delays.
func TestRule11_OfferedOrNot(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprint("the token is lost meanwhile: ", lost), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := plan.Ladder{Interval: 5 * time.Minute, Lookback: 48 * time.Hour}
				of := newChanging(quiet(t, l, time.Now()))
				of.latency = 200 * time.Millisecond
				began := time.Now()
				traffic(of.model, began.Add(10*24*time.Hour), 8*time.Minute, 48*time.Hour)
				offered := true
				of.answer = func(string) error {
					if !offered {
						return fmt.Errorf("sync: %w", ErrNoSync)
					}
					return nil
				}
				var log bytes.Buffer
				loop := syncLoop(of, l, func(s *FeedSettings) {
					s.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
				loop.Start()
				for range 2 {
					pass(t, 40*time.Hour)
					if s := loop.Status(); s.Reads != "changes" || s.State != StateOK {
						t.Errorf("while changes are offered, %s are read: %s", s.Reads, s.LastError)
					}
					of.mu.Lock()
					offered = false
					of.mu.Unlock()
					before := len(of.requests())
					pass(t, 70*time.Hour)
					if s := loop.Status(); s.Reads != "ranges" || s.State != StateOK {
						t.Errorf("while they aren't, %s are read, the state is %s: %s", s.Reads, s.State, s.LastError)
					}
					if n := len(of.requests()) - before; n != 3 {
						t.Errorf("in 70 hours changes were asked for %d times, want 3", n)
					}
					of.mu.Lock()
					offered = true
					if lost {
						of.epoch++
					}
					of.mu.Unlock()
					pass(t, 3*time.Hour)
				}
				loop.Stop()
				of.seenInTime(t, began, func(late time.Duration) time.Duration { return max(late/4, l.Interval) })
				if n := strings.Count(log.String(), "doesn't offer to read by changes, so"); n != 2 {
					t.Errorf("that it isn't offered was logged %d times: %s", n, log.String())
				}
				if n := strings.Count(log.String(), "the account offers to read by changes"); n != 2 {
					t.Errorf("that it is offered again was logged %d times: %s", n, log.String())
				}
			})
		})
	}
}

// TestRule11_AStartAsksWhatIsOffered, also before a day has passed.
func TestRule11_AStartAsksWhatIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := newChanging(quiet(t, minutely, time.Now()))
		of.answer = func(string) error { return ErrNoSync }
		seen := newObserved()
		loop := syncLoop(of, minutely, func(s *FeedSettings) { s.Own = seen.Feed })
		loop.Start()
		pass(t, time.Hour)
		loop.Stop()
		if failed, ok := seen.value(metrics.Polls, "error"), seen.value(metrics.Polls, "ok"); failed > 0 || int(ok) != len(of.reads) {
			t.Errorf("%v polls failed, %v didn't, for %d ranges", failed, ok, len(of.reads))
		}
		if len(of.asked) != 1 || len(of.reads) < 55 || loop.Status().Reads != "ranges" {
			t.Errorf("%d requests for changes, %d ranges; %s are read", len(of.asked), len(of.reads), loop.Status().Reads)
		}
		of.answer = nil
		loop = syncLoop(of, minutely)
		loop.Start()
		pass(t, 2*time.Minute)
		loop.Stop()
		if loop.Status().Reads != "changes" {
			t.Errorf("after a restart %s are read", loop.Status().Reads)
		}
	})
}
