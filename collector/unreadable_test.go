package collector

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// TestRule31_UnreadableSpans: spans that can't be read hold nothing else: the watermark passes
// them, they are as short as can be, and what is in them is counted when they can be read.
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
		{
			"side by side", time.Minute, 6 * time.Hour,
			[]time.Duration{time.Hour, time.Hour + time.Second, time.Hour + 2*time.Second},
			9 * time.Hour,
		},
		{"many", 5 * time.Minute, 12 * time.Hour, []time.Duration{
			-time.Hour, time.Hour, 2 * time.Hour,
			2*time.Hour + 7*time.Second, 5 * time.Hour,
		}, 18 * time.Hour},
		{
			"short intervals", time.Second, time.Minute,
			[]time.Duration{5 * time.Minute, 7 * time.Minute},
			20 * time.Minute,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now().Truncate(time.Second)
				m := newModel(begin.Add(-3 * time.Hour))
				m.latency = 50 * time.Millisecond
				after := min(2*time.Hour, 10*c.lookback) // how long calls go on once all can be read
				traffic(m, begin.Add(c.heal+after), max(c.interval/4, time.Second), c.lookback)
				inBad := func(at time.Time) bool {
					for _, b := range c.bad {
						if from := begin.Add(b); !at.Before(from) && at.Before(from.Add(time.Second)) {
							return true
						}
					}
					return false
				}
				for i := range m.rows { // the watermark may pass a stepped over call
					if row := &m.rows[i]; inBad(row.start.Add(-3*time.Second)) || inBad(row.start) ||
						inBad(row.start.Add(3*time.Second)) {
						row.published = row.published.Add(time.Millisecond)
					}
				}
				m.fault = func(from, to time.Time, _ int) error {
					for _, b := range c.bad {
						if at := begin.Add(b); from.Before(at.Add(time.Second)) && to.After(at) &&
							time.Since(begin) < c.heal {
							return httpclient.Retryable(errProvider)
						}
					}
					return nil
				}
				o := newObserved()
				l := loopOver(m, c.interval, c.lookback, func(s *FeedSettings) { s.Metrics = o.FeedMetrics })
				l.Start()
				pass(t, c.heal-time.Minute)
				if behind := time.Since(m.State().Watermark); behind > 3*c.interval+time.Minute ||
					!m.State().HistoryDone {
					t.Errorf("the watermark is %s behind, the history read: %t", behind, m.State().HistoryDone)
				}
				if n := len(l.Status().Unread); n == 0 || n > 4*len(c.bad) {
					t.Errorf("stepped over are %v", l.Status().Unread)
				}
				if got, most := o.duration(metrics.Unreadable), time.Duration(4*len(c.bad))*time.Second; got == 0 ||
					got > most {
					t.Errorf("%s can't be read, want at most %s", got, most)
				}
				for range 6 * 60 {
					if pass(t, time.Minute); o.duration(metrics.Unreadable) == 0 {
						break
					}
				}
				pass(t, after+time.Hour+c.lookback)
				l.Stop()
				for _, problem := range m.broken {
					t.Error(problem)
				}
				by := time.Now().Add(-c.lookback - time.Hour)
				if left := m.missing(by); len(left) != 0 {
					t.Errorf("%d calls weren't counted, the first of %s after the begin", len(left),
						left[0].start.Sub(begin))
				}
				if len(l.Status().Unread) != 0 || o.duration(metrics.Unreadable) != 0 {
					t.Errorf("still stepped over are %v, %s", l.Status().Unread, o.duration(metrics.Unreadable))
				}
			})
		})
	}
}

// TestRule31_AHistoryIsShownSoon: instants on which the provider always fails don't hide a first
// history, however many there are: it is shown with all of its other calls, next to what is missing.
// Each failed request takes as long as httpclient's three repeats.
func TestRule31_AHistoryIsShownSoon(t *testing.T) {
	const history, failing = 48 * time.Hour, 5600 * time.Millisecond
	spread := func(n int) (bad []plan.Span) {
		for i := range n {
			at := (time.Duration(i+1) * history / time.Duration(n+1)).Truncate(time.Second)
			bad = append(bad, during(at, at+time.Second))
		}
		return bad
	}
	for _, c := range []struct {
		name     string
		interval time.Duration
		bad      []plan.Span // from the begin of the history
		within   time.Duration
	}{
		{"one", 10 * time.Second, spread(1), 150 * time.Second},
		{"one, seldom read", 5 * time.Minute, spread(1), 150 * time.Second},
		{"one at the begin", 30 * time.Second, []plan.Span{during(0, time.Second)}, 150 * time.Second},
		{
			"one in the first day", 30 * time.Second,
			[]plan.Span{during(16*time.Hour, 16*time.Hour+time.Second)},
			150 * time.Second,
		},
		{
			"one at the end of a day", 30 * time.Second,
			[]plan.Span{during(24*time.Hour-5*time.Second, 24*time.Hour-4*time.Second)},
			150 * time.Second,
		},
		{"three", 30 * time.Second, spread(3), 6 * time.Minute},
		{"half a day", 30 * time.Second, []plan.Span{during(10*time.Hour, 22*time.Hour)}, 20 * time.Minute},
		{"more than a hundred", 30 * time.Second, spread(110), 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now().Truncate(time.Second)
				m := newModel(begin.Add(-history))
				m.latency = 50 * time.Millisecond
				traffic(m, begin.Add(12*time.Hour), 10*time.Minute, time.Second)
				var healed atomic.Bool
				isBad := func(from, to time.Time) bool {
					return slices.ContainsFunc(c.bad, func(b plan.Span) bool {
						return from.Before(begin.Add(b.To.Sub(time.Time{})-history)) &&
							to.After(begin.Add(b.From.Sub(time.Time{})-history))
					})
				}
				m.fault = func(from, to time.Time, _ int) error {
					if healed.Load() || !isBad(from, to) {
						return nil
					}
					<-time.After(failing)
					return httpclient.Retryable(errProvider)
				}
				o := newObserved()
				l := loopOver(m, c.interval, history, func(s *FeedSettings) { s.Metrics = o.FeedMetrics })
				l.Start()
				for !m.State().HistoryDone && time.Since(begin) <= c.within {
					pass(t, time.Second)
				}
				t.Logf("after %s and %d reads %d spans, %s, are stepped over", time.Since(begin), len(m.done()),
					len(l.Status().Unread), o.duration(metrics.Unreadable))
				if !m.State().HistoryDone || o.duration(metrics.Unreadable) == 0 || len(l.Status().Unread) == 0 {
					t.Errorf("the history is shown: %t", m.State().HistoryDone)
				}
				pass(t, time.Hour)
				if behind := time.Since(m.State().Watermark); behind > c.interval+time.Minute {
					t.Errorf("the watermark is %s behind", behind)
				}
				beside := slices.DeleteFunc(m.missing(begin), func(row modelRow) bool {
					return isBad(row.start.Add(-3*time.Second), row.start.Add(3*time.Second))
				})
				if len(beside) > 0 {
					t.Errorf("%d calls that can be read aren't counted, the first at %s", len(beside),
						beside[0].start.Sub(begin.Add(-history)))
				}
				healed.Store(true)
				for range 6 {
					if pass(t, time.Hour); o.duration(metrics.Unreadable) == 0 {
						break
					}
				}
				pass(t, time.Hour)
				l.Stop()
				if left := m.missing(begin); len(left) > 0 || len(l.Status().Unread) > 0 {
					t.Errorf("%d calls weren't counted; stepped over are %v", len(left), l.Status().Unread)
				}
			})
		})
	}
}

// TestRule31_ALongSpanIsReadAgainByHalves: what can be read again of a long span that is stepped
// over is counted, the rest stays stepped over, and reading it again holds up no other read.
func TestRule31_ALongSpanIsReadAgainByHalves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now().Truncate(time.Second)
		m := newModel(begin.Add(-12 * time.Hour))
		traffic(m, begin.Add(time.Hour), time.Minute, time.Second)
		const heals = 2*time.Hour + time.Minute
		bad := []plan.Span{{From: begin.Add(-8 * time.Hour), To: begin.Add(-6 * time.Hour)}}
		var stay []plan.Span // when all else heals
		for i := range 5 {
			at := bad[0].From.Add(time.Duration(i) * 29 * time.Minute)
			stay = append(stay, plan.Span{From: at, To: at.Add(time.Second)})
		}
		isBad := func(from, to time.Time) bool {
			now := bad
			if time.Since(begin) > heals {
				now = stay
			}
			return slices.ContainsFunc(now, func(b plan.Span) bool { return from.Before(b.To) && to.After(b.From) })
		}
		m.fault = func(from, to time.Time, _ int) error {
			if !isBad(from, to) {
				return nil
			}
			<-time.After(5 * time.Second)
			return httpclient.Retryable(errProvider)
		}
		o := newObserved()
		l := loopOver(m, 30*time.Second, 6*time.Hour, func(s *FeedSettings) { s.Metrics = o.FeedMetrics })
		l.Start()
		pass(t, 2*time.Hour)
		if got := o.duration(metrics.Unreadable); got < 2*time.Hour || got > 2*time.Hour+10*time.Second ||
			!m.State().HistoryDone {
			t.Fatalf("%s are stepped over, the history read: %t", got, m.State().HistoryDone)
		}
		pass(t, 20*time.Hour)
		l.Stop()
		if got := o.duration(metrics.Unreadable); got < 5*time.Second || got > 15*time.Second {
			t.Errorf("of five instants %s are stepped over", got)
		}
		for _, row := range m.missing(begin) {
			if !isBad(row.start.Add(-3*time.Second), row.start.Add(3*time.Second)) {
				t.Errorf("the call at %s isn't counted", row.start.Sub(begin))
			}
		}
		last := begin
		for _, r := range m.reads {
			if r.err != nil || !near(r.to, r.at) {
				continue
			}
			if gap := r.at.Sub(last); gap > 45*time.Second {
				t.Errorf("at %s nothing new was read for %s", r.at.Sub(begin), gap)
			}
			last = r.at
		}
	})
}

// during is a span by its distance from the zero time.
func during(from, to time.Duration) plan.Span {
	return plan.Span{From: time.Time{}.Add(from), To: time.Time{}.Add(to)}
}

// TestRule31_ADayThatCantBeRead: of a provider that only knows days a day that can't be read
// doesn't hold up the days around it, late calls of these included.
func TestRule31_ADayThatCantBeRead(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name         string
		history, bad time.Duration // before the begin at midnight; the day begins there
	}{
		{"the first day", 3 * time.Hour, day},
		{"a day of the history", 60 * time.Hour, 2 * day},
		{"the day before", 60 * time.Hour, day},
		{"today", 30 * time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now() // midnight
				m, bad := newModel(begin.Add(-c.history)), begin.Add(-c.bad)
				m.limits.Grain = day
				traffic(m, begin.Add(40*time.Hour), 5*time.Minute, 6*time.Hour)
				isBad := func(at time.Time) bool { return !at.Before(bad) && at.Before(bad.Add(day)) }
				m.fault = func(from, to time.Time, _ int) error {
					if from.Truncate(day).Before(bad.Add(day)) && to.After(bad) {
						return errProvider
					}
					return nil
				}
				l := loopOver(m, time.Minute, 48*time.Hour)
				l.Start()
				pass(t, 36*time.Hour)
				if behind := time.Since(m.State().Watermark); behind > 10*time.Minute || !m.State().HistoryDone {
					t.Errorf("the watermark is %s behind, the history read: %t", behind, m.State().HistoryDone)
				}
				left := slices.DeleteFunc(m.missing(begin.Add(30*time.Hour)),
					func(r modelRow) bool { return isBad(r.start) })
				if len(left) > 0 {
					t.Errorf("%d calls of other days weren't counted, the first of %s after the begin", len(left),
						left[0].start.Sub(begin))
				}
				if unread := l.Status().Unread; len(unread) != 1 {
					t.Errorf("stepped over are %q", unread)
				}
				l.Stop()
			})
		})
	}
}

// missingRows is a reader whose provider says for some spans that there are more rows than it
// gives.
type missingRows struct {
	*model

	isShort func(from, to time.Time) bool
}

func (r missingRows) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		rows := 0
		for page, err := range r.model.Pages(ctx, from, to) {
			if !yield(page, err) || err != nil {
				return
			}
			rows += len(page.Records)
		}
		if r.isShort(from, to) {
			yield(nil, &FewerRows{From: from, To: to, Rows: rows, Total: rows + 3})
		}
	}
}

// TestRule13_MissingRows: a span with fewer rows than the provider's total is read five times; then
// the watermark stands before it, newer calls are counted, and the status shows rows, total and
// span. It ends once the rows are there.
func TestRule13_MissingRows(t *testing.T) {
	for _, c := range []struct {
		name  string
		bad   time.Duration // after the begin; a second
		grain time.Duration
	}{
		{"later", time.Hour, 0},
		{"in the history", -2 * time.Hour, 0},
		{"at the begin of the history", -3 * time.Hour, 0},
		{"a day that can't be halved", time.Hour, 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now().Truncate(time.Second)
				m := newModel(begin.Add(-3 * time.Hour))
				m.limits.Grain = c.grain
				traffic(m, begin.Add(14*time.Hour), time.Minute, time.Hour)
				bad, asked := begin.Add(c.bad), new(atomic.Int64)
				r := missingRows{m, func(from, to time.Time) bool {
					short := time.Since(begin) <= 10*time.Hour && from.Before(bad.Add(time.Second)) && to.After(bad)
					if short {
						asked.Add(1)
					}
					return short
				}}
				l := loopOver(m, time.Minute, 6*time.Hour, func(s *FeedSettings) { s.Info.Reader = r })
				l.Start()
				pass(t, 10*time.Hour)
				if at := m.State().Watermark; at.After(bad) || at.Before(begin.Add(-3*time.Hour)) ||
					!m.State().HistoryDone {
					t.Errorf("the watermark is %s, missing since %s, the history read: %t", at, bad,
						m.State().HistoryDone)
				}
				if left := m.missing(begin.Add(9*time.Hour - 10*time.Minute)); len(left) > 0 {
					t.Errorf("%d calls weren't counted, the first of %s after the begin", len(left),
						left[0].start.Sub(begin))
				}
				if unread := l.Status().Unread; len(unread) != 1 || !strings.Contains(unread[0], " rows)") {
					t.Errorf("shown is %q", unread)
				}
				if n := asked.Load(); n%FewerRowsReads != 0 || n > 40*FewerRowsReads {
					t.Errorf("the span was read %d times", n)
				}
				pass(t, 7*time.Hour)
				l.Stop()
				if behind := time.Since(m.State().Watermark); behind > 5*time.Minute || len(l.Status().Unread) > 0 {
					t.Errorf("the watermark is %s behind, still shown is %q", behind, l.Status().Unread)
				}
				for _, problem := range m.broken {
					t.Error(problem)
				}
			})
		})
	}
}

// TestRule10_MissingRowsThatCome while the clocks differ don't move the watermark before these agree.
func TestRule10_MissingRowsThatCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now().Truncate(time.Second)
		m := newModel(begin.Add(-3 * time.Hour))
		traffic(m, begin.Add(14*time.Hour), time.Minute, time.Hour)
		bad := begin.Add(time.Hour)
		r := missingRows{m, func(from, to time.Time) bool {
			return time.Since(begin) <= 3*time.Hour && from.Before(bad.Add(time.Second)) && to.After(bad)
		}}
		var lie atomic.Int64
		m.date = func() time.Time { return time.Now().Add(time.Duration(lie.Load())) }
		l := loopOver(m, time.Minute, 6*time.Hour, func(s *FeedSettings) { s.Info.Reader = r })
		l.Start()
		pass(t, 2*time.Hour)
		lie.Store(int64(-7 * time.Hour))
		pass(t, 8*time.Hour)
		if s := m.State(); len(s.Spans) > 0 || s.Watermark.After(bad) {
			t.Errorf("still to be read are %v, the watermark is %s after the missing rows", s.Spans,
				s.Watermark.Sub(bad))
		}
		lie.Store(0)
		pass(t, time.Hour)
		l.Stop()
		if behind := time.Since(m.State().Watermark); behind > 5*time.Minute {
			t.Errorf("the watermark is %s behind", behind)
		}
	})
}

// TestRule30_AnOutageStepsOverNothing: a provider that fails for every span is at fault itself,
// however it fails and for however long.
func TestRule30_AnOutageStepsOverNothing(t *testing.T) {
	for _, c := range []struct {
		name                      string
		begins, flapping, latency time.Duration
	}{
		{"an outage", time.Hour, 0, 0},
		{"up every 3 minutes", time.Hour, 3 * time.Minute, 0},
		{"up every hour", time.Hour, time.Hour, 0},
		{"while a history is read", 5 * time.Minute, 0, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newModel(time.Now().Add(-3 * time.Hour))
				m.latency = c.latency
				traffic(m, time.Now().Add(20*time.Hour), time.Minute, 6*time.Hour)
				begin := time.Now()
				m.fault = func(time.Time, time.Time, int) error {
					since := time.Since(begin)
					up := since < c.begins || since > 15*time.Hour || c.flapping > 0 && since/c.flapping%2 == 0
					if up {
						return nil
					}
					return errProvider
				}
				l := loopOver(m, time.Minute, 6*time.Hour)
				l.Start()
				for time.Since(begin) < 14*time.Hour+30*time.Minute {
					if pass(t, time.Minute); len(l.Status().Unread) != 0 {
						t.Errorf("after %s %v is stepped over", time.Since(begin), l.Status().Unread)
						break
					}
				}
				if behind := time.Since(m.State().Watermark); c.flapping == 0 && behind < 13*time.Hour {
					t.Errorf("the watermark is %s behind", behind)
				}
				pass(t, 20*time.Hour)
				l.Stop()
				if left := m.missing(begin.Add(20 * time.Hour)); len(left) != 0 || len(l.Status().Unread) != 0 {
					t.Errorf("%d calls weren't counted, and %v is stepped over", len(left), l.Status().Unread)
				}
			})
		})
	}
}
