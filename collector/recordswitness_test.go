package collector

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// refusals are what a provider that is broken may answer.
var refusals = map[string]error{
	"404": fmt.Errorf("%w: %w", ErrNotYet, &httpclient.Error{Kind: httpclient.KindNotFound, Status: 404}),
	"400": &httpclient.Error{Kind: httpclient.KindBadRequest, Status: 400},
	"410": fmt.Errorf("%w: %w", ErrGone, &httpclient.Error{Kind: httpclient.KindGone, Status: 410}),
	"500": &httpclient.Error{Kind: httpclient.KindServer, Status: 500},
}

// ofFetches gives a fault to every fetch and to no list.
func ofFetches(err error) func(string) error {
	return func(key string) error {
		if key == "" {
			return nil
		}
		return err
	}
}

// TestRule30_ARefusalOfAllIsAnOutage (counting.md 20, 30): an endpoint that refuses every record is broken, whatever it
// says. That is shown, nothing is given up, the watermark waits, and so does the list, for an hour at most. Once
// records can be fetched, also after a crash, the history is shown soon, and in the end every call is counted.
func TestRule30_ARefusalOfAllIsAnOutage(t *testing.T) {
	if testing.Short() {
		return
	}
	for _, c := range []struct {
		refusal  string
		history  time.Duration
		notified bool
	}{{"404", 0, false}, {"404", 0, true}, {"410", time.Hour, false}, {"500", 10 * day, false}} {
		inBubble(t, fmt.Sprint(c), func(t *testing.T) {
			now, seen := time.Now(), newObserved()
			m := newTaskModel(t, now.Add(-c.history))
			m.latency, m.prunes = 50*time.Millisecond, true
			m.add(m.State().Origin, now, max(10*time.Minute, c.history/30), 0)
			m.add(now.Add(time.Minute), now.Add(14*time.Hour+30*time.Minute), 30*time.Minute, 0)
			m.fault = ofFetches(refusals[c.refusal])
			metered := func(s *FeedSettings) { s.Metrics = seen.FeedMetrics }
			loop := m.loop(metered)
			loop.Start()
			for range 14*12 + 6 {
				pass(t, 5*time.Minute)
				if c.notified {
					m.tellPublished()
				}
			}
			waiting, setAside := seen.value(metrics.Tasks, "waiting"), seen.value(metrics.Tasks, "record_set_aside")
			if waiting < 27 || setAside != 0 || m.attempts() != 0 {
				t.Errorf("%v wait, %v were set aside, with %d attempts", waiting, setAside, m.attempts())
			}
			if status := loop.Status(); status.State != StateError ||
				!strings.Contains(status.LastError, ErrNoneFetched.Error()) {
				t.Errorf("state %s, last error %q", status.State, status.LastError)
			}
			s := m.State()
			if s.Watermark.After(m.calls[0].start.Add(5*time.Minute)) || c.history > 0 && s.HistoryDone {
				t.Errorf("the watermark passed the first call by %s; the history is shown: %t",
					s.Watermark.Sub(m.calls[0].start), s.HistoryDone)
			}
			if n, lists := m.allFetches(), m.listed(); n > 15*300 || c.history > 0 && (lists < 14 || lists > 18) {
				t.Errorf("%d were fetched, the list was read %d times", n, lists)
			}
			loop.Stop()
			m.with(func() { m.fault = nil })
			loop = m.loop(metered)
			loop.Start()
			pass(t, 15*time.Minute)
			if uncounted, _ := m.uncounted(); len(uncounted) > 0 || loop.Status().State != StateOK ||
				!m.State().HistoryDone {
				t.Errorf("of %d calls %d aren't counted; the status is %+v", len(m.calls), len(uncounted),
					loop.Status())
			}
			pass(t, 2*time.Hour)
			loop.Stop()
			m.want(t)
			if time.Since(m.State().Watermark) > 6*time.Minute || seen.value(metrics.Tasks, "waiting") != 0 {
				t.Errorf("the watermark is %s behind, %v wait", time.Since(m.State().Watermark),
					seen.value(metrics.Tasks, "waiting"))
			}
		})
	}
}

// counting.md 30: one record that can't be had, where no other is fetched, isn't known to be
// at fault: it isn't given up, is shown when it is no longer young, and holds the watermark,
// but not the list. The next call that is fetched is the witness.
func TestRule30_ARecordAloneHasNoWitness(t *testing.T) {
	for _, name := range []string{"404", "500"} {
		inBubble(t, name, func(t *testing.T) {
			now := time.Now()
			m := newTaskModel(t, now)
			m.latency, m.fault = 10*time.Millisecond, only(refusals[name], "alone")
			m.calls = []*notifiedCall{
				{
					id: "alone", start: now.Add(time.Minute), end: now.Add(time.Minute),
					versions: []time.Time{now.Add(time.Minute)}, readable: now,
				},
				{
					id: "next", start: now.Add(20 * time.Hour), end: now.Add(20 * time.Hour),
					versions: []time.Time{now.Add(20 * time.Hour)},
				},
			}
			loop := m.loop(func(s *FeedSettings) { s.Info.Interval = 15 * time.Minute })
			loop.Start()
			pass(t, 20*time.Minute)
			if status := loop.Status(); status.State != StateError {
				t.Errorf("the state is %s", status.State)
			}
			pass(t, 19*time.Hour)
			if w := m.waiting("record", "alone"); w.Key == "" || w.Attempts > 0 || w.SetAside ||
				m.State().Watermark.After(now.Add(21*time.Minute)) {
				t.Errorf("it is %+v, the watermark %s", w, m.State().Watermark)
			}
			if n := m.listed(); n < 19*4-2 {
				t.Errorf("the list was read %d times", n)
			}
			pass(t, 2*time.Hour)
			if w := m.waiting("record", "alone"); w.Attempts == 0 && !w.SetAside ||
				time.Since(m.State().Watermark) > 16*time.Minute || loop.Status().State != StateOK {
				t.Errorf("with a witness it is %+v, the watermark %s behind, the state %s", w,
					time.Since(m.State().Watermark), loop.Status().State)
			}
			if !m.isCounted("next") {
				t.Error("the other call isn't counted")
			}
			m.with(func() { m.fault = nil })
			pass(t, 25*time.Hour)
			loop.Stop()
			m.want(t)
		})
	}
}

// A record that is too young is tried again, less and less often. It isn't an error.
func TestRule04_NotYetIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, loop := silentFeed(t, 1, func(m *taskModel) { m.calls[0].readable = time.Now().Add(70 * time.Minute) })
		for i := range 45 {
			m.with(func() {
				at := time.Now()
				m.calls = append(m.calls, published(fmt.Sprint("d", i), at))
			})
			m.notify(fmt.Sprint("d", i))
			pass(t, 2*time.Minute)
			if loop.trouble() != nil {
				t.Errorf("the trouble is %v", loop.trouble())
			}
		}
		loop.Stop()
		if n := m.fetchesOf("c0"); m.State().Calls != 46 || n > 25 {
			t.Errorf("%d records, fetched %d times", m.State().Calls, n)
		}
	})
}

// busyTenant is a loop over a tenant with a call every 15 minutes for the time d.
func busyTenant(t *testing.T, d time.Duration, change ...func(*FeedSettings)) (*taskModel, *Loop) {
	t.Helper()
	now := time.Now()
	m := newTaskModel(t, now)
	m.latency = 10 * time.Millisecond
	m.add(now.Add(time.Minute), now.Add(d), 15*time.Minute, 0)
	loop := m.loop(change...)
	loop.Start()
	return m, loop
}

// counting.md 32: a record that was given up while others were fetched is logged and shown, and
// delays nothing. It is tried again soon after a list names it, and once a day, until the provider
// gives it.
func TestRule32_GivenUpIsNotTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		seen := newObserved()
		m, loop := busyTenant(t, 5*24*time.Hour, func(s *FeedSettings) {
			s.Logger, s.Metrics = slog.New(slog.NewTextHandler(&log, nil)), seen.FeedMetrics
			s.Info.Interval = 15 * time.Minute
		})
		poison := m.calls[3].id
		m.with(func() { m.fault, m.calls[3].readable = only(refusals["400"], poison), time.Now() })
		pass(t, 9*time.Hour)
		if m.waiting("record", poison).SetAside {
			t.Error("it is given up within hours")
		}
		pass(t, 11*time.Hour)
		tried := m.fetchesOf(poison)
		setAside := func() float64 { return seen.value(metrics.Tasks, "record_set_aside") }
		if w := m.waiting("record", poison); !w.SetAside || setAside() != 1 || tried < maxAttempts ||
			tried > 2*maxAttempts {
			t.Errorf("after 20 hours it is %+v, %v are set aside, fetched %d times", w, setAside(), tried)
		}
		if strings.Count(log.String(), "set aside") != 1 || !strings.Contains(log.String(), "key="+poison) {
			t.Errorf("the log has %s", log.String())
		}
		if loop.trouble() != nil || loop.Status().State != StateOK ||
			time.Since(m.State().Watermark) > 6*time.Minute {
			t.Errorf("the trouble is %v, the watermark is %s behind", loop.trouble(),
				time.Since(m.State().Watermark))
		}
		for _, c := range []struct {
			pass        time.Duration
			least, most int
		}{{10 * time.Hour, 2, 12}, {2 * day, 2, 24}} {
			if pass(t, c.pass); m.fetchesOf(poison)-tried < c.least || m.fetchesOf(poison)-tried > c.most {
				t.Errorf("within %s it was tried %d times", c.pass, m.fetchesOf(poison)-tried)
			}
			tried = m.fetchesOf(poison)
		}
		m.with(func() { m.fault = nil })
		if pass(t, 25*time.Hour); !m.isCounted(poison) {
			t.Error("it isn't counted")
		}
		loop.Stop()
		if n := strings.Count(log.String(), "set aside"); n != 1 || setAside() != 0 {
			t.Errorf("it was logged %d times; %v are set aside", n, setAside())
		}
		m.wantWhole(t)
	})
}

// counting.md 32: a notification, as a newer version, makes it as new; what never comes is
// dropped when no provider can have it any more. What is gone is set aside sooner.
func TestRule32_SetAside(t *testing.T) {
	if testing.Short() {
		return
	}
	synctest.Test(t, func(t *testing.T) {
		m, loop := busyTenant(t, 24*time.Hour, func(s *FeedSettings) { s.Info.Interval = 15 * time.Minute })
		m.with(func() { m.add(time.Now().Add(24*time.Hour), time.Now().Add(60*24*time.Hour), 6*time.Hour, 0) })
		later := work.Item{Kind: "settle", Key: "later", Due: time.Now().Add(100 * 24 * time.Hour)}
		m.begin(&Page{Enqueue: []work.Item{later}})
		pass(t, 15*time.Minute)
		m.with(func() { m.fault = only(refusals["410"], "gone") })
		m.notify("gone", "never")
		pass(t, 2*time.Hour)
		if w := m.waiting("notified", "gone"); !w.SetAside || m.fetchesOf("gone") > 3 {
			t.Errorf("what is gone is %+v, fetched %d times", w, m.fetchesOf("gone"))
		}
		pass(t, 16*time.Hour)
		if w := m.waiting("notified", "never"); !w.SetAside {
			t.Errorf("it is %+v", w)
		}
		m.notify("never")
		pass(t, time.Minute)
		if w := m.waiting("notified", "never"); w.SetAside {
			t.Errorf("told of again it is %+v", w)
		}
		loop.Stop()
		loop = m.loop(func(s *FeedSettings) { s.Info.Interval = 3 * time.Hour })
		loop.Start()
		pass(t, 40*24*time.Hour)
		if w := m.waiting("notified", "never"); !w.SetAside {
			t.Errorf("after 40 days it is %+v", w)
		}
		pass(t, 10*24*time.Hour)
		if w := m.waiting("notified", "never"); w.Key != "" {
			t.Errorf("after 50 days it is still %+v", w)
		}
		loop.Stop()
		if n := recordsOf(loop).refusals["never"].Count(); n > 0 {
			t.Errorf("after 50 days %d refusals are remembered", n)
		}
		m.wantWhole(t)
	})
}
