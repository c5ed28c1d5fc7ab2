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
	m := newTaskModel(t, now)
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
	m.notify(keys...) // of all at once: the feed is woken once
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
	for _, w := range m.tasks() {
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
		inBubble(t, c.name, func(t *testing.T) {
			m, loop := silentFeed(t, 20, func(m *taskModel) {
				m.fault = func(string) error {
					if c.err == nil {
						panic("boom")
					}
					return c.err
				}
			})
			pass(t, time.Hour)
			if m.attempts() != 0 || m.State().Calls != 0 {
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
	poison := map[string]error{
		"c0": &httpclient.Error{Kind: httpclient.KindServer, Status: 500},
		"c1": &httpclient.Error{Kind: httpclient.KindNetwork},
		"c2": errors.New("the next link repeats"),
		"c3": &httpclient.Error{Kind: httpclient.KindBadRequest, Status: 400},
		"c4": &httpclient.Error{Kind: httpclient.KindTooLarge},
		"c5": fmt.Errorf("%w: 404", ErrNotYet),
	}
	synctest.Test(t, func(t *testing.T) {
		m, loop := silentFeed(t, 13, func(m *taskModel) { m.fault = func(key string) error { return poison[key] } })
		pass(t, 30*time.Second)
		if n := m.State().Calls; n != 7 {
			t.Errorf("after half a minute %d calls are counted", n)
		}
		// Others come now and then.
		for i := range 90 {
			key := fmt.Sprint("d", i)
			m.with(func() { m.calls = append(m.calls, published(key, time.Now())) })
			m.notify(key)
			pass(t, 10*time.Minute)
		}
		if n := m.State().Calls; n != 97 || loop.trouble() != nil {
			t.Errorf("%d calls are counted, the trouble is %v", n, loop.trouble())
		}
		for key, err := range poison {
			if !m.waiting("notified", key).SetAside {
				t.Errorf("not set aside: %v", err)
			}
		}
		loop.Stop()
		m.wantWhole(t)
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
		if n := m.State().Calls; n < 8 {
			t.Errorf("%d calls are counted", n)
		}
		synctest.Wait()
		if m.inFlight != 0 {
			t.Errorf("%d are under way still", m.inFlight)
		}
		loop = m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} })
		runFor(t, loop, 2*time.Hour)
		m.want(t)
	})
}

// counting.md 35: while the ledger takes nothing, the provider isn't asked over and over, no record is refused, and the
// subscription is renewed all the same. A full outbox takes notifications, none of which makes the feed ask.
func TestRecords_AFullDisk(t *testing.T) {
	broken := errors.New("disk I/O error") // is shown as the feed's
	for _, full := range []error{ledger.ErrFull, ledger.ErrOutboxFull, ledger.ErrFenced, broken} {
		inBubble(t, full.Error(), func(t *testing.T) {
			manager := &fakeManager{again: time.Minute}
			m, loop := silentFeed(t, 200, func(m *taskModel) { m.latency = time.Millisecond },
				func(m *taskModel) { m.settings = func(s *FeedSettings) { s.Info.Subscription = manager } })
			outbox := full == ledger.ErrOutboxFull //nolint:errorlint // one of the above
			m.with(func() {
				m.refuse = func(page *counting.Page) error {
					if outbox && len(page.Records) == 0 {
						return nil
					}
					return full
				}
			})
			pass(t, time.Second)
			m.with(func() { m.fetched = nil })
			asked := manager.asked()
			for range 600 {
				if pass(t, 6*time.Second); outbox {
					m.notify("c0")
				}
			}
			if n := m.allFetches(); n > 400 {
				t.Errorf("%d useless fetches in an hour", n)
			}
			if n := manager.asked() - asked; n < 5 {
				t.Errorf("in an hour the subscription was looked after %d times", n)
			}
			if err := loop.trouble(); err != nil && full != broken { //nolint:errorlint // one of the above
				t.Errorf("the feed takes it for the provider's: %v", err)
			}
			if m.attempts() != 0 {
				t.Errorf("%d attempts were counted", m.attempts())
			}
			m.with(func() { m.refuse = nil })
			pass(t, 3*time.Hour)
			loop.Stop()
			m.want(t)
		})
	}
}

// When the ledger can't be asked for work, it is asked again soon.
func TestRecords_AQueueThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, asked, broken := newTaskModel(t, time.Now()), 0, errors.New("disk I/O error")
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
		m.notify("c0")
		pass(t, 2*time.Hour)
		loop.Stop()
		m.want(t)
	})
}

// counting.md 9: what no later read covers is listed again until nothing new is named.
func TestRule09_AListIsReadAgainWhileItNamesWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(t, now.Add(-20*24*time.Hour))
		m.add(m.State().Origin, m.State().Origin.Add(10*time.Hour), time.Hour, 0)
		runFor(t, m.loop(), time.Minute)
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
		m := newTaskModel(t, time.Now())
		queue := &hangingQueue{taskModel: m}
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader, s.Ledger = silent{}, queue })
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

// slowDisk takes its time for each commit, and counts those with records.
type slowDisk struct {
	*taskModel
	commits int
}

func (l *slowDisk) Commit(ctx context.Context, page *counting.Page) (counting.Result, error) {
	<-time.After(50 * time.Millisecond)
	if len(page.Records) > 0 {
		l.commits++
	}
	return l.taskModel.Commit(ctx, page)
}

// Answers that arrive during a commit are committed together, so that a slow disk doesn't
// make each record wait for all before it.
func TestRecords_AnswersAreCommittedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		m := newTaskModel(t, now)
		m.latency, m.unlisted, m.parallel = 10*time.Millisecond, true, 8
		m.add(now, now.Add(200*time.Millisecond), time.Millisecond, -30*time.Second)
		for _, c := range m.calls {
			c.versions[0] = now
		}
		slow := &slowDisk{taskModel: m}
		loop := m.loop(func(s *FeedSettings) { s.Info.Reader = silent{} }, func(s *FeedSettings) { s.Ledger = slow })
		loop.Start()
		for _, c := range m.calls {
			m.notify(c.id)
		}
		pass(t, 5*time.Second)
		if n := m.State().Calls; n != 200 {
			t.Errorf("after five seconds %d calls are counted", n)
		}
		loop.Stop()
		if slow.commits > 60 {
			t.Errorf("they were committed in %d pieces", slow.commits)
		}
		m.wantWhole(t)
	})
}

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
		inBubble(t, skew.String(), func(t *testing.T) {
			now := time.Now()
			m := newTaskModel(t, now.Add(-time.Hour))
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
		inBubble(t, c.name, func(t *testing.T) {
			now := time.Now()
			m := newTaskModel(t, now.Add(-time.Hour))
			m.add(now, now.Add(time.Hour), 3*time.Minute, time.Minute)
			late := m.calls[5]
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
			if n, all := m.fetchesOf(late.id), m.allFetches(); n > 20 || all > 60 {
				t.Errorf("the record was fetched %d times in %s, all %d times", n, lasts, all)
			}
			local.set(0)
			date.set(0)
			pass(t, 40*time.Minute)
			if !m.isCounted(late.id) {
				t.Errorf("half an hour after it can be read it isn't counted: %+v", m.waiting("record", late.id))
			}
			pass(t, 90*time.Minute)
			l.Stop()
			m.want(t)
		})
	}
}

// failedOver is a ledger whose newest commits a failover has lost.
type failedOver struct {
	Ledger

	state counting.State
}

func (l *failedOver) State() counting.State { return l.state }

func (l *failedOver) Commit(context.Context, *counting.Page) (counting.Result, error) {
	return counting.Result{}, nil
}

// TestListAfterAFailover: a failover may lose the records that the list waits for, so the list is read again soon.
func TestListAfterAFailover(t *testing.T) {
	now := time.Now()
	l := &failedOver{state: counting.State{Origin: now.Add(-time.Hour), Floor: now.Add(-time.Hour), Watermark: now}}
	info := &FeedInfo{Lookback: 48 * time.Hour}
	f := newRanges(newCommitter(FeedSettings{Info: info, Ledger: l}.withDefaults()))
	f.load(l.state)
	f.seen = f.view(l.state)
	f.stored, f.withheld, f.resumeAt = []byte("ahead"), true, f.settings.Clock.Elapsed()+longestHold
	if wait := f.wait(t.Context()); wait > 10*time.Minute {
		t.Errorf("the list is read again in %s", wait)
	}
}
