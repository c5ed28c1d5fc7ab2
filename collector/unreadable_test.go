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

// overlaps says whether a range from begin on touches one of some spans.
func overlaps(begin time.Time, spans []plan.Span) func(from, to time.Time) bool {
	return func(from, to time.Time) bool {
		return slices.ContainsFunc(spans, func(s plan.Span) bool {
			return from.Before(begin.Add(s.To.Sub(time.Time{}))) && to.After(begin.Add(s.From.Sub(time.Time{})))
		})
	}
}

// during is a span by its distance from a begin; instants are spans of a second.
func during(from, to time.Duration) plan.Span {
	return plan.Span{From: time.Time{}.Add(from), To: time.Time{}.Add(to)}
}

func instants(at ...time.Duration) (spans []plan.Span) {
	for _, at := range at {
		spans = append(spans, during(at, at+time.Second))
	}
	return spans
}

// beside are the calls that are missing although what is around them can be read.
func (m *model) beside(by time.Time, isBad func(from, to time.Time) bool) []modelRow {
	return slices.DeleteFunc(m.missing(by), func(r modelRow) bool {
		return isBad(r.start.Add(-3*time.Second), r.start.Add(3*time.Second))
	})
}

// TestRule31_UnreadableSpans: spans that can't be read hold nothing else, however many there are: a first history is
// shown soon, with all that is around them, and the watermark passes them. They are as short as can be, and what is in
// them is counted when they can be read. A request that fails takes as long as httpclient's three repeats.
func TestRule31_UnreadableSpans(t *testing.T) {
	const h, failing = time.Hour, 5600 * time.Millisecond
	spread := func(n int) (bad []plan.Span) {
		for i := range n {
			bad = append(bad, instants((time.Duration(i+1) * 48 * h / time.Duration(n+1)).Truncate(time.Second))...)
		}
		return bad
	}
	for _, c := range []struct {
		name                        string
		interval, lookback, history time.Duration
		bad                         []plan.Span   // from the begin of the history
		within                      time.Duration // it is shown
		heal                        time.Duration
	}{
		{"one", 5 * time.Minute, 48 * h, 48 * h, spread(1), 150 * time.Second, h},
		{"one at the begin", 5 * time.Minute, 48 * h, 48 * h, instants(0), 150 * time.Second, h},
		{"one in the first day", 5 * time.Minute, 48 * h, 48 * h, instants(16 * h), 150 * time.Second, h},
		{"at the end of a day", 5 * time.Minute, 48 * h, 48 * h, instants(day - 5*time.Second), 150 * time.Second, h},
		{"three", 5 * time.Minute, 48 * h, 48 * h, spread(3), 6 * time.Minute, h},
		{"half a day", 5 * time.Minute, 48 * h, 48 * h, []plan.Span{during(10*h, 22*h)}, 20 * time.Minute, h},
		{"more than a hundred", 5 * time.Minute, 48 * h, 48 * h, spread(110), 2 * h, 3 * h},
		{
			"later, side by side", time.Minute, 2 * h, 3 * h, instants(4*h, 4*h+time.Second, 4*h+2*time.Second),
			time.Minute, 4 * h,
		},
		{
			"many", 5 * time.Minute, 12 * h, 3 * h, instants(2*h, 4*h, 5*h, 5*h+7*time.Second, 8*h), 150 * time.Second,
			18 * h,
		},
		{
			"short intervals", 2 * time.Second, 2 * time.Minute, 3 * h, instants(3*h+5*time.Minute, 3*h+7*time.Minute),
			time.Minute, 12 * time.Minute,
		},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			begin := time.Now()
			m := newModel(t, begin.Add(-c.history))
			m.latency = 50 * time.Millisecond
			late, after := min(2*h, c.lookback), min(2*h, 10*c.lookback) // how long calls go on once all can be read
			traffic(m, begin.Add(c.heal+after), 3*c.interval, late)
			isBad := overlaps(begin.Add(-c.history), c.bad)
			for i := range m.rows { // the watermark may pass a stepped over call
				if row := &m.rows[i]; isBad(row.start.Add(-3*time.Second), row.start.Add(3*time.Second)) {
					row.published = row.published.Add(time.Millisecond)
				}
			}
			m.fault = func(from, to time.Time, _ int) error {
				if time.Since(begin) >= c.heal || !isBad(from, to) {
					return nil
				}
				<-time.After(min(failing, c.interval))
				return httpclient.Retryable(errProvider)
			}
			o := newObserved()
			l := loopOver(m, c.interval, c.lookback, func(s *FeedSettings) { s.Metrics = o.FeedMetrics })
			l.Start()
			for !m.State().HistoryDone && time.Since(begin) <= c.within {
				pass(t, time.Second)
			}
			if !m.State().HistoryDone {
				t.Errorf("the history isn't shown after %s", c.within)
			}
			pass(t, c.heal-time.Since(begin)-time.Minute)
			if behind := time.Since(m.State().Watermark); behind > c.interval+time.Minute {
				t.Errorf("the watermark is %s behind", behind)
			}
			if left := m.beside(begin, isBad); len(left) > 0 {
				t.Errorf("%d calls that can be read aren't counted, such as %v", len(left), left[0])
			}
			isLong := c.bad[0].Length() > time.Minute // it is read again by halves
			if n := len(l.Status().Unread); n == 0 || n > 4*len(c.bad) && !isLong {
				t.Errorf("stepped over are %v", l.Status().Unread)
			}
			var most time.Duration
			for _, span := range c.bad {
				most += span.Length() + 3*time.Second
			}
			if got := o.duration(metrics.Unreadable); got == 0 || got > most {
				t.Errorf("%s can't be read, want at most %s", got, most)
			}
			pass(t, min(7*h, 2*c.heal)+after+late)
			l.Stop()
			m.wantWhole(t, time.Now().Add(-late-h), 3*c.interval+time.Minute)
			if len(l.Status().Unread) != 0 || o.duration(metrics.Unreadable) != 0 {
				t.Errorf("still stepped over are %v, %s", l.Status().Unread, o.duration(metrics.Unreadable))
			}
		})
	}
}

// TestRule31_ALongSpanIsReadAgainByHalves: what can be read again of a long span that is stepped
// over is counted, the rest stays stepped over, and reading it again holds up no other read.
func TestRule31_ALongSpanIsReadAgainByHalves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const h, heals = time.Hour, 2*time.Hour + time.Minute
		begin := time.Now()
		m := newModel(t, begin.Add(-12*h))
		traffic(m, begin.Add(h), time.Minute, time.Second)
		bad := overlaps(begin, []plan.Span{during(-8*h, -6*h)})
		stays := overlaps(begin, instants(-8*h, -451*time.Minute, -422*time.Minute, -393*time.Minute, -364*time.Minute))
		m.fault = func(from, to time.Time, _ int) error {
			if healed := time.Since(begin) > heals; healed && !stays(from, to) || !healed && !bad(from, to) {
				return nil
			}
			<-time.After(5 * time.Second)
			return httpclient.Retryable(errProvider)
		}
		o := newObserved()
		l := loopOver(m, time.Minute, 6*h, func(s *FeedSettings) { s.Metrics = o.FeedMetrics })
		l.Start()
		pass(t, 2*h)
		if got := o.duration(metrics.Unreadable); got < 2*h || got > 2*h+10*time.Second || !m.State().HistoryDone {
			t.Fatalf("%s are stepped over, the history read: %t", got, m.State().HistoryDone)
		}
		pass(t, 20*h)
		l.Stop()
		if got := o.duration(metrics.Unreadable); got < 5*time.Second || got > 15*time.Second {
			t.Errorf("of five instants %s are stepped over", got)
		}
		if left := m.beside(begin, stays); len(left) > 0 {
			t.Errorf("%d calls that can be read aren't counted, such as %v", len(left), left[0])
		}
		last := begin
		for _, r := range m.reads {
			if r.err != nil || !near(r.to, r.at) {
				continue
			}
			if gap := r.at.Sub(last); gap > 75*time.Second {
				t.Errorf("at %s nothing new was read for %s", r.at.Sub(begin), gap)
			}
			last = r.at
		}
	})
}

// TestRule31_ADayThatCantBeRead: of a provider that only knows days a day that can't be read
// doesn't hold up the days around it, late calls of these included.
func TestRule31_ADayThatCantBeRead(t *testing.T) {
	for _, c := range []struct {
		name         string
		history, bad time.Duration // before the begin at midnight; the day begins there
	}{
		{"the first day", 3 * time.Hour, day},
		{"a day of the history", 60 * time.Hour, 2 * day},
		{"the day before", 60 * time.Hour, day},
		{"today", 30 * time.Hour, 0},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			begin := time.Now() // midnight
			m, bad := newModel(t, begin.Add(-c.history)), begin.Add(-c.bad)
			m.limits.Grain = day
			traffic(m, begin.Add(40*time.Hour), 10*time.Minute, 6*time.Hour)
			isBad := func(at time.Time) bool { return !at.Before(bad) && at.Before(bad.Add(day)) }
			m.fault = func(from, to time.Time, _ int) error {
				if from.Truncate(day).Before(bad.Add(day)) && to.After(bad) {
					return errProvider
				}
				return nil
			}
			l := loopOver(m, 6*time.Minute, 48*time.Hour)
			l.Start()
			pass(t, 36*time.Hour)
			if behind := time.Since(m.State().Watermark); behind > 10*time.Minute || !m.State().HistoryDone {
				t.Errorf("the watermark is %s behind, the history read: %t", behind, m.State().HistoryDone)
			}
			left := m.missing(begin.Add(30 * time.Hour))
			left = slices.DeleteFunc(left, func(r modelRow) bool { return isBad(r.start) })
			if len(left) > 0 {
				t.Errorf("%d calls of other days weren't counted, the first of %s after the begin", len(left),
					left[0].start.Sub(begin))
			}
			if unread := l.Status().Unread; len(unread) != 1 {
				t.Errorf("stepped over are %q", unread)
			}
			l.Stop()
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

// lackingUntil is a reader that lacks rows at an instant until a time. It counts how often a read asks for them.
func lackingUntil(m *model, at, until time.Time) (r missingRows, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	return missingRows{m, func(from, to time.Time) bool {
		short := !time.Now().After(until) && from.Before(at.Add(time.Second)) && to.After(at)
		if short {
			asked.Add(1)
		}
		return short
	}}, asked
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
		inBubble(t, c.name, func(t *testing.T) {
			begin := time.Now()
			m := newModel(t, begin.Add(-3*time.Hour))
			m.limits.Grain = c.grain
			traffic(m, begin.Add(14*time.Hour), 5*time.Minute, time.Hour)
			bad := begin.Add(c.bad)
			r, asked := lackingUntil(m, bad, begin.Add(10*time.Hour))
			l := loopOver(m, 3*time.Minute, 6*time.Hour, func(s *FeedSettings) { s.Info.Reader = r })
			l.Start()
			pass(t, 10*time.Hour)
			if s := m.State(); s.Watermark.After(bad) || s.Watermark.Before(s.Origin) || !s.HistoryDone {
				t.Errorf("the watermark is %s, missing since %s, history: %t", s.Watermark, bad, s.HistoryDone)
			}
			if left := m.missing(begin.Add(9*time.Hour - 10*time.Minute)); len(left) > 0 {
				t.Errorf("%d calls weren't counted, the first of %s", len(left), left[0].start)
			}
			if unread := l.Status().Unread; len(unread) != 1 || !strings.Contains(unread[0], " rows)") {
				t.Errorf("shown is %q", unread)
			}
			if n := asked.Load(); n%FewerRowsReads != 0 || n > 40*FewerRowsReads {
				t.Errorf("the span was read %d times", n)
			}
			pass(t, 7*time.Hour)
			l.Stop()
			m.wantWhole(t, begin.Add(14*time.Hour), 5*time.Minute)
			if unread := l.Status().Unread; len(unread) > 0 {
				t.Errorf("still shown is %q", unread)
			}
		})
	}
}

// TestRule10_MissingRowsThatCome while the clocks differ don't move the watermark before these agree.
func TestRule10_MissingRowsThatCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := newModel(t, begin.Add(-3*time.Hour))
		traffic(m, begin.Add(14*time.Hour), time.Minute, time.Hour)
		bad := begin.Add(time.Hour)
		r, _ := lackingUntil(m, bad, begin.Add(3*time.Hour))
		var date skewed
		m.date = date.now
		l := loopOver(m, time.Minute, 6*time.Hour, func(s *FeedSettings) { s.Info.Reader = r })
		l.Start()
		pass(t, 2*time.Hour)
		date.set(-7 * time.Hour)
		pass(t, 8*time.Hour)
		if s := m.State(); len(s.Spans) > 0 || s.Watermark.After(bad) {
			t.Errorf("still to be read are %v, the watermark is %s, missing since %s", s.Spans, s.Watermark, bad)
		}
		date.set(0)
		pass(t, time.Hour)
		l.Stop()
		m.wantWhole(t, time.Now().Add(-time.Hour), 5*time.Minute)
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
		{"up every 9 minutes", time.Hour, 9 * time.Minute, 0},
		{"up every hour", time.Hour, time.Hour, 0},
		{"while a history is read", 5 * time.Minute, 0, time.Minute},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			m := newModel(t, time.Now().Add(-3*time.Hour))
			m.latency = c.latency
			traffic(m, time.Now().Add(20*time.Hour), 5*time.Minute, 6*time.Hour)
			begin := time.Now()
			m.fault = func(time.Time, time.Time, int) error {
				since := time.Since(begin)
				up := since < c.begins || since > 15*time.Hour || c.flapping > 0 && since/c.flapping%2 == 0
				if up {
					return nil
				}
				return errProvider
			}
			l := loopOver(m, 3*time.Minute, 6*time.Hour)
			l.Start()
			for time.Since(begin) < 14*time.Hour+30*time.Minute {
				if pass(t, 3*time.Minute); len(l.Status().Unread) != 0 {
					t.Errorf("after %s %v is stepped over", time.Since(begin), l.Status().Unread)
					break
				}
			}
			if behind := time.Since(m.State().Watermark); c.flapping == 0 && behind < 13*time.Hour {
				t.Errorf("the watermark is %s behind", behind)
			}
			pass(t, 9*time.Hour)
			l.Stop()
			if left := m.missing(begin.Add(20 * time.Hour)); len(left) != 0 || len(l.Status().Unread) != 0 {
				t.Errorf("%d calls weren't counted, and %v is stepped over", len(left), l.Status().Unread)
			}
		})
	}
}
