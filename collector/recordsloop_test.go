package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Calls are counted once and settled, whether the list or a notification named them, in
// whatever version, early or late.
func TestRecords_CountsEveryCall(t *testing.T) {
	for _, notified := range []bool{false, true} {
		inBubble(t, fmt.Sprint("notified ", notified), func(t *testing.T) {
			now := time.Now()
			m := newTaskModel(t, now.Add(-24*time.Hour))
			m.latency = 50 * time.Millisecond
			m.add(now.Add(-24*time.Hour), now.Add(12*time.Hour), 19*time.Minute, 0)
			for i, c := range m.calls {
				first := c.versions[0]
				switch i % 5 {
				case 0:
					c.versions = []time.Time{first, first.Add(20 * time.Minute), first.Add(5 * time.Hour)}
				case 1:
					c.bare, c.versions = true, []time.Time{first, first.Add(15 * time.Minute)}
				case 2:
					c.bare = true // until it has settled
				case 3:
					c.readable = first.Add(40 * time.Minute)
				}
			}
			loop := m.loop()
			loop.Start()
			for range 18 * 12 {
				pass(t, 5*time.Minute)
				if notified {
					m.tellPublished()
				}
			}
			loop.Stop()
			m.want(t)
			for _, c := range m.calls {
				// Once a version, once settled, some before it was readable, and while bare
				// with each list.
				if n := m.fetches[c.id]; n > 30 {
					t.Errorf("%s was fetched %d times", c.id, n)
				}
			}
		})
	}
}

// tellPublished tells of what was published in the last five minutes.
func (m *taskModel) tellPublished() {
	since := time.Now().Add(-5 * time.Minute)
	for _, c := range m.calls {
		if c.version(since) < c.version(time.Now()) {
			m.notify(c.id)
		}
	}
}

// counting.md 4: whatever commit the process dies before or after, no work is lost.
func TestRule04_ACrashAtAnyCommitLosesNoTask(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; at <= 60; at += 1 + at/8 {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				m := newTaskModel(t, now.Add(-3*time.Hour))
				m.latency, m.pageSize, m.parallel = 20*time.Millisecond, 3, 2
				m.add(now.Add(-3*time.Hour), now.Add(30*time.Minute), 20*time.Minute, 0)
				m.calls[2].bare = true
				killed := make(chan struct{})
				die := func(*counting.Page) error {
					if m.commits != at {
						return nil
					}
					m.commits++ // it dies once
					close(killed)
					return ledger.ErrClosed
				}
				m.refuse = die
				if after {
					m.refuse, m.lost = nil, die
				}
				for range 2 {
					loop := m.loop()
					loop.Start()
					if err := m.tryNotify(m.calls[len(m.calls)-1].id); err != nil && !errors.Is(err, ledger.ErrClosed) {
						t.Fatal(err)
					}
					select {
					case <-killed:
						killed = nil
					case <-time.After(2 * time.Hour):
					}
					loop.Stop()
				}
				m.want(t)
				if !m.State().HistoryDone {
					t.Errorf("after a crash at commit %d the history isn't shown", at)
				}
				if t.Failed() {
					t.Fatalf("the crash was at commit %d, after it: %t", at, after)
				}
			})
		}
	}
}

// counting.md 5, 7 and 20: a long first history is listed piece by piece, each when the
// one before was fetched, so that the floor passes nothing that is still to be fetched.
func TestRule20_AListedHistoryIsShownWhenItWasFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(t, now.Add(-20*24*time.Hour))
		m.latency, m.prunes = 800*time.Millisecond, true
		m.add(m.State().Origin, now, 30*time.Minute, 0)
		loop := m.loop()
		loop.Start()
		behind := false
		for range 24 * 60 {
			pass(t, time.Minute)
			if m.State().HistoryDone {
				break
			}
			behind = true
		}
		if uncounted, _ := m.uncounted(); len(uncounted) > 0 {
			t.Fatalf("the history is shown while %d calls of it aren't counted", len(uncounted))
		}
		pass(t, 12*time.Hour)
		loop.Stop()
		m.want(t)
		if !behind || !m.State().HistoryDone || time.Since(m.State().Watermark) > 10*time.Minute {
			t.Errorf("the history was read slowly: %t; it is shown: %t; the watermark is %s behind", behind,
				m.State().HistoryDone, time.Since(m.State().Watermark))
		}
		if n := len(m.lists); n > 12*12+60 {
			t.Errorf("%d pieces were listed", n)
		}
	})
}

// What is named by a list, told of, and due to settle at once is fetched once.
func TestRecords_OneKeyIsFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(t, now)
		m.calls = []*notifiedCall{published("a", now, now.Add(time.Minute))}
		for _, w := range []work.Item{
			{Kind: "notified", Key: "a", Version: 5},
			{Kind: "record", Key: "a", Version: 2},
			{Kind: "settle", Key: "a", Version: 1},
			{Kind: "notified", Key: "b", Version: 5},
		} {
			w.Due = now.Add(2 * time.Hour)
			m.begin(&Page{Enqueue: []work.Item{w}})
		}
		<-time.After(2 * time.Hour)
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} })
		runFor(t, loop, 5*time.Second)
		if m.fetches["a"] != 1 || m.fetches["b"] != 1 || len(m.tasks()) != 1 {
			t.Errorf("fetched %v, left %v", m.fetches, m.tasks())
		}
		m.want(t)
	})
}

// A notification that comes while its record is fetched isn't taken for done: the record
// may have changed since it was read.
func TestRule04_NotifiedWhileItIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(t, now)
		m.latency = 2 * time.Second
		m.calls = []*notifiedCall{published("a", now, now.Add(11*time.Second))}
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} })
		loop.Start()
		pass(t, 10*time.Second)
		for range 2 { // at 10 s, and at 11 s while it is fetched
			m.notify("a")
			pass(t, time.Second)
		}
		pass(t, 10*time.Second)
		loop.Stop()
		if m.fetches["a"] != 2 || m.latest["a"].number != 2 || len(m.tasks()) != 1 {
			t.Errorf("fetched %d times, version %d, waiting %v", m.fetches["a"], m.latest["a"].number, m.tasks())
		}
	})
}

// A notification is fetched at once, also the one that comes while a poll is about to end.
func TestRecords_NoWakeIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(t, now)
		m.latency = 7 * time.Millisecond
		m.add(now, now.Add(10*time.Second), 20*time.Millisecond, 0)
		for _, c := range m.calls {
			c.versions[0] = now
		}
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} })
		loop.Start()
		pass(t, 2*time.Second)
		m.with(func() { m.fetched = nil })
		notified := make(map[string]time.Time)
		for i, c := range m.calls {
			notified[c.id] = time.Now()
			m.notify(c.id)
			<-time.After(time.Duration(1+i%23) * time.Millisecond)
		}
		pass(t, time.Second)
		loop.Stop()
		for _, f := range m.fetched {
			if late := f.at.Sub(notified[f.key]); late > 50*time.Millisecond {
				t.Errorf("%s was fetched %s after its notification", f.key, late)
			}
		}
		if len(m.fetched) != len(m.calls) {
			t.Errorf("%d fetches of %d calls", len(m.fetched), len(m.calls))
		}
	})
}

// A feed that is woken for nothing counts neither a success nor a failure.
func TestRecords_WokenForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newObserved()
		m := newTaskModel(t, time.Now())
		m.fault = func(string) error { return errProvider }
		loop := m.loop(func(s *FeedSettings) { s.Metrics = seen.FeedMetrics })
		loop.Start()
		pass(t, time.Minute)
		failed := seen.value(metrics.Polls, "error")
		for range 100 {
			loop.Wake()
			synctest.Wait()
		}
		ok, more := seen.value(metrics.Polls, "ok"), seen.value(metrics.Polls, "error")-failed
		if status := loop.Status(); ok != 0 || more > 1 || status.State != StateError || !status.LastSuccess.IsZero() {
			t.Errorf("%v polls are ok, %v more failed; the status is %+v", ok, more, status)
		}
		if next := loop.Status().NextRead; !next.After(time.Now()) || time.Until(next) > time.Minute {
			t.Errorf("the next read is in %s", time.Until(next))
		}
		loop.Stop()
	})
}

// fakeManager is a SubscriptionManager that notes when it is asked.
type fakeManager struct {
	mu     sync.Mutex
	at     []time.Time
	again  time.Duration
	gap    time.Time
	err    error
	panics bool
	urgent bool
}

func (m *fakeManager) Maintain(context.Context, time.Time) (time.Duration, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = append(m.at, time.Now())
	if m.panics {
		panic("an answer that nobody thought of")
	}
	gap := m.gap
	m.gap, m.urgent = time.Time{}, false
	return m.again, gap, m.err
}

func (m *fakeManager) Urgent() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.urgent
}

// with changes the subscription manager while a loop asks it.
func (m *fakeManager) with(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// asked is how often it was asked.
func (m *fakeManager) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.at)
}
