package collector

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// TestRule31_UnreadableSpans: spans that can't be read hold nothing else: the watermark passes them, they are as short as can be, and what is in
// them is counted when they can be read.
func TestRule31_UnreadableSpans(t *testing.T) {
	for _, c := range []struct {
		name               string
		interval, lookback time.Duration
		bad                []time.Duration // after the begin; a second each
		heal               time.Duration
	}{
		{"one", time.Minute, 6 * time.Hour, []time.Duration{3 * time.Hour}, 10 * time.Hour},
		{"in the history", time.Minute, 6 * time.Hour, []time.Duration{-2 * time.Hour}, 10 * time.Hour},
		{"at the begin", time.Minute, 6 * time.Hour, []time.Duration{-3 * time.Hour}, 10 * time.Hour},
		{"side by side", time.Minute, 6 * time.Hour, []time.Duration{time.Hour, time.Hour + time.Second, time.Hour + 2*time.Second}, 9 * time.Hour},
		{"many", 5 * time.Minute, 12 * time.Hour, []time.Duration{-time.Hour, time.Hour, 2 * time.Hour, 2*time.Hour + 7*time.Second, 5 * time.Hour}, 18 * time.Hour},
		{"short intervals", time.Second, time.Minute, []time.Duration{5 * time.Minute, 7 * time.Minute}, 20 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now().Truncate(time.Second)
				m := newModel(begin.Add(-3 * time.Hour))
				m.latency = 50 * time.Millisecond
				traffic(m, begin.Add(c.heal+2*time.Hour), max(c.interval/4, time.Second), c.lookback)
				inBad := func(at time.Time) bool {
					for _, b := range c.bad {
						if from := begin.Add(b); !at.Before(from) && at.Before(from.Add(time.Second)) {
							return true
						}
					}
					return false
				}
				for i := range m.rows { // a stepped over call is no call that the watermark mustn't pass
					if row := &m.rows[i]; inBad(row.start.Add(-3*time.Second)) || inBad(row.start) || inBad(row.start.Add(3*time.Second)) {
						row.published = row.published.Add(time.Millisecond)
					}
				}
				m.fault = func(from, to time.Time, _ int) error {
					for _, b := range c.bad {
						if at := begin.Add(b); from.Before(at.Add(time.Second)) && to.After(at) && time.Since(begin) < c.heal {
							return httpclient.Retryable(errProvider)
						}
					}
					return nil
				}
				o := newObserved()
				l := loopOver(m, c.interval, c.lookback, func(s *FeedSettings) { s.Own = o.Feed })
				feed := l.feed.(*RangeFeed)
				l.Start()
				pass(t, c.heal-time.Minute)
				if behind := time.Since(m.State().Watermark); behind > 3*c.interval+time.Minute || !m.State().HistoryDone {
					t.Errorf("the watermark is %s behind, the history read: %t", behind, m.State().HistoryDone)
				}
				if n := len(feed.Unread()); n == 0 || n > 4*len(c.bad) {
					t.Errorf("stepped over are %v", feed.Unread())
				}
				if got, most := o.duration(metrics.Unreadable), time.Duration(4*len(c.bad))*time.Second; got == 0 || got > most {
					t.Errorf("%s can't be read, want at most %s", got, most)
				}
				pass(t, time.Minute+6*time.Hour+c.lookback)
				l.Stop()
				for _, problem := range m.broken {
					t.Error(problem)
				}
				by := time.Now().Add(-c.lookback - time.Hour)
				if left := m.missing(by); len(left) != 0 {
					t.Errorf("%d calls weren't counted, the first of %s after the begin", len(left), left[0].start.Sub(begin))
				}
				if len(feed.Unread()) != 0 || o.duration(metrics.Unreadable) != 0 {
					t.Errorf("still stepped over are %v, %s", feed.Unread(), o.duration(metrics.Unreadable))
				}
			})
		})
	}
}

// TestRule30_AnOutageStepsOverNothing: a provider that fails for every span is at fault itself, however it fails and for however long.
func TestRule30_AnOutageStepsOverNothing(t *testing.T) {
	for _, flapping := range []time.Duration{0, 3 * time.Minute, time.Hour} {
		t.Run(fmt.Sprint("up every ", flapping), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newModel(time.Now().Add(-3 * time.Hour))
				traffic(m, time.Now().Add(20*time.Hour), time.Minute, 6*time.Hour)
				begin := time.Now()
				m.fault = func(time.Time, time.Time, int) error {
					since := time.Since(begin)
					up := since < time.Hour || since > 15*time.Hour || flapping > 0 && since/flapping%2 == 0
					if up {
						return nil
					}
					return errProvider
				}
				l := loopOver(m, time.Minute, 6*time.Hour)
				feed := l.feed.(*RangeFeed)
				l.Start()
				pass(t, 14*time.Hour+30*time.Minute)
				if flapping == 0 && (len(feed.Unread()) != 0 || time.Since(m.State().Watermark) < 13*time.Hour) {
					t.Errorf("stepped over are %v; the watermark is %s behind", feed.Unread(), time.Since(m.State().Watermark))
				}
				pass(t, 20*time.Hour)
				l.Stop()
				if left := m.missing(begin.Add(20 * time.Hour)); len(left) != 0 || len(feed.Unread()) != 0 {
					t.Errorf("%d calls weren't counted, and %v is stepped over", len(left), feed.Unread())
				}
			})
		})
	}
}
