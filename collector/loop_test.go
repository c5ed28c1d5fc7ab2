package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// loopOf is a loop without jitter that polls every minute.
func loopOf(poll func(ctx context.Context) error, change ...func(*FeedSettings)) *Loop {
	s := FeedSettings{
		Source: "acme", Info: &FeedInfo{Name: "calls", Interval: time.Minute},
		Random: func() float64 { return 0 },
	}
	s.Info.ActiveCalls = func(ctx context.Context, _ bool) (map[cdr.Direction]int, error) { return nil, poll(ctx) }
	for _, c := range change {
		c(&s)
	}
	return NewLoop(s)
}

// polls runs a feed that fails until it shouldn't, and returns when it was polled.
func polls(t *testing.T, d time.Duration, fail func(n int) error) []time.Duration {
	t.Helper()
	var at []time.Duration
	began := time.Now()
	l := loopOf(func(context.Context) error {
		at = append(at, time.Since(began).Round(time.Second))
		return fail(len(at))
	})
	runFor(t, l, d)
	return at
}

func seconds(all ...int) []time.Duration {
	d := make([]time.Duration, len(all))
	for i, n := range all {
		d[i] = time.Duration(n) * time.Second
	}
	return d
}

func TestLoop_BacksOffAndComesBack(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(n int) error
		want []time.Duration
	}{
		{"no failure", func(int) error { return nil }, seconds(0, 60, 120, 180, 240)},
		{"failures", func(n int) error {
			if n < 9 {
				return errProvider
			}
			return nil
		}, seconds(0, 1, 3, 7, 15, 31, 63, 123, 183, 243)},
		{"back to 1 s after a success", func(n int) error {
			if n == 4 || n > 6 {
				return nil
			}
			return errProvider
		}, seconds(0, 1, 3, 7, 67, 68, 70, 130, 190, 250)},
		{"the provider says when", func(n int) error {
			if n == 1 {
				return fmt.Errorf("read: %w", &httpclient.Error{
					Kind:   httpclient.KindServer,
					Status: http.StatusServiceUnavailable, RetryAfter: 100 * time.Second,
				})
			}
			return nil
		}, seconds(0, 100, 160, 220)},
		{"a panic", func(n int) error {
			if n < 3 {
				panic("index out of range")
			}
			return nil
		}, seconds(0, 1, 3, 63, 123, 183, 243)},
		{"a full disk", func(n int) error {
			if n < 3 {
				return fmt.Errorf("commit: %w", ledger.ErrFull)
			}
			return nil
		}, seconds(0, 1, 3, 63, 123, 183, 243)},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			if got := polls(t, 255*time.Second, c.fail); !slices.Equal(got, c.want) {
				t.Errorf("polled at %v, want %v", got, c.want)
			}
		})
	}
}

// failing is a part that is always due and always fails.
type failing struct {
	err   error
	tries int
}

func (*failing) wait(context.Context) time.Duration { return 0 }

func (p *failing) do(context.Context) error {
	if p.tries++; p.err == nil {
		panic("index out of range")
	}
	return p.err
}

func (p *failing) trouble() error { return p.err }

// TestLoop_APanicBehindAFailure: the loop backs off for a part that panics, also if another part has failed before it
// in the same poll.
func TestLoop_APanicBehindAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, panics := loopOf(func(context.Context) error { return nil }), new(failing)
		l.parts = []part{&failing{err: errProvider}, panics}
		runFor(t, l, 2*time.Minute)
		if panics.tries < 2 || panics.tries > 10 {
			t.Errorf("it was tried %d times in two minutes", panics.tries)
		}
	})
}

func TestLoop_APanicIsLoggedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		seen := newObserved()
		l := loopOf(func(context.Context) error { panic("index out of range") }, func(s *FeedSettings) {
			s.Logger, s.Metrics = slog.New(slog.NewTextHandler(&log, nil)), seen.FeedMetrics
		})
		runFor(t, l, 2*time.Second)
		if !strings.Contains(log.String(), "index out of range") || !strings.Contains(log.String(), "loop_test.go") ||
			!strings.Contains(log.String(), "source=acme feed=calls") {
			t.Errorf("the log is %s", log.String())
		}
		if failed, ok := seen.value(metrics.Polls, "error"), seen.value(metrics.Polls, "ok"); failed != 2 || ok != 0 {
			t.Errorf("%v polls are counted as failed and %v as ok", failed, ok)
		}
		if s := l.Status(); s.State != StateError || !strings.HasPrefix(s.LastError, "panic: index out of range: ") {
			t.Errorf("the state is %s: %s", s.State, s.LastError)
		}
	})
}

// TestLoop_CallsInTheFuture: they count, and the log says so once.
func TestLoop_CallsInTheFuture(t *testing.T) {
	for _, c := range []struct {
		name   string
		ahead  time.Duration
		logged int
	}{
		{"a clock is ahead", 19 * time.Minute, 0},
		{"another time zone", 30 * time.Minute, 1},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			m := newModel(t, time.Now().Add(-time.Hour))
			m.rows = []modelRow{{id: "1", start: time.Now()}, {id: "2", start: time.Now()}}
			var log bytes.Buffer
			loop := loopOver(m, time.Minute, time.Hour, func(s *FeedSettings) {
				s.Logger = slog.New(slog.NewTextHandler(&log, nil))
				s.Label = func(records []*cdr.Record) {
					for _, r := range records {
						r.Start = time.Now().Add(c.ahead)
					}
				}
			})
			runFor(t, loop, 5*time.Minute)
			if n := strings.Count(log.String(), "begins in the future"); n != c.logged || len(m.counted) != 2 {
				t.Errorf("logged %d times, %d calls are counted; the log is %s", n, len(m.counted), log.String())
			}
		})
	}
}

// TestLoop_StopCommitsThePageInHand: Stop comes when the page is decoded. The page is
// committed, although that takes a while, and no further page is requested.
func TestLoop_StopCommitsThePageInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, time.Now().Add(-time.Hour))
		m.pageSize = 3
		for i := range 9 {
			m.rows = append(m.rows, modelRow{id: fmt.Sprint(i), start: m.State().Origin.Add(time.Minute)})
		}
		inHand := make(chan struct{})
		m.refuse = func(*counting.Page) error { // it takes a while
			close(inHand)
			<-time.After(time.Second)
			m.refuse = nil
			return nil
		}
		l := loopOver(m, time.Minute, time.Hour, func(s *FeedSettings) { s.Clock = nil })
		l.Start()
		<-inHand
		began := time.Now()
		l.Stop()
		if took := time.Since(began); took > time.Second+time.Millisecond {
			t.Errorf("stopping took %s", took)
		}
		if len(m.counted) != 3 || len(m.positions) != 0 {
			t.Errorf("%d rows and %d positions were committed, want 3 and none", len(m.counted), len(m.positions))
		}
		l.Stop()
		// What is left comes after a restart.
		run(t, m, plan.Ladder{Interval: time.Minute, Lookback: time.Hour}, time.Minute)
		if len(m.counted) != 9 {
			t.Errorf("after a restart %d rows are counted, want 9", len(m.counted))
		}
	})
}

func TestLoop_StopBeforeStartAndTwice(t *testing.T) {
	l := loopOf(func(context.Context) error { return nil })
	l.Stop()
	l.Start() // does nothing any more
	l.Stop()
	if s := l.Status(); !s.LastSuccess.IsZero() || s.Ready {
		t.Errorf("a loop that was never started shows %+v", s)
	}
}

// TestLoop_ActiveCalls (counting.md 3): a snapshot is absent at first, after three failed reads, and if the next read
// doesn't end, as while the provider answers 429.
func TestLoop_ActiveCalls(t *testing.T) {
	type step struct {
		wait time.Duration
		want bool
	}
	for _, c := range []struct {
		name  string
		read  func(ctx context.Context) error // all but the first
		steps []step
	}{
		{"reads fail", func(context.Context) error { return errProvider }, []step{
			{time.Second, true},
			{30 * time.Second, true},
			{time.Second, true},
			{2 * time.Second, false},
			{time.Hour, false},
		}},
		{"a read doesn't end", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, []step{
			{time.Second, true}, {5*time.Minute + 28*time.Second, true}, {2 * time.Second, false},
		}},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			count := map[cdr.Direction]int{cdr.Internal: 3}
			n := 0
			l := loopOf(nil, func(s *FeedSettings) {
				s.Info.Interval = 30 * time.Second
				s.Info.ActiveCalls = func(ctx context.Context, _ bool) (map[cdr.Direction]int, error) {
					if n++; n > 1 {
						return nil, c.read(ctx)
					}
					return count, nil
				}
			})
			if l.ActiveCalls() != nil {
				t.Error("calls in progress before the first read")
			}
			l.Start()
			want := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0, cdr.Internal: 3}
			for _, step := range c.steps {
				pass(t, step.wait)
				count[cdr.Internal] = 9 // the reader's own
				if got := l.ActiveCalls(); (got != nil) != step.want || step.want && !maps.Equal(got, want) {
					t.Errorf("after %d polls %v are in progress", n, got)
				}
			}
			l.Stop()
		})
	}
}

func TestLoop_Status(t *testing.T) {
	advice := func(error) (string, string) { return "the secret has expired", "make a new one" }
	for _, c := range []struct {
		name  string
		err   error
		until time.Duration
		state State
		text  string
	}{
		{"all is well", nil, 0, StateOK, ""},
		{"advice", errProvider, 0, StateError, "the secret has expired: make a new one"},
		{
			"throttled by an error", &httpclient.Error{Kind: httpclient.KindThrottled}, 0, StateThrottled,
			"the secret has expired: make a new one",
		},
		{
			"throttled within a poll", nil, 30 * time.Second, StateThrottled,
			"throttled by the provider until 2000-01-01T00:00:30Z: nothing needs doing; if it happens again " +
				"and again, raise interval or lower requests_per_minute",
		},
		{
			"a full disk", fmt.Errorf("x: %w", ledger.ErrFull), 0, StateError,
			"the disk of the ledger is full: reading pauses and loses nothing; make room in storage.path, or " +
				"on the database's disk; it goes on by itself",
		},
		{
			"a full outbox", ledger.ErrOutboxFull, 0, StateError,
			"the outbox is full: reading pauses and loses nothing; see why the OTLP endpoint takes no logs or " +
				"spans, or set outbox_full",
		},
		{
			"fenced", errors.Join(ledger.ErrFenced), 0, StateError,
			"the feed's state was changed by another writer: it is read again; if this repeats, see whether " +
				"two processes count this feed",
		},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			began := time.Now()
			m := newModel(t, began)
			m.begin(&Page{
				Records:  []*cdr.Record{{ID: "1", Start: began}, {ID: "2", Start: began}},
				Position: &Position{Watermark: began, HistoryDone: true},
			})
			l := loopOf(func(context.Context) error { return c.err }, func(s *FeedSettings) {
				s.Ledger, s.Advise = m, advice
				s.ThrottledUntil = func() time.Time { return began.Add(c.until) }
			})
			l.Start()
			pass(t, 10*time.Millisecond)
			s := l.Status()
			if s.State != c.state || s.LastError != c.text || s.Records != 2 || !s.Watermark.Equal(began) ||
				!s.Ready {
				t.Errorf("the status is %+v, want %s: %s", s, c.state, c.text)
			}
			if (c.err == nil) != (!s.LastSuccess.IsZero()) || !s.NextRead.After(began) {
				t.Errorf("the last success is %s, the next read %s", s.LastSuccess, s.NextRead)
			}
			l.Stop()
		})
	}
}

func TestLoop_CatchingUp(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		behind, interval time.Duration
		want             bool
	}{
		{10 * time.Minute, time.Minute, false},
		{10*time.Minute + time.Second, time.Minute, true},
		{15 * time.Minute, 5 * time.Minute, false},
		{15*time.Minute + time.Second, 5 * time.Minute, true},
		{-time.Hour, time.Minute, false},
	} {
		if got := behind(now.Add(-c.behind), now, c.interval); got != c.want {
			t.Errorf("%s behind at an interval of %s is catching up: %t", c.behind, c.interval, got)
		}
	}
	// A poll that hangs doesn't hide it.
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		seen := newObserved()
		l := loopOf(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, func(s *FeedSettings) {
			s.Ledger, s.Metrics = m, seen.FeedMetrics
		})
		l.Start()
		pass(t, 11*time.Minute)
		l.Refresh()
		if got := l.Status(); seen.value(metrics.CatchingUp) != 1 || got.State != StateCatchingUp ||
			!got.NextRead.IsZero() {
			t.Errorf("catching up is shown as %v and %s", seen.value(metrics.CatchingUp), got.State)
		}
		l.Stop()
	})
}

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
		m.notify("a")
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
