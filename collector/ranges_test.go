package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// readerFunc is a RangeReader of a function.
type readerFunc func(from, to time.Time, emit func(*Page) error) error

func (f readerFunc) Pages(_ context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	return pagesOf(func(emit func(*Page) error) error { return f(from, to, emit) })
}

// pagesOf makes a sequence of a read that hands its pages on.
func pagesOf(read func(emit func(*Page) error) error) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		stopped := errors.New("stopped")
		err := read(func(page *Page) error {
			if !yield(page, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(nil, err)
		}
	}
}

// pages is a ledger that keeps what is committed. It knows every row.
type pages struct {
	Ledger

	state  counting.State
	all    []counting.Page
	result counting.Result
}

func (p *pages) State() counting.State { return p.state }

func (p *pages) Lookup(string, []byte) (counting.Hash, uint64, bool) { return 1, 1, true }

func (p *pages) Commit(_ context.Context, page *counting.Page) (counting.Result, error) {
	p.all = append(p.all, *page)
	p.state.Spans = work.Spans(p.state.Spans, page.Done, page.Enqueue)
	if page.Position != nil {
		p.state.Resume = page.Position.Resume
		p.state.Watermark = plan.Latest(p.state.Watermark, page.Position.Watermark)
		p.state.HistoryDone = p.state.HistoryDone || page.Position.HistoryDone
	}
	result := p.result
	p.result = counting.Result{} // what is new is new once
	return result, nil
}

// pollOnce polls a range feed once.
func pollOnce(t *testing.T, p *pages, read readerFunc, change ...func(*FeedSettings)) error {
	t.Helper()
	clock := NewClock(time.Now, nil)
	if p.state.Origin.IsZero() {
		p.state.Origin = clock.Now().Add(-time.Hour)
		p.state.Floor, p.state.Watermark = p.state.Origin, p.state.Origin
	}
	info := &FeedInfo{Name: "calls", Reader: read, Interval: time.Minute, Lookback: 2 * time.Hour}
	settings := FeedSettings{Source: "acme", Info: info, Ledger: p, Clock: clock}
	for _, c := range change {
		c(&settings)
	}
	return partOf[*ranges](NewLoop(settings)).do(t.Context())
}

// oneRow is a reader of one row.
type oneRow struct{ rows RowCache }

func (o oneRow) Pages(context.Context, time.Time, time.Time) iter.Seq2[*Page, error] {
	filter := NewRowFilter(o.rows)
	return pagesOf(func(emit func(*Page) error) error {
		if _, unchanged := filter.Unchanged("id", nil); unchanged {
			return emit(&Page{Unchanged: 1})
		}
		return emit(&Page{Records: []*cdr.Record{{ID: "id"}}})
	})
}

// TestRanges_LeavesOutRows (counting.md 37): a feed leaves out what its ledger knows.
func TestRanges_LeavesOutRows(t *testing.T) {
	p := &pages{}
	err := pollOnce(t, p, nil, func(s *FeedSettings) {
		s.Info.Reader = oneRow{}
		s.Info.SkipUnchanged = func(rows RowCache) RangeReader { return oneRow{rows} }
	})
	if err != nil || p.all[0].Unchanged != 1 || len(p.all[0].Records) > 0 {
		t.Errorf("%d rows are left out, %d come; error %v", p.all[0].Unchanged, len(p.all[0].Records), err)
	}
}

// TestRanges_NamesCompleteReads (counting.md 36): the position says what has been looked at
// since the read began, piece by piece. A piece that is read once more, since it had something new,
// hasn't been looked at yet, nor has one that failed.
func TestRanges_NamesCompleteReads(t *testing.T) {
	for _, c := range []struct {
		name     string
		history  time.Duration
		longest  time.Duration
		found    []int // new records of each poll; below 0: it fails
		want     []string
		lookback time.Duration
	}{
		{"one piece", time.Hour, 0, []int{5}, []string{"-1h0m0s to 0s since 0s"}, 2 * time.Hour},
		{
			"pieces", time.Hour, 30 * time.Minute,
			[]int{1, 1, 1},
			[]string{"-1h0m0s to -30m2s since 0s", "-1h0m0s to -5s since 0s", "-1h0m0s to 0s since 0s"},
			2 * time.Hour,
		},
		{
			"a piece fails", time.Hour, 30 * time.Minute,
			[]int{1, -1, 1},
			[]string{"-1h0m0s to -30m2s since 0s", "", "-1h0m0s to -15m4s since 0s"},
			2 * time.Hour,
		},
		{
			"it is read again until nothing is new", 3 * time.Hour, 0,
			[]int{4, 1, 0},
			[]string{"none", "none", "-3h0m0s to -1h0m0s since 0s"},
			time.Hour,
		},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			began, p, n := time.Now(), &pages{}, 0
			p.state.Origin = began.Add(-c.history)
			p.state.Floor, p.state.Watermark = p.state.Origin, p.state.Origin
			read := readerFunc(func(_, _ time.Time, emit func(*Page) error) error {
				if c.found[n] < 0 {
					return errProvider
				}
				p.result.New = c.found[n]
				return emit(&Page{})
			})
			info := &FeedInfo{
				Name: "calls", Reader: read, Interval: time.Minute, Lookback: c.lookback,
				Limits: Limits{MaxRange: c.longest},
			}
			list := partOf[*ranges](NewLoop(FeedSettings{
				Source: "acme", Info: info, Ledger: p, Clock: NewClock(time.Now, nil),
			}))
			for n = range c.found {
				before := len(p.all)
				if err := list.do(t.Context()); (err != nil) != (c.found[n] < 0) {
					t.Fatalf("poll %d: %v", n, err)
				}
				got := ""
				for _, page := range p.all[before:] {
					switch {
					case page.Position == nil:
					case page.Position.Read == nil:
						got = "none"
					default:
						r := page.Position.Read
						got = fmt.Sprintf("%s to %s since %s", r.From.Sub(began), r.To.Sub(began),
							r.Began.Sub(began))
					}
				}
				if got != c.want[n] {
					t.Errorf("poll %d looked at %q, want %q", n, got, c.want[n])
				}
				<-time.After(list.wait(t.Context()))
			}
		})
	}
}

// TestCallsThatWaitAreShown (counting.md 36): how many calls wait, and what counts without being
// whole, is a metric and a warning, of feeds alone whose calls have several records.
func TestCallsThatWaitAreShown(t *testing.T) {
	for _, legs := range []bool{true, false} {
		t.Run(fmt.Sprint("legs ", legs), func(t *testing.T) {
			var log bytes.Buffer
			o, p := newObserved(), &pages{result: counting.Result{Waiting: 3, Incomplete: 2, FullCalls: 4}}
			err := pollOnce(t, p, func(_, _ time.Time, emit func(*Page) error) error { return emit(&Page{}) },
				func(s *FeedSettings) {
					s.Info.Rules.Legs, s.Metrics = legs, o.FeedMetrics
					s.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
			require.NoError(t, err)
			incomplete, warnings := o.value(metrics.CallsIncomplete), strings.Count(log.String(), "level=WARN")
			if want := map[bool]float64{true: 2}[legs]; incomplete != want || warnings != int(want) {
				t.Errorf("%g calls are incomplete, %d warnings, want %g and as many: %s", incomplete, warnings, want,
					log.String())
			}
			if got := o.value(metrics.CallsWaiting); got != 0 { // of the last commit
				t.Errorf("%g calls wait", got)
			}
		})
	}
}

// TestRanges_ThePositionFollowsTheLastPage (counting.md 2; guarantee 4): the pages of a span are committed
// without a position. It follows the last one, on a page without rows.
func TestRanges_ThePositionFollowsTheLastPage(t *testing.T) {
	rows := func(n int) []*cdr.Record { return make([]*cdr.Record, n) }
	some := func(n int) []*cdr.Record {
		all := rows(n)
		for i := range all {
			all[i] = &cdr.Record{ID: fmt.Sprint(i)}
		}
		return all
	}
	for _, c := range []struct {
		name    string
		batches []*Page
		fails   bool
		want    string // rows of each commit; P: with position
	}{
		{"no page", nil, false, "0P"},
		{"an empty page", []*Page{{}}, false, "0 0P"},
		{"two pages", []*Page{{Records: some(3)}, {Records: some(2)}}, false, "3 2 0P"},
		{"a failure", []*Page{{Records: some(3)}}, true, "3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &pages{}
			err := pollOnce(t, p, func(_, _ time.Time, emit func(*Page) error) error {
				for _, b := range c.batches {
					if err := emit(b); err != nil {
						return err
					}
				}
				if c.fails {
					return errProvider
				}
				return nil
			})
			var got []string
			moved := false
			for _, page := range p.all {
				s := fmt.Sprint(len(page.Records))
				if page.Position != nil {
					s, moved = s+"P", true
				}
				got = append(got, s)
				if page.ObservedAt.IsZero() {
					t.Error("a page without the time when it was read")
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("commits are %v, want %s", got, c.want)
			}
			if (err != nil) == moved {
				t.Errorf("the error is %v, the position moved: %t", err, moved)
			}
		})
	}
}

func TestRanges_UnmappedValuesAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	buffer := []byte("ByotNewThing")
	p := &pages{}
	err := pollOnce(t, p, func(_, _ time.Time, emit func(*Page) error) error {
		for range 3 {
			b := &Page{Unmapped: []Unmapped{
				{Field: "callType", Value: string(buffer)},
				{Field: "callType", Value: strings.Repeat("x", 1000)},
			}}
			if err := emit(b); err != nil {
				return err
			}
		}
		if err := emit(&Page{Unmapped: []Unmapped{{
			Field: "disposition",
			Value: "call +1 212 555 0100 back",
		}}}); err != nil {
			return err
		}
		for i := range 1999 {
			if err := emit(&Page{Unmapped: []Unmapped{{Field: "reason", Value: fmt.Sprint(i)}}}); err != nil {
				return err
			}
		}
		return nil
	}, func(s *FeedSettings) {
		s.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	require.NoError(t, err)
	if n := strings.Count(log.String(), "value=ByotNewThing"); n != 1 {
		t.Errorf("the new value was logged %d times", n)
	}
	if strings.Contains(log.String(), "2125550100") || !strings.Contains(log.String(), "call *** back") {
		t.Error("a number was logged")
	}
	if strings.Contains(log.String(), strings.Repeat("x", 65)) {
		t.Error("a long value was logged in full")
	}
	if n := strings.Count(log.String(), "\n"); n != unmappedKept+1 {
		t.Errorf("%d lines were logged", n)
	}
}

func TestLoopSink_RowsAreCountedAndBadOnesLogged(t *testing.T) {
	var log bytes.Buffer
	seen := newObserved()
	p := &pages{result: counting.Result{
		New: 1, Duplicate: 2, Revised: 3, Invalid: 4, Ignored: 5, TooOld: 6,
		Delays:   []time.Duration{time.Minute},
		Overflow: map[string]int{"cdr_calls_total": 7}, Unmapped: map[string]int{"trunk": 8},
		BadRows: []counting.BadRow{{
			At: "page 3, row 17", Problem: "duration is not a number",
			Content: []byte("+4930123456"),
		}},
	}}
	err := pollOnce(t, p, func(_, _ time.Time, emit func(*Page) error) error { return emit(&Page{}) },
		func(s *FeedSettings) {
			s.Metrics, s.Logger = seen.FeedMetrics, slog.New(slog.NewTextHandler(&log, nil))
		})
	require.NoError(t, err)
	want := map[string]int{"new": 1, "duplicate": 2, "revised": 3, "invalid": 4, "ignored": 5, "too_old": 6}
	for result, n := range want {
		if got := seen.value(metrics.Rows, result); int(got) != n {
			t.Errorf("%v rows are %s, want %d", got, result, n)
		}
	}
	if delays, overflow, unmapped := seen.value(metrics.RecordDelay),
		seen.value(metrics.SeriesOverflow, "cdr_calls_total"),
		seen.value(metrics.UnmappedValues, "trunk"); delays != 1 || overflow != 7 || unmapped != 8 {
		t.Errorf("%v delays, overflow %v, %v unknown values", delays, overflow, unmapped)
	}
	if got := log.String(); !strings.Contains(got, `at="page 3, row 17" err="duration is not a number"`) ||
		strings.Contains(got, "+49") {
		t.Errorf("the log is %s", got)
	}
}

// TestRetention: what the provider no longer keeps is shown, logged once, and
// not waited for.
func TestRetention(t *testing.T) {
	for _, c := range []struct {
		name        string
		down, keeps time.Duration
		history     time.Duration // instead of downtime
		want        time.Duration
	}{
		{"downtime of less", 20 * 24 * time.Hour, 30 * 24 * time.Hour, 0, 0},
		{"downtime of more", 40 * 24 * time.Hour, 30 * 24 * time.Hour, 0, 10 * 24 * time.Hour},
		{"history of more", 0, 30 * 24 * time.Hour, 50 * 24 * time.Hour, 20 * 24 * time.Hour},
		{"a lookback of more", 0, 40 * time.Hour, 0, 0},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			m := quiet(t, minutely, time.Now())
			if c.history > 0 {
				m = newModel(t, time.Now().Add(-c.history))
			}
			m.limits.Retention = c.keeps
			pass(t, c.down)
			var log bytes.Buffer
			seen := newObserved()
			settings := func(s *FeedSettings) {
				s.Metrics, s.Logger = seen.FeedMetrics, slog.New(slog.NewTextHandler(&log, nil))
			}
			for range 2 { // a restart shows it again, and doesn't log it again
				runFor(t, loopOver(m, time.Minute, 48*time.Hour, settings), time.Hour)
			}
			want := c.want
			if want > 0 {
				want += retentionMargin
			}
			if got := seen.duration(metrics.Unreadable); (got - want).Abs() > time.Second {
				t.Errorf("shown as unreadable: %s, want %s", got, want)
			}
			if n := strings.Count(log.String(), "no longer keeps"); n != map[bool]int{true: 1}[c.want > 0] {
				t.Errorf("logged %d times: %s", n, log.String())
			}
			for _, r := range m.reads {
				if r.at.Sub(r.from) > c.keeps-time.Second { // a grain of the request, or its way
					t.Errorf("read from %s ago, of which %s are kept", r.at.Sub(r.from), c.keeps)
				}
			}
			if behind := time.Since(m.State().Watermark); behind > 2*time.Minute || !m.State().HistoryDone {
				t.Errorf("the watermark is %s behind, done is %t", behind, m.State().HistoryDone)
			}
		})
	}
}
