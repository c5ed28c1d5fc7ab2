package collector

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// numbers is a stream of one record a page. The position is how many were read. It fails before the
// failAt-th, and waits at the end.
type numbers struct {
	n, failAt int
	waits     error         // at the end
	takes     time.Duration // a record
	origin    time.Time     // that it was last read from
}

var errStream = errors.New("the disk is broken")

func (s *numbers) Pages(_ context.Context, from StreamPosition) iter.Seq2[*Page, error] {
	at, _ := strconv.Atoi(string(from.Resume))
	s.origin = from.Origin
	return pagesOf(func(emit func(*Page) error) error {
		for ; at < s.n; at++ {
			<-time.After(s.takes)
			if at == s.failAt {
				return errStream
			}
			r := &cdr.Record{ID: strconv.Itoa(at), Start: from.Now.Add(-time.Duration(s.n-at) * time.Minute)}
			page := &Page{Records: []*cdr.Record{r}, Position: &counting.Position{Resume: []byte(strconv.Itoa(at + 1))}}
			if err := emit(page); err != nil {
				return err
			}
		}
		if s.waits != nil {
			return s.waits
		}
		return nil
	})
}

func newStream(s *numbers, change ...func(*FeedSettings)) (*Loop, *pages) {
	ledger := &pages{state: counting.State{Origin: time.Now().Add(-time.Hour), Watermark: time.Now().Add(-time.Hour)}}
	info := &FeedInfo{Name: "cdr", Stream: s, Interval: time.Minute}
	settings := FeedSettings{Info: info, Ledger: ledger, Random: func() float64 { return 0 }}
	for _, c := range change {
		c(&settings)
	}
	return NewLoop(settings), ledger
}

func (p *pages) ids() (ids []string) {
	for _, page := range p.all {
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// TestStreamWaits: what waits is shown and asked for after an interval; the watermark waits with
// complete records only.
func TestStreamWaits(t *testing.T) {
	for _, holds := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			half := errors.New("half a line")
			s := &numbers{n: 1, failAt: -1, waits: &Waiting{Err: half, Holds: holds}}
			loop, ledger := newStream(s)
			for range 8 {
				was := ledger.state.Watermark
				wait, err := loop.Poll(t.Context())
				if moved := !ledger.state.Watermark.Equal(was); (err != nil) != holds || moved == holds ||
					!errors.Is(loop.trouble(), half) {
					t.Fatalf("holds %t: poll %v, trouble %v, the watermark moved %t", holds, err, loop.trouble(), moved)
				}
				if wait != time.Minute {
					t.Fatalf("it waits %s", wait)
				}
				<-time.After(time.Minute)
			}
			s.waits = nil
			if _, err := loop.Poll(t.Context()); err != nil || loop.trouble() != nil ||
				!ledger.state.Watermark.Equal(time.Now()) {
				t.Errorf("at last: poll %v, trouble %v, watermark %s", err, loop.trouble(), ledger.state.Watermark)
			}
		})
	}
}

// TestStreamGoesOnFromItsPosition (counting.md 2, 36): only what ends a read says so, and since when it was read. A
// feed whose calls have several records is read from before its origin.
func TestStreamGoesOnFromItsPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &numbers{n: 3, failAt: 2}
		loop, ledger := newStream(s, func(f *FeedSettings) { f.Info.Rules.Legs, f.Info.WholeAfter = true, 4*time.Hour })
		origin := ledger.state.Watermark

		if _, err := loop.Poll(t.Context()); !errors.Is(err, errStream) || !errors.Is(loop.trouble(), errStream) {
			t.Fatalf("poll: %v, trouble %v", err, loop.trouble())
		}
		if got := ledger.ids(); !slices.Equal(got, []string{"0", "1"}) || !ledger.state.Watermark.Equal(origin) {
			t.Fatalf("before the failure %v were committed, and the watermark is %s", got, ledger.state.Watermark)
		}
		if wait := loop.wait(t.Context(), nil); wait != time.Second {
			t.Errorf("it waits %s after a failure", wait)
		}

		<-time.After(time.Hour)
		s.failAt, s.takes = -1, time.Minute
		began := time.Now()
		if _, err := loop.Poll(t.Context()); err != nil || loop.trouble() != nil {
			t.Fatalf("poll: %v, trouble %v", err, loop.trouble())
		}
		ends := len(ledger.all) - 1
		for i, page := range ledger.all[:ends] {
			if page.Position.Read != nil {
				t.Errorf("page %d ends a read", i)
			}
		}
		last := ledger.all[ends].Position
		if got := ledger.ids(); !slices.Equal(got, []string{"0", "1", "2"}) ||
			!ledger.state.Watermark.Equal(began) || !last.HistoryDone || last.Resume != nil || last.Read == nil ||
			!last.Read.Began.Equal(began) || !last.Read.From.IsZero() || !last.Read.To.IsZero() {
			t.Errorf("%v were committed, the watermark is %s, and the last position %+v with %+v", got,
				ledger.state.Watermark, last, last.Read)
		}
		if want := ledger.state.Origin.Add(-4 * time.Hour); !s.origin.Equal(want) {
			t.Errorf("it is read from %s on, want %s", s.origin, want)
		}
		if wait := loop.wait(t.Context(), nil); wait <= 0 || wait > time.Minute {
			t.Errorf("it waits %s after a complete read", wait)
		}
	})
}

func TestStreamWaitsForTheLedger(t *testing.T) {
	full := errors.New("full")
	loop, ledger := newStream(&numbers{n: 1, failAt: -1}, func(s *FeedSettings) {
		s.Paused = func() error { return full }
	})
	if _, err := loop.Poll(t.Context()); !errors.Is(err, full) || !isLedgerError(err) || len(ledger.all) > 0 {
		t.Errorf("poll: %v, %d pages", err, len(ledger.all))
	}
}

// someStream is a stream of given pages, and an error at its end.
type someStream struct {
	pages []Page
	err   error
}

func (s *someStream) Pages(context.Context, StreamPosition) iter.Seq2[*Page, error] {
	return pagesOf(func(emit func(*Page) error) error {
		for _, page := range s.pages {
			page.Invalid = slices.Clone(page.Invalid)
			if err := emit(&page); err != nil {
				return err
			}
		}
		return s.err
	})
}

// TestSpanOfAStream: a span has the records that start within it. A row that was set aside belongs to one span: where
// the record before it lies.
func TestSpanOfAStream(t *testing.T) {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	at := func(d int) time.Time { return day.AddDate(0, 0, d) }
	bad := func(near time.Time) BadRow { return BadRow{Near: near} }
	s := &someStream{pages: []Page{
		{Records: []*cdr.Record{{Start: at(0)}, {Start: at(1)}}, Invalid: []BadRow{bad(time.Time{}), bad(at(1))}},
		{Invalid: []BadRow{bad(time.Time{})}},
		{Records: []*cdr.Record{{Start: at(2)}, {Start: at(2)}}, Invalid: []BadRow{bad(at(2))}},
	}}
	for d, want := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {0, 0}} {
		var got [2]int // records, and rows that were set aside
		for page, err := range (SpanReader{Stream: s}).Pages(t.Context(), at(d), at(d+1)) {
			require.NoError(t, err)
			got[0] += len(page.Records)
			got[1] += len(page.Invalid)
		}
		if got != want {
			t.Errorf("day %d has %v, want %v", d, got, want)
		}
	}
}

// TestWaitingInASpan: commands end with a part that holds the watermark, and hear of any other part that waits.
func TestWaitingInASpan(t *testing.T) {
	for _, holds := range []bool{false, true} {
		var told error
		d := Driver{
			Reader: SpanReader{Stream: &someStream{err: &Waiting{Err: errors.New("half a line"), Holds: holds}}},
			Commit: func(context.Context, *Page) error { return nil },
			Waits:  func(part error) { told = part },
		}
		if err := d.Read(t.Context(), time.Time{}, time.Now()); (err != nil) != holds || (told != nil) == holds {
			t.Errorf("holds %t: %v, told %v", holds, err, told)
		}
	}
}

// TestPostedElsewhere (counting.md 4): what other replicas enqueued is committed together with the
// removal of its task, also when the feed isn't due and while its stream fails.
func TestPostedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting := []work.Item{{Kind: "posted", Key: "a", Data: "a"}, {Kind: "posted", Key: "b", Data: "b"}}
		queue := &enqueued{tasks: waiting}
		loop, ledger := newStream(&numbers{n: 1, failAt: 0}, posts(queue))
		if _, err := loop.Poll(t.Context()); !errors.Is(err, errStream) {
			t.Errorf("poll: %v", err)
		}
		if got := ledger.ids(); !slices.Equal(got, []string{"a", "b"}) || !slices.Equal(ledger.all[0].Done, waiting) {
			t.Errorf("%v were committed", got)
		}
		queue.tasks = []work.Item{{Kind: "posted", Key: "c", Data: "c"}}
		if _, err := loop.Poll(t.Context()); !errors.Is(err, errNothingDue) {
			t.Errorf("a poll before its time: %v", err)
		}
		if got := ledger.ids(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("%v were committed", got)
		}
		before, large := len(ledger.all), strings.Repeat("d", 1<<20)
		queue.tasks = []work.Item{{Kind: "posted", Key: "d", Data: large}, {Kind: "posted", Key: "e", Data: "e"}}
		if _, err := loop.Poll(t.Context()); !errors.Is(err, errNothingDue) || len(ledger.all) != before+2 {
			t.Errorf("a large body: %v, %d pages", err, len(ledger.all)-before)
		}
	})
}

// TestPostedBehindOthers (counting.md 4): a record that is posted here is counted after those that
// wait, never before them.
func TestPostedBehindOthers(t *testing.T) {
	// by the clock of another replica
	queue := &enqueued{tasks: []work.Item{{Kind: "posted", Key: "a", Data: "older", Due: time.Now().Add(time.Hour)}}}
	loop, ledger := newStream(&numbers{n: 0, failAt: -1}, posts(queue))
	newer := &Page{Records: []*cdr.Record{{ID: "newer", Start: time.Now()}}}
	if err := loop.CommitPosted(t.Context(), newer); !errors.Is(err, ErrReadElsewhere) || len(ledger.ids()) > 0 {
		t.Errorf("before the older one: %v, %v were committed", err, ledger.ids())
	}
	if _, err := loop.Poll(t.Context()); err != nil {
		t.Error(err)
	}
	err := loop.CommitPosted(t.Context(), newer)
	if got := ledger.ids(); err != nil || !slices.Equal(got, []string{"older", "newer"}) {
		t.Errorf("then: %v, %v were committed", err, got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := loop.CommitPosted(ctx, newer); !errors.Is(err, context.Canceled) || len(ledger.ids()) > 2 {
		t.Errorf("a post that was given up: %v", err)
	}
}

// posts has a feed count what waits in a queue.
func posts(queue *enqueued) func(*FeedSettings) {
	return func(s *FeedSettings) {
		queue.pages = s.Ledger.(*pages)
		s.Ledger = queue
		s.Info.Posted = func(tasks []work.Item) *Page {
			page := new(Page)
			for _, task := range tasks {
				page.Records = append(page.Records, &cdr.Record{ID: task.Data, Start: time.Now()})
			}
			return page
		}
	}
}

// enqueued are tasks that wait until a page has them done.
type enqueued struct {
	*pages

	tasks []work.Item
}

func (q *enqueued) Due(_ context.Context, now time.Time, _ int) ([]work.Item, error) {
	return slices.DeleteFunc(slices.Clone(q.tasks), func(w work.Item) bool {
		return w.Due.After(now) || slices.ContainsFunc(q.all,
			func(p Page) bool { return slices.Contains(p.Done, w) })
	}), nil
}

// TestUnreadTimeOfAStreamIsShown, as of a list by time.
func TestUnreadTimeOfAStreamIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newObserved()
		loop, _ := newStream(&numbers{failAt: -1}, func(f *FeedSettings) {
			f.Info.Unread, f.Metrics = func() time.Duration { return time.Hour }, seen.FeedMetrics
		})
		_, err := loop.Poll(t.Context())
		require.NoError(t, err)
		if got := seen.duration(metrics.Unreadable); got != time.Hour {
			t.Errorf("%s are shown", got)
		}
	})
}

// TestPartOfAStreamHoldsNoCallForEver (counting.md 36): while each read misses a part of the
// stream, calls count that were due `whole_after` ago. A time in which nothing could be read
// doesn't count, nor does a downtime.
func TestPartOfAStreamHoldsNoCallForEver(t *testing.T) {
	const wholeAfter = 4 * time.Hour
	for _, c := range []struct {
		name string
		// errs are the errors of hourly reads; the last error repeats.
		errs []error
		want int // the first hour in which the feed commits a partial read; 0: none
	}{
		{"a file that can't be read", []error{&Partial{errStream}}, 4},
		{"a file that waits", []error{&Waiting{Err: errStream, Holds: true}}, 4},
		{"part of a line", []error{&Waiting{Err: errStream}}, 0},
		{"nothing can be read", []error{errStream}, 0},
		{"after an outage", []error{errStream, errStream, errStream, errStream, errStream, &Partial{errStream}}, 9},
		{"an outage meanwhile", []error{
			&Partial{errStream}, &Partial{errStream}, &Partial{errStream}, errStream,
			&Partial{errStream},
		}, 8},
		{"it can be read meanwhile", []error{
			&Partial{errStream}, &Partial{errStream}, &Partial{errStream}, nil,
			&Partial{errStream},
		}, 8},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &numbers{failAt: -1}
			loop, ledger := newStream(s, func(f *FeedSettings) {
				f.Info.Rules.Legs, f.Info.WholeAfter = true, wholeAfter
			})
			got := 0
			for hour := range 12 {
				s.waits = c.errs[min(hour, len(c.errs)-1)]
				began, pages := time.Now(), len(ledger.all)
				if _, err := loop.Poll(t.Context()); isPartial(s.waits) && !errors.Is(err, errStream) {
					t.Errorf("%s: poll: %v", c.name, err)
				}
				for _, page := range ledger.all[pages:] {
					if read := page.Position.Read; read.Partial {
						if got = cmp.Or(got, hour); !read.Began.Equal(began.Add(-wholeAfter)) ||
							!page.Position.Watermark.IsZero() || page.Position.HistoryDone {
							t.Errorf("%s: in hour %d: %+v, %+v", c.name, hour, page.Position, read)
						}
					}
				}
				<-time.After(time.Hour)
			}
			if got != c.want {
				t.Errorf("%s: from hour %d on, want %d", c.name, got, c.want)
			}
		})
	}
}

// twoFiles is a stream of two files: one has a call each minute, which nobody answers, the other one an answered leg
// of the call of minute 30.
type twoFiles struct {
	began    time.Time
	readable time.Duration // when the other file can be read
}

func (s *twoFiles) Pages(_ context.Context, from StreamPosition) iter.Seq2[*Page, error] {
	at, _ := strconv.Atoi(string(from.Resume))
	return pagesOf(func(emit func(*Page) error) error {
		page := new(Page)
		leg := func(id string, minute, length int, o cdr.Outcome) {
			start := s.began.Add(time.Duration(minute) * time.Minute)
			page.Records = append(page.Records, &cdr.Record{
				ID: id, CallKey: strconv.Itoa(minute), Start: start, Answer: start,
				End: start.Add(time.Duration(length) * time.Second), Outcome: o,
			})
		}
		for ; at < int(time.Since(s.began)/time.Minute); at++ {
			leg(strconv.Itoa(at), at, 1, cdr.NoAnswer)
		}
		isWhole := time.Since(s.began) >= s.readable
		if isWhole {
			leg("other", 30, 40, cdr.Answered)
		}
		page.Position = &counting.Position{Resume: []byte(strconv.Itoa(at)), Misses: !isWhole}
		if err := emit(page); err != nil || isWhole {
			return err
		}
		return &Partial{errStream}
	})
}

// While a file can't be read, no call counts without the legs that it may have, also after a restart.
func TestPartOfAStreamHoldsCalls(t *testing.T) {
	for name, restart := range map[string]int{"one process": -1, "a restart": 45} {
		inBubble(t, name, func(t *testing.T) {
			noon := time.Now()
			ledger := newCheckedFeed(t, noon.Add(-time.Hour))
			ledger.spec.Rules = counting.Rules{Legs: true, ByArrival: true}
			ledger.spec.Settle, ledger.spec.WholeAfter = settle, 4*time.Hour
			ledger.open(48 * time.Hour)
			var outcomes []cdr.Outcome
			ledger.fact = func(f *facts.Fact) {
				if f.Kind == facts.Call && f.Record.Start.Equal(noon.Add(30*time.Minute)) {
					outcomes = append(outcomes, f.Record.Outcome)
				}
			}
			ledger.begin(&Page{Position: &Position{Watermark: noon, HistoryDone: true}})
			var loop *Loop
			for minute := range 90 {
				if minute == 0 || minute == restart {
					loop = NewLoop(FeedSettings{
						Info: &FeedInfo{
							Name: "calls", Interval: time.Minute, Stream: &twoFiles{noon, time.Hour},
							Rules: ledger.spec.Rules, Settle: settle, WholeAfter: 4 * time.Hour,
						},
						Ledger: ledger, Random: func() float64 { return 0 },
					})
				}
				_, _ = loop.Poll(t.Context())
				pass(t, time.Minute)
			}
			if want := []cdr.Outcome{cdr.Answered}; !slices.Equal(outcomes, want) {
				t.Errorf("the call counted as %v", outcomes)
			}
		})
	}
}
