package collector

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// The SubscriptionManager is asked when it wants to be, and after a failure ever more seldom.
func TestRecords_TheSubscriptionManagerIsAsked(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		min, max int // in an hour
	}{
		{"all is well", nil, 60, 61},
		{"it fails", errProvider, 60, 110},
		{"it is to wait", &httpclient.Error{Status: 503, RetryAfter: 20 * time.Minute}, 3, 4},
		{"it panics", nil, 60, 110},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			m := newTaskModel(t, time.Now())
			manager := &fakeManager{again: time.Minute, err: c.err, panics: c.name == "it panics"}
			loop := m.loop(func(s *FeedSettings) { s.Info.Subscription = manager })
			loop.Start()
			pass(t, time.Hour)
			if n := manager.asked(); n < c.min || n > c.max {
				t.Errorf("it was asked %d times in an hour", n)
			}
			err, fails := loop.trouble(), c.err != nil || manager.panics
			if !errors.Is(err, c.err) && !isPanic(err) || (loop.Status().State == StateError) != fails {
				t.Errorf("the trouble is %v", err)
			}
			if n := m.listed(); n < 11 {
				t.Errorf("the list was read %d times", n)
			}
			manager.with(func() { manager.err, manager.panics = nil, false })
			pass(t, 25*time.Minute)
			if loop.trouble() != nil {
				t.Errorf("afterwards the trouble is %v", loop.trouble())
			}
			loop.Stop()
		})
	}
}

// The feed calls an urgent SubscriptionManager as soon as it is woken, but not while the manager fails.
func TestRecords_TheUrgentSubscriptionManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newTaskModel(t, time.Now())
		manager := &fakeManager{again: time.Hour}
		loop := m.loop(func(s *FeedSettings) { s.Info.Subscription = manager })
		loop.Start()
		pass(t, time.Minute)
		manager.with(func() { manager.urgent = true })
		loop.Wake()
		synctest.Wait()
		if n := manager.asked(); n != 2 {
			t.Errorf("it was asked %d times", n)
		}
		manager.with(func() { manager.err, manager.urgent = errProvider, true })
		loop.Wake()
		synctest.Wait()
		for range 100 {
			manager.with(func() { manager.urgent = true })
			loop.Wake()
			synctest.Wait()
		}
		if n := manager.asked(); n != 3 {
			t.Errorf("while it fails it was asked %d times", n)
		}
		loop.Stop()
	})
}

// counting.md 12: what started since three hours before a gap in notifications is listed
// again, as far as it may be read, until that has succeeded.
func TestRule12_AGapIsListed(t *testing.T) {
	for _, c := range []struct {
		name      string
		gap, from time.Duration // before now
		keepFails bool
	}{
		{"an hour", time.Hour, 4 * time.Hour, false},
		{"while it still fails", time.Hour, 4 * time.Hour, true},
		{"longer than may be read", 10 * 24 * time.Hour, 10 * 24 * time.Hour, false},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			begin := time.Now()
			m := newTaskModel(t, begin.Add(time.Hour-10*day))
			m.begin(&Page{Position: &Position{Watermark: begin, HistoryDone: true}})
			manager := &fakeManager{again: 5 * time.Minute}
			loop := m.loop(func(s *FeedSettings) { s.Info.Subscription = manager })
			loop.Start()
			pass(t, time.Hour)
			now := time.Now()
			m.with(func() { m.fault = func(string) error { return errProvider } })
			manager.with(func() {
				manager.gap = now.Add(-c.gap)
				if c.keepFails {
					manager.err = errProvider
				}
			})
			pass(t, 30*time.Minute)
			if !errors.Is(loop.trouble(), errProvider) {
				t.Errorf("the trouble is %v", loop.trouble())
			}
			m.with(func() { m.lists = nil; m.fault = nil })
			manager.with(func() { manager.err = nil })
			pass(t, 10*time.Minute)
			loop.Stop()
			want := now.Add(-c.from)
			found := 0
			for _, l := range m.lists {
				if near(l.from, want) {
					found++
				}
			}
			if found != 1 || loop.trouble() != nil {
				t.Errorf("of %d ranges %d begin at %s; the trouble is %v", len(m.lists), found, want,
					loop.trouble())
			}
		})
	}
}
