package collector

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// TestRule06_LiveReadsGoOnWhileTheHistoryFails, at a first start.
func TestRule06_LiveReadsGoOnWhileTheHistoryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(time.Now().Add(-24 * time.Hour))
		m.fault = func(from, _ time.Time, _ int) error {
			if time.Since(from) > 23*time.Hour {
				return &httpclient.Error{Kind: httpclient.KindForbidden} // for which no span is stepped over
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
		m := newModel(time.Now().Add(-time.Hour))
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
	m := newModel(time.Now().Add(-10 * 24 * time.Hour))
	l := loopOver(m, time.Minute, 48*time.Hour)
	list := partOf[*ranges](l)
	for list.plan == nil || list.wait(t.Context()) <= 0 {
		if err := list.do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	last := list.ladder.Last()
	if list.plan.Levels[last].Read.IsZero() {
		t.Fatal("the deepest level wasn't read")
	}
	m.state.Resume = nil
	if err := list.do(t.Context()); err != nil || list.level != last {
		t.Errorf("%v; level %d was read after the plan had been lost, want %d", err, list.level, last)
	}
}
