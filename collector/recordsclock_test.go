package collector

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// clockOf is a clock of which the local one, and the Date, can be wrong.
func clockOf(local, date *skewed) func(s *FeedSettings) {
	return func(s *FeedSettings) {
		s.Clock = NewClock(local.now, func() (time.Duration, bool) { return date.now().Sub(local.now()), true })
	}
}

// TestRule10_ARecordSettlesByTheProvidersClock: by a local clock that is ahead its media would be
// counted before the record has all of them.
func TestRule10_ARecordSettlesByTheProvidersClock(t *testing.T) {
	for _, skew := range []time.Duration{-3 * time.Hour, -time.Hour, 10 * time.Minute, 3 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				m := newTaskModel(now.Add(-time.Hour))
				m.calls = append(m.calls, &notifiedCall{
					id: "a", start: now.Add(-10 * time.Minute),
					end: now.Add(-5 * time.Minute), versions: []time.Time{now.Add(-time.Minute)},
				})
				var local, date skewed
				local.set(skew)
				l := m.loop(clockOf(&local, &date))
				l.Start()
				pass(t, time.Minute)
				if !m.isCounted("a") {
					t.Error("after a minute the call isn't counted")
				}
				pass(t, 3*time.Hour)
				l.Stop()
				settles := m.calls[0].end.Add(m.settle)
				if at := m.fetched[len(m.fetched)-1].at; len(m.fetched) != 2 || at.Before(settles) ||
					at.After(settles.Add(5*time.Minute)) {
					t.Errorf("the record was fetched %v, want once at first and once at %s, when it settles", m.fetched,
						settles)
				}
				m.want(t)
			})
		})
	}
}

// TestRule10_AWrongClockPutsNothingOffForLong: what is refused while a clock is ahead is tried
// again in its time once the clocks agree, and not oftener while they differ.
func TestRule10_AWrongClockPutsNothingOffForLong(t *testing.T) {
	const lasts = 20 * time.Minute
	for _, c := range []struct {
		name        string
		local, date time.Duration
	}{
		{"a Date of six days ahead", 0, 6 * day},
		{"a Date of ten minutes ahead", 0, 10 * time.Minute},
		{"our clock six days ahead", 6 * day, 0},
		{"a Date of a day ago", 0, -day},
		{"our clock three hours behind", -3 * time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				m := newTaskModel(now.Add(-time.Hour))
				m.add(now, now.Add(4*time.Hour), time.Minute, time.Minute)
				late := m.calls[15]
				m.fault = func(key string) error {
					if key == late.id && time.Since(now) < 40*time.Minute {
						return httpclient.Retryable(errors.New("not this one"))
					}
					return nil
				}
				var local, date skewed
				l := m.loop(clockOf(&local, &date))
				l.Start()
				pass(t, 10*time.Minute)
				local.set(c.local)
				date.set(c.date)
				pass(t, lasts)
				if n, all := m.fetchesOf(late.id), m.allFetches(); n > 20 || all > 150 {
					t.Errorf("the record was fetched %d times in %s, all %d times", n, lasts, all)
				}
				local.set(0)
				date.set(0)
				pass(t, 40*time.Minute)
				if !m.isCounted(late.id) {
					t.Errorf("half an hour after it can be read it isn't counted: %+v", m.waiting("record", late.id))
				}
				pass(t, 4*time.Hour)
				l.Stop()
				m.want(t)
			})
		})
	}
}
