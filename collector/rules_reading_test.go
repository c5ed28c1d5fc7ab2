package collector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestRule06_AFailingLevelBacksOffAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		var long []modelRead // attempts at what fails
		m.fault = func(from, to time.Time, _ int) error {
			if to.Sub(from) > 11*time.Minute {
				long = append(long, modelRead{at: time.Now(), from: from, to: to})
				return errProvider
			}
			return nil
		}
		run(t, m, minutely, 61*time.Minute)
		// Level 0 goes on once a minute.
		short := slices.DeleteFunc(slices.Clone(m.reads), func(r modelRead) bool { return r.err != nil })
		for i := 1; i < len(short); i++ {
			if gap := short[i].at.Sub(short[i-1].at); gap > time.Minute+time.Second {
				t.Errorf("%s passed between two reads that worked", gap)
			}
		}
		// The other is tried again with half its range until it works.
		if first := long[0].to.Sub(long[0].from); first.Round(time.Minute) != 20*time.Minute {
			t.Errorf("the first read that failed was %s long", first)
		}
		if retry := m.reads[slices.IndexFunc(m.reads, func(r modelRead) bool { return r.err != nil })+
			1]; retry.to.Sub(retry.from) > 11*time.Minute || retry.at.Sub(long[0].at) > time.Second {
			t.Errorf("the retry came %s later for a range of %s", retry.at.Sub(long[0].at), retry.to.Sub(retry.from))
		}
	})
}

// TestRule06_AHistoryThatKeepsFailing is tried again for ever, slower and slower, and live reads go on meanwhile.
func TestRule06_AHistoryThatKeepsFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m := newModel(t, began.Add(-day))
		forbidden := &httpclient.Error{Kind: httpclient.KindForbidden} // no span is ever at fault for that
		var tries []time.Time
		m.fault = func(from, _ time.Time, _ int) error {
			if time.Since(from) > 23*time.Hour {
				tries = append(tries, time.Now())
				return forbidden
			}
			return nil
		}
		loop := loopOver(m, time.Minute, 48*time.Hour, func(s *FeedSettings) {
			s.Random = func() float64 { return 0 }
		})
		loop.Start()
		pass(t, time.Hour)
		if s := loop.Status(); !s.Ready || s.State != StateError || s.LastError != forbidden.Error() ||
			m.State().Watermark.After(began.Add(-23*time.Hour)) {
			t.Errorf("ready is %t, the state %s: %s, the watermark %s", s.Ready, s.State, s.LastError,
				m.State().Watermark)
		}
		loop.Stop()
		var gaps []time.Duration
		for i := 1; i < len(tries); i++ {
			gaps = append(gaps, tries[i].Sub(tries[i-1]).Round(time.Second))
		}
		want := seconds(1, 2, 4, 8, 16, 32, 60, 60)
		if len(gaps) < 8 || !slices.Equal(gaps[:8], want) {
			t.Errorf("the history is tried again after %v, want %v", gaps, want)
		}
		live := 0
		for _, r := range m.reads {
			if r.err == nil && near(r.to, r.at) {
				live++
			}
		}
		if live < 59 {
			t.Errorf("%d reads up to now in an hour", live)
		}
	})
}

// TestRule06_APollThatTakesLongerThanTheInterval loses nothing, and what it is
// late with is bounded by its own time.
func TestRule06_APollThatTakesLongerThanTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval, lookback, latency = time.Second, 10 * time.Minute, 7 * time.Second
		m := newModel(t, time.Now())
		m.latency = latency
		traffic(m, time.Now().Add(2*time.Hour), 5*time.Second, lookback)
		run(t, m, plan.Ladder{Interval: interval, Lookback: lookback}, 2*time.Hour)
		if missing := m.missing(time.Now().Add(-lookback/2 - 10*latency)); len(missing) > 0 {
			t.Errorf("%d of %d calls are missing", len(missing), len(m.rows))
		}
		for _, row := range m.rows {
			late := row.published.Sub(row.start)
			if at, ok := m.counted[row.id]; ok && at.Sub(row.published) > max(late/2, 2*latency)+2*latency {
				t.Errorf("a call published %s after its start was seen %s later", late, at.Sub(row.published))
			}
		}
	})
}

func TestRule09_LongRangesAreCutAndOverlap(t *testing.T) {
	for _, limit := range []time.Duration{0, 90 * 24 * time.Hour, 30 * time.Hour, 10 * time.Minute} {
		inBubble(t, limit.String(), func(t *testing.T) {
			m := newModel(t, time.Now().Add(-4*24*time.Hour))
			m.limits.MaxRange = limit
			run(t, m, minutely, 5*time.Second)
			var end time.Time
			for _, r := range m.reads[1:] {
				if limit > 0 && r.to.Sub(r.from) > limit {
					t.Errorf("a range of %s, where %s are allowed", r.to.Sub(r.from), limit)
				}
				if !end.IsZero() && end.Sub(r.from) < time.Second {
					t.Errorf("a range from %s follows one to %s", r.from, end)
				}
				end = r.to
			}
			if !m.State().HistoryDone || !m.reads[1].from.Equal(m.State().Origin) {
				t.Errorf("done is %t; the history starts at %s", m.State().HistoryDone, m.reads[1].from)
			}
		})
	}
}

// TestRule09_OldRangesAreReadUntilNothingIsNew loses a row to offset paging in
// the first pass, and finds it in the second.
func TestRule09_OldRangesAreReadUntilNothingIsNew(t *testing.T) {
	for _, recent := range []bool{false, true} {
		inBubble(t, fmt.Sprint("recent is ", recent), func(t *testing.T) {
			origin := time.Now().Add(-5 * 24 * time.Hour)
			if recent {
				origin = time.Now().Add(-20 * time.Hour)
			}
			m := newModel(t, origin)
			m.pageSize = 3
			for i := range 10 {
				at := origin.Add(time.Duration(i+1) * time.Hour)
				m.rows = append(m.rows, modelRow{id: fmt.Sprint(i), start: at, published: at})
			}
			hidden := false
			m.fault = func(from, to time.Time, page int) error {
				if page == 1 && !hidden && !from.After(origin) {
					hidden = true
					m.rows[0].published = time.Now().Add(time.Second) // what follows moves up
				}
				return nil
			}
			run(t, m, minutely, 500*time.Millisecond)
			_, found := m.counted["3"]
			passes := 0
			for _, r := range m.reads {
				if r.from.Equal(origin) {
					passes++
				}
			}
			// A recent range will be read by deeper levels in any case.
			if want := map[bool]int{false: 3, true: 1}[recent]; passes != want || found == recent {
				t.Errorf("%d passes over the first range, want %d; the row that moved was found: %t", passes, want,
					found)
			}
		})
	}
}

func TestRule09_AtMostFivePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := time.Now().Add(-5 * 24 * time.Hour)
		m := newModel(t, origin)
		m.fault = func(from, _ time.Time, _ int) error {
			if from.Equal(origin) { // something is new each time
				m.rows = append([]modelRow{{id: fmt.Sprint(len(m.rows)), start: origin}}, m.rows...)
			}
			return nil
		}
		run(t, m, minutely, 5*time.Second)
		passes := 0
		for _, r := range m.reads {
			if r.from.Equal(origin) {
				passes++
			}
		}
		if passes != 5 || !m.State().HistoryDone {
			t.Errorf("%d passes, want 5; done is %t", passes, m.State().HistoryDone)
		}
	})
}

// TestRanges_AFirstReadThatFails is tried again at once, though none was due.
func TestRanges_AFirstReadThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := plan.Ladder{Interval: 5 * time.Minute, Lookback: 72 * time.Hour}
		m := quiet(t, l, time.Now())
		began := time.Now()
		m.fault = func(time.Time, time.Time, int) error {
			if time.Since(began) < 2*time.Second {
				return errProvider
			}
			return nil
		}
		run(t, m, l, 10*time.Second)
		if last := m.reads[len(m.reads)-1]; last.err != nil || len(m.reads) < 3 {
			t.Errorf("after ten seconds the reads are %v", m.reads)
		}
	})
}

// TestRanges_TheLedgersTroubleIsNotTheProviders: pieces aren't halved for it.
func TestRanges_TheLedgersTroubleIsNotTheProviders(t *testing.T) {
	for _, refused := range []error{ledger.ErrFull, ledger.ErrOutboxFull, ledger.ErrFenced, ledger.ErrClosed} {
		m := newModel(t, time.Now().Add(-time.Hour))
		m.refuse = func(*counting.Page) error { return refused }
		l := loopOver(m, time.Minute, time.Hour)
		list := partOf[*ranges](l)
		list.asked = true
		if err := list.do(t.Context()); !errors.Is(err, refused) || list.trouble() != nil {
			t.Errorf("%v: the poll says %v, the trouble is %v", refused, err, list.trouble())
		}
	}
}

// TestRanges_AnotherWritersPlanCounts: after ErrFenced the ledger's is newer.
func TestRanges_AnotherWritersPlanCounts(t *testing.T) {
	m := newModel(t, time.Now().Add(-10*24*time.Hour))
	l := loopOver(m, time.Minute, 48*time.Hour)
	list := partOf[*ranges](l)
	for list.plan == nil || list.wait(t.Context()) <= 0 {
		require.NoError(t, list.do(t.Context()))
	}
	last := list.ladder.Last()
	if list.plan.Levels[last].Read.IsZero() {
		t.Fatal("the deepest level wasn't read")
	}
	m.begin(&Page{Position: &Position{Resume: []byte{}}})
	if err := list.do(t.Context()); err != nil || list.level != last {
		t.Errorf("%v; level %d was read after the plan had been lost, want %d", err, list.level, last)
	}
}

// lasting returns a span of a length.
func lasting(d time.Duration) plan.Span {
	return plan.Span{From: time.Unix(0, 0), To: time.Unix(0, 0).Add(d)}
}

func TestLevels_PiecesFitTheirTime(t *testing.T) {
	for _, c := range []struct {
		name         string
		grain        time.Duration
		length, took time.Duration
		pages        int
		want         time.Duration
	}{
		{"fast", 0, day, time.Second, 10, 2 * day},
		{"short", 0, 9 * time.Minute, time.Second, 1, day},
		{"slow", 0, day, time.Hour, 100, day / 2},
		{"slow because each page is", 0, day, time.Hour, 1, 2 * day},
		{"slow and as short as can be", 0, time.Minute, time.Hour, 100, time.Minute},
		{"slow days", day, day, time.Hour, 100, day},
	} {
		s := newLevelStates(6, time.Minute, c.grain)
		s.succeeded(5, lasting(c.length), c.took, c.pages)
		if got := s.each[5].piece; got != c.want {
			t.Errorf("%s: the next piece may be %s long, want %s", c.name, got, c.want)
		}
	}
}

// TestReadAgain: a day that an audit names is read once more piece by piece. A restart doesn't lose it, nor does a
// provider that fails on a piece of it for hours: neither holds up the feed.
func TestReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		day := time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Hour)
		missed := day.Add(10 * time.Hour)
		m.rows = []modelRow{{id: "missed", start: missed, published: day}}
		var failing atomic.Bool
		failing.Store(true)
		m.fault = func(from, to time.Time, _ int) error {
			if failing.Load() && !missed.Before(from) && missed.Before(to) {
				return errProvider
			}
			return nil
		}
		l := loopOver(m, time.Minute, 48*time.Hour)
		require.NoError(t, l.ReadAgain(t.Context(), day, day.AddDate(0, 0, 1)))
		l.Stop() // before it was read
		l = loopOver(m, time.Minute, 48*time.Hour)
		l.Start()
		pass(t, 5*time.Hour)
		s, spans := l.Status(), m.State().Spans
		if s.State != StateOK || len(s.Unread) > 0 || len(spans) != 1 ||
			!strings.Contains(spans[0].Problem, errProvider.Error()) {
			t.Errorf("the state is %s, skipped is %v, owed are %+v", s.State, s.Unread, spans)
		}
		failing.Store(false)
		pass(t, 7*time.Hour)
		l.Stop()
		if left := m.missing(time.Now()); len(left) > 0 || len(m.State().Spans) > 0 {
			t.Errorf("missing are %v, owed are %v", left, m.State().Spans)
		}
	})
}

// TestReadAgain_BeforeTheFeedIsOpen: the caller tries again.
func TestReadAgain_BeforeTheFeedIsOpen(t *testing.T) {
	l := loopOver(newModel(t, time.Now()), time.Minute, time.Hour, func(s *FeedSettings) { s.Ledger = &pages{} })
	if err := l.ReadAgain(t.Context(), time.Now(), time.Now()); err == nil {
		t.Error("a span was added to a feed whose state isn't known")
	}
}
