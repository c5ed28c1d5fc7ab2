package collector

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// read reads a whole task of a plan, which begins now.
func (p *plan) read(level int, v *view) {
	for p.putTask(p.nextTask(level, *v)); p.task(level) != nil; {
		task := p.nextTask(level, *v)
		v.watermark = p.finish(task, task.step(longPiece, *v), 0, *v, v.now).watermark
	}
}

// TestRule07_ShortReadsAreJoinedToALongOne: what was read beside a long read
// counts once that is through.
func TestRule07_ShortReadsAreJoinedToALongOne(t *testing.T) {
	p := newPlan(minutely)
	v := view{now: noon, floor: noon.Add(-100 * 24 * time.Hour), watermark: noon.Add(-10 * 24 * time.Hour)}
	last := minutely.last()
	for p.putTask(p.nextTask(last, v)); p.task(last) != nil; {
		p.read(0, &v)
		if v.watermark.After(noon) {
			t.Fatalf("the watermark is at %s before the long read has come to its end", v.watermark)
		}
		long := p.nextTask(last, v)
		v.watermark = p.finish(long, long.step(25*time.Hour, v), 0, v, v.now).watermark
		v.now = v.now.Add(time.Minute)
	}
	if !v.watermark.Equal(p.reads[0]) || !v.watermark.After(noon) {
		t.Errorf("the watermark is %s; the last short read was at %s", v.watermark, p.reads[0])
	}
}

// TestRule10_WhatHadNotComeIsNotStamped: our clock was ahead when a range was read.
func TestRule10_WhatHadNotComeIsNotStamped(t *testing.T) {
	for _, c := range []struct {
		name  string
		level int
		ahead time.Duration
		want  []bool // whether levels 0, 1, 2 and 3 count as read
		mark  time.Duration
	}{
		{"a second", 2, time.Second, []bool{true, true, true, false}, time.Second},
		{"less than half an interval", 2, 20 * time.Second, []bool{true, true, true, false}, 20 * time.Second},
		{"more", 2, 110 * time.Second, []bool{true, true, false, false}, 110 * time.Second},
		{"more than a short read reaches", 0, 110 * time.Second, []bool{false, false, false, false}, 110 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlan(minutely)
			old := noon.Add(-2 * time.Minute)
			for m := range p.reads {
				p.reads[m] = old
			}
			v := view{now: noon, floor: noon.Add(-100 * time.Hour), watermark: old}
			task := p.nextTask(c.level, v)
			done := p.finish(task, task.step(longPiece, v), 0, v, noon.Add(-c.ahead))
			for m, want := range c.want {
				if got := p.reads[m].After(old); got != want {
					t.Errorf("level %d counts as read: %t", m, got)
				}
			}
			if want := noon.Add(-c.mark); !done.watermark.Equal(want) || p.joined.To.After(want) {
				t.Errorf("the watermark is %s, joined up to %s, want %s", done.watermark, p.joined.To, want)
			}
		})
	}
}

func TestRule10_StampsOfTheFutureAreForgotten(t *testing.T) {
	p := newPlan(minutely)
	p.reads[0], p.reads[1], p.reads[2] = noon.Add(time.Hour), noon.Add(time.Minute), noon.Add(-time.Minute)
	p.joined = span{From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}
	p.open = []task{
		{Level: 1, Wanted: noon.Add(-time.Minute), To: noon},
		{Level: 2, Wanted: noon.Add(-time.Minute), To: noon.Add(time.Hour)},
		{Level: 3, Wanted: noon.Add(time.Minute), To: noon.Add(time.Minute)},
	}
	p.dropFuture(noon)
	if !p.reads[0].IsZero() || !p.reads[1].Equal(noon) || !p.reads[2].Equal(noon.Add(-time.Minute)) {
		t.Errorf("the levels were read at %v", p.reads[:3])
	}
	if p.joined != (span{}) || len(p.open) != 1 || p.open[0].Level != 1 {
		t.Errorf("joined is %v, open are %v", p.joined, p.open)
	}
}

// TestRule10_TheFirstReadOfAProcessMovesNothing, for the time isn't known before
// the provider has answered.
func TestRule10_TheFirstReadOfAProcessMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(time.Now().Add(-time.Hour))
		m.rows = []modelRow{{id: "1", start: time.Now().Add(-time.Minute)}}
		m.local = func() time.Time { return time.Now().Add(-5 * time.Minute) }
		l := loopOver(m, time.Minute, 48*time.Hour)
		defer func() {
			if at := m.counted["1"]; !near(at, time.Now()) {
				t.Errorf("by the provider's clock the first page was read at %s, not %s", time.Now(), at)
			}
		}()
		for i, want := range []int{0, 1} {
			if err := l.settings.Feed.Poll(t.Context(), m.State(), l.sink); err != nil {
				t.Fatal(err)
			}
			if len(m.positions) != want {
				t.Errorf("after poll %d there are %d positions, want %d", i, len(m.positions), want)
			}
		}
	})
}

// TestRule06_LiveReadsGoOnWhileTheHistoryFails, at a first start.
func TestRule06_LiveReadsGoOnWhileTheHistoryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(time.Now().Add(-24 * time.Hour))
		m.fault = func(from, _ time.Time, _ int) error {
			if time.Since(from) > 23*time.Hour {
				return errProvider
			}
			return nil
		}
		began := time.Now()
		l := loopOver(m, time.Minute, 48*time.Hour)
		l.Start()
		pass(t, time.Hour)
		if s := l.Status(); !s.Ready || s.State != StateError || m.State().Watermark.After(began.Add(-23*time.Hour)) {
			t.Errorf("ready is %t, the state %s, the watermark %s", s.Ready, s.State, m.State().Watermark)
		}
		l.Stop()
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

// TestRangeFeed_AFirstReadThatFails is tried again at once, though none was due.
func TestRangeFeed_AFirstReadThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ladder{interval: 5 * time.Minute, lookback: 72 * time.Hour}
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

// TestRangeFeed_StopsAfterThePageInHand, also where the reader doesn't look.
func TestRangeFeed_StopsAfterThePageInHand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &pages{state: ledger.State{Origin: time.Now().Add(-time.Hour)}}
	feed := NewRangeFeed(RangeSettings{Interval: time.Minute, Lookback: time.Hour, Reader: readerFunc(func(_, _ time.Time, emit func(*Page) error) error {
		cancel()
		for range 3 {
			if err := emit(&Page{Records: []*cdr.Record{{ID: "1"}}}); err != nil {
				return err
			}
		}
		return nil
	})})
	err := feed.Poll(ctx, p.State(), NewLoop(LoopSettings{Ledger: p}).sink)
	if !errors.Is(err, context.Canceled) || len(p.all) != 1 || feed.Trouble() != nil {
		t.Errorf("%v; %d pages; the trouble is %v", err, len(p.all), feed.Trouble())
	}
}

// TestRangeFeed_TheLedgersTroubleIsNotTheProviders: pieces aren't halved for it.
func TestRangeFeed_TheLedgersTroubleIsNotTheProviders(t *testing.T) {
	for _, refused := range []error{ledger.ErrFull, ledger.ErrOutboxFull, ledger.ErrFenced, ledger.ErrClosed} {
		m := newModel(time.Now().Add(-time.Hour))
		m.refuse = func(*ledger.Page) error { return refused }
		l := loopOver(m, time.Minute, time.Hour)
		feed := l.settings.Feed.(*RangeFeed)
		feed.asked = true
		if err := feed.Poll(t.Context(), m.State(), l.sink); !errors.Is(err, refused) || feed.Trouble() != nil {
			t.Errorf("%v: the poll says %v, the trouble is %v", refused, err, feed.Trouble())
		}
	}
}

// TestRangeFeed_AnotherWritersPlanCounts: after ErrFenced the ledger's is newer.
func TestRangeFeed_AnotherWritersPlanCounts(t *testing.T) {
	m := newModel(time.Now().Add(-10 * 24 * time.Hour))
	l := loopOver(m, time.Minute, 48*time.Hour)
	feed := l.settings.Feed.(*RangeFeed)
	for feed.plan == nil || feed.Wait() == 0 {
		if err := feed.Poll(t.Context(), m.State(), l.sink); err != nil {
			t.Fatal(err)
		}
	}
	if feed.plan.reads[9].IsZero() {
		t.Fatal("the deepest level wasn't read")
	}
	m.state.Plan = nil
	if err := feed.Poll(t.Context(), m.State(), l.sink); err != nil || feed.level != 9 {
		t.Errorf("%v; level %d was read after the plan had been lost, want 9", err, feed.level)
	}
}
