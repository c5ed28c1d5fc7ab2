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
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// silentFeed is a feed without a list, over calls that were published now and are all told of.
func silentFeed(t *testing.T, calls int, change ...func(*taskModel)) (*taskModel, *Loop) {
	t.Helper()
	now := time.Now()
	m := newTaskModel(now)
	m.latency, m.unlisted = 10*time.Millisecond, true
	for i := range calls {
		m.calls = append(m.calls, published(fmt.Sprint("c", i), now))
	}
	for _, c := range change {
		c(m)
	}
	loop := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} }, m.settings)
	loop.Start()
	pass(t, 2*time.Second)
	keys := make([]string, len(m.calls))
	for i, c := range m.calls {
		keys[i] = c.id
	}
	if _, err := m.notify(keys...); err != nil { // of all at once: the feed is woken once
		t.Fatal(err)
	}
	return m, loop
}

// only gives a fault to some fetches.
func only(err error, keys ...string) func(string) error {
	return func(key string) error {
		if slices.Contains(keys, key) {
			return err
		}
		return nil
	}
}

// allFetches is how often anything was fetched.
func (m *taskModel) allFetches() (n int) {
	m.with(func() { n = len(m.fetched) })
	return n
}

// attempts are how often what waits was tried, the most of all.
func (m *taskModel) attempts() (most int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.work {
		most = max(most, w.Attempts)
	}
	return most
}

// An outage, a refusal or throttling of the provider counts no attempts and backs off;
// afterwards all is fetched.
func TestRecords_AnOutageCountsNoAttempts(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		most int // fetches in an hour
	}{
		{"network", &httpclient.Error{Kind: httpclient.KindNetwork}, 600},
		{"throttled", &httpclient.Error{Kind: httpclient.KindThrottled, Status: 429}, 600},
		{"no token", &httpclient.Error{Kind: httpclient.KindToken}, 600},
		{"unauthorized", &httpclient.Error{Kind: httpclient.KindUnauthorized, Status: 401}, 600},
		{"forbidden", &httpclient.Error{Kind: httpclient.KindForbidden, Status: 403}, 600},
		{"bad request", &httpclient.Error{Kind: httpclient.KindBadRequest, Status: 400}, 600},
		{"not found", fmt.Errorf("%w: 404", ErrNotYet), 600},
		{"gone", fmt.Errorf("%w: 410", ErrGone), 600},
		{"server", &httpclient.Error{Kind: httpclient.KindServer, Status: 500}, 600},
		{
			"server, to wait",
			&httpclient.Error{Kind: httpclient.KindServer, Status: 503, RetryAfter: 10 * time.Minute},
			70,
		},
		{"html", &httpclient.Error{Kind: httpclient.KindBody}, 600},
		{"redirected", &httpclient.Error{Kind: httpclient.KindRedirect, Status: 302}, 600},
		{"proxy", &httpclient.Error{Kind: httpclient.KindStatus, Status: 407}, 600},
		{"anything else", errProvider, 600},
		{"a panic", nil, 600},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, loop := silentFeed(t, 20, func(m *taskModel) {
					m.fault = func(string) error {
						if c.err == nil {
							panic("boom")
						}
						return c.err
					}
				})
				pass(t, time.Hour)
				if m.attempts() != 0 || m.State().Records != 0 {
					t.Errorf("%d attempts were counted", m.attempts())
				}
				if n := m.allFetches(); n > c.most || n < 4 {
					t.Errorf("in an hour of it, %d were fetched", n)
				}
				err := loop.trouble()
				if err == nil || loop.Status().State == StateOK || isPanic(err) != (c.err == nil) {
					t.Errorf("shown is %v", err)
				}
				m.with(func() { m.fault = nil })
				pass(t, 11*time.Minute)
				if loop.trouble() != nil || loop.Status().State != StateOK {
					t.Errorf("afterwards it shows %v", loop.trouble())
				}
				pass(t, 2*time.Hour)
				loop.Stop()
				m.want(t)
			})
		})
	}
}

// A record that is too large is set aside at once, without a witness, and then tried rarely.
func TestRecords_ATooLargeRecordIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, loop := silentFeed(t, 1, func(m *taskModel) {
			m.fault = func(string) error { return fmt.Errorf("%w: it has more than 64 MiB", ErrTooLarge) }
		})
		pass(t, 12*time.Hour)
		if n := m.allFetches(); n != 1 || loop.trouble() != nil || loop.Status().State != StateOK {
			t.Errorf("fetched %d times in 12 hours, shown %v", n, loop.trouble())
		}
		m.with(func() { m.fault = nil })
		pass(t, 24*time.Hour)
		loop.Stop()
		m.want(t)
	})
}

// A record that the provider can't give stops no other. It is set aside in the end, because
// others are fetched.
func TestRecords_APoisonedRecordStopsNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
	}{
		{"server", &httpclient.Error{Kind: httpclient.KindServer, Status: 500}},
		{"reset", &httpclient.Error{Kind: httpclient.KindNetwork}},
		{"broken", errors.New("the next link repeats")},
		{"bad request", &httpclient.Error{Kind: httpclient.KindBadRequest, Status: 400}},
		{"too long", &httpclient.Error{Kind: httpclient.KindTooLarge}},
		{"not found", fmt.Errorf("%w: 404", ErrNotYet)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var poison []string
				for i := range 10 {
					poison = append(poison, fmt.Sprint("c", i))
				}
				m, loop := silentFeed(t, 30, func(m *taskModel) { m.fault = only(c.err, poison...) })
				pass(t, 30*time.Second)
				if n := m.State().Records; n != 20 {
					t.Errorf("after half a minute %d calls are counted", n)
				}
				// Others come now and then.
				for i := range 90 {
					m.with(func() {
						now := time.Now()
						m.calls = append(m.calls, published(fmt.Sprint("d", i), now))
					})
					if _, err := m.notify(fmt.Sprint("d", i)); err != nil {
						t.Fatal(err)
					}
					pass(t, 10*time.Minute)
				}
				if n := m.State().Records; n != 110 {
					t.Errorf("%d calls are counted", n)
				}
				setAside := 0
				for _, key := range poison {
					if m.waiting("notified", key).SetAside {
						setAside++
					}
				}
				if setAside != len(poison) || loop.trouble() != nil {
					t.Errorf("%d of %d are set aside", setAside, len(poison))
				}
				loop.Stop()
				m.wantWhole(t)
			})
		})
	}
}

// A fault that is met while others are fetched is the record's: it counts as an attempt.
func TestRecords_AFaultBesideSuccessIsAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, loop := silentFeed(t, 5, func(m *taskModel) {
			m.fault = only(&httpclient.Error{Kind: httpclient.KindServer, Status: 500}, "c3")
			m.slow = func(key string) time.Duration { // the others are fetched after its refusal
				if key == "c3" {
					return 0
				}
				return time.Millisecond
			}
		})
		pass(t, 40*time.Second)
		if w := m.waiting("notified", "c3"); w.Attempts != 1 || m.State().Records != 4 || loop.trouble() != nil {
			t.Errorf("it is %+v, %d calls are counted, the trouble is %v", w, m.State().Records, loop.trouble())
		}
		loop.Stop()
	})
}

// When the loop stops, what has landed is committed, and what is under way ends.
func TestRecords_StopCommitsWhatHasLanded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, loop := silentFeed(t, 20, func(m *taskModel) {
			m.parallel, m.latency = 8, time.Second
		})
		<-time.After(1500 * time.Millisecond)
		loop.Stop()
		if n := m.State().Records; n < 8 {
			t.Errorf("%d calls are counted", n)
		}
		synctest.Wait()
		if m.inFlight != 0 {
			t.Errorf("%d are under way still", m.inFlight)
		}
		loop = m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} })
		loop.Start()
		pass(t, 2*time.Hour)
		loop.Stop()
		m.want(t)
	})
}

// While the ledger takes nothing, the provider isn't asked over and over, and the subscription is renewed all the same.
func TestRecords_AFullDisk(t *testing.T) {
	broken := errors.New("disk I/O error") // is shown as the feed's
	for _, full := range []error{ledger.ErrFull, ledger.ErrOutboxFull, ledger.ErrFenced, broken} {
		t.Run(full.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				manager := &fakeManager{again: time.Minute}
				m, loop := silentFeed(t, 200, func(m *taskModel) { m.latency = time.Millisecond },
					func(m *taskModel) { m.settings = func(s *FeedSettings) { s.Info.Subscription = manager } })
				m.with(func() { m.refuse = func(*counting.Page) error { return full } })
				pass(t, time.Second)
				m.with(func() { m.fetched = nil })
				asked := manager.asked()
				pass(t, time.Hour)
				if n := m.allFetches(); n > 1000 {
					t.Errorf("%d useless fetches in an hour", n)
				}
				if n := manager.asked() - asked; n < 5 {
					t.Errorf("in an hour the subscription was looked after %d times", n)
				}
				if err := loop.trouble(); err != nil && full != broken { //nolint:errorlint // one of the above
					t.Errorf("the feed takes it for the provider's: %v", err)
				}
				m.with(func() { m.refuse = nil })
				pass(t, 3*time.Hour)
				loop.Stop()
				m.want(t)
			})
		})
	}
}

// When the ledger can't be asked for work, it is asked again soon.
func TestRecords_AQueueThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, asked, broken := newTaskModel(time.Now()), 0, errors.New("disk I/O error")
		m.queue = func() error { asked++; return broken }
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} })
		loop.Start()
		pass(t, time.Minute)
		m.with(func() {
			if asked > 200 {
				t.Errorf("in a minute it was asked %d times", asked)
			}
			broken = nil
			m.add(time.Now(), time.Now().Add(time.Second), time.Second, -30*time.Second)
		})
		if loop.Status().State != StateError {
			t.Error("nothing of it is shown")
		}
		if _, err := m.notify("c0"); err != nil {
			t.Fatal(err)
		}
		pass(t, 2*time.Hour)
		loop.Stop()
		m.want(t)
	})
}

// counting.md 9: what no later read covers is listed again until nothing new is named.
func TestRule09_AListIsReadAgainWhileItNamesWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(now.Add(-20 * 24 * time.Hour))
		m.add(m.state.Origin, m.state.Origin.Add(10*time.Hour), time.Hour, 0)
		loop := m.loop()
		loop.Start()
		pass(t, time.Minute)
		loop.Stop()
		if first, second := m.lists[0], m.lists[1]; !first.from.Equal(second.from) || !first.to.Equal(second.to) {
			t.Errorf("the first range is %s to %s, the second %s to %s", first.from, first.to, second.from, second.to)
		}
	})
}

// hangingQueue is a ledger that hangs once a poll has ended.
type hangingQueue struct {
	*taskModel
	hangs bool
}

func (q *hangingQueue) Due(ctx context.Context, now time.Time, limit int) ([]work.Item, error) {
	if q.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return q.taskModel.Due(ctx, now, limit)
}

func (q *hangingQueue) Waiting(ctx context.Context) (waiting, setAside int, err error) {
	q.hangs = true
	return q.taskModel.Waiting(ctx)
}

// A ledger that hangs stops neither the status page nor the end of the loop.
func TestRecords_AQueueThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newTaskModel(time.Now())
		queue := &hangingQueue{taskModel: m}
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader, s.Queue = silent{}, queue })
		loop.Start()
		pass(t, time.Minute)
		began := time.Now()
		if s := loop.Status(); s.State != StateOK {
			t.Errorf("the state is %s", s.State)
		}
		loop.Stop()
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %s to say the status and to stop", took)
		}
	})
}
