package collector

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var minutely = plan.Ladder{Interval: time.Minute, Lookback: 48 * time.Hour}

// quiet is a model without calls, whose history was read long ago and of which
// every level was read at the watermark.
func quiet(t *testing.T, l plan.Ladder, watermark time.Time) *model {
	t.Helper()
	m := newModel(t, watermark.Add(-365*24*time.Hour))
	p := plan.New(l)
	for i := range p.Levels {
		p.Levels[i].Read = watermark
	}
	p.Joined = plan.Span{From: watermark.Add(-l.Lookback), To: watermark}
	data, err := p.Encode()
	require.NoError(t, err)
	m.begin(&Page{Position: &Position{Watermark: watermark, HistoryDone: true, Resume: data}})
	return m
}

// run polls for a while.
func run(t *testing.T, m *model, l plan.Ladder, d time.Duration) {
	t.Helper()
	loop := loopOver(m, l.Interval, l.Lookback)
	loop.Start()
	pass(t, d)
	loop.Stop()
}

// near says whether two instants are as good as the same.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= 2*time.Second }

func TestRule05_NothingBeforeTheFloorIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := time.Now().Add(-24 * time.Hour)
		m := newModel(t, origin)
		m.prunes = true // what pruning leaves
		traffic(m, time.Now().Add(14*24*time.Hour), 10*time.Minute, 48*time.Hour)
		seldom := plan.Ladder{Interval: 10 * time.Minute, Lookback: 48 * time.Hour}
		run(t, m, seldom, 6*24*time.Hour)
		deepest := time.Duration(0)
		for _, r := range m.reads {
			deepest = max(deepest, r.at.Sub(r.from))
			if r.from.Before(origin) {
				t.Fatalf("read from %s, before the origin %s", r.from, origin)
			}
		}
		if deepest < 60*time.Hour {
			t.Errorf("the deepest read went back %s only", deepest)
		}
		// After a week without reading the floor stands where pruning left it.
		before := len(m.reads)
		pass(t, 7*24*time.Hour)
		floor := m.State().Floor
		run(t, m, seldom, time.Hour)
		for _, r := range m.reads[before:] {
			if r.from.Before(floor.Add(-time.Second)) {
				t.Fatalf("read from %s, before the floor %s", r.from, floor)
			}
		}
		if m.tooOld > 0 {
			t.Errorf("%d rows from before the floor were read", m.tooOld)
		}
	})
}

func TestRule07_TheWatermarkWhileHistoryIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, time.Now().Add(-30*day))
		m.latency, m.pageSize = 10*time.Second, 30
		traffic(m, time.Now().Add(day), 10*time.Minute, 48*time.Hour)
		began := time.Now()
		loop := loopOver(m, time.Minute, 48*time.Hour)
		loop.Start()
		pass(t, 10*time.Minute)
		half := m.State()
		if half.HistoryDone || !half.Watermark.After(half.Origin) || !half.Watermark.Before(began) {
			t.Errorf("after ten minutes: done is %t, the watermark is %s", half.HistoryDone, half.Watermark)
		}
		if s := loop.Status(); s.Ready || s.State != StateCatchingUp {
			t.Errorf("ready is %t, the state %s", s.Ready, s.State)
		}
		pass(t, 3*time.Hour)
		loop.Stop()
		if s := loop.Status(); !m.State().HistoryDone || !s.Ready || s.State != StateOK {
			t.Errorf("after three hours: done is %t, %+v", m.State().HistoryDone, s)
		}
		m.wantWhole(t, began.Add(-48*time.Hour), 2*time.Minute)
	})
}

func TestRule08_CatchUpStartsBeforeTheWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := time.Now().Truncate(time.Second)
		m := quiet(t, minutely, stopped)
		// Published after the stop, 47 h after its start; long gone from what levels cover.
		m.rows = []modelRow{{id: "late", start: stopped.Add(-46 * time.Hour), published: stopped.Add(time.Hour)}}
		pass(t, 5*24*time.Hour)
		run(t, m, minutely, 10*time.Second)
		if m.reads[0].at.Sub(m.reads[0].from) > 10*time.Minute {
			t.Errorf("the first read, which learns the time, went back to %s", m.reads[0].from)
		}
		if want := stopped.Add(-60 * time.Hour); !near(m.reads[1].from, want) {
			t.Errorf("the catch-up starts at %s, want %s", m.reads[1].from, want)
		}
		if _, ok := m.counted["late"]; !ok || time.Since(m.State().Watermark) > 15*time.Second {
			t.Errorf("the late call is counted: %t; the watermark is %s behind", ok, time.Since(m.State().Watermark))
		}
	})
}

func TestRule08_AShortRestartCostsNoDeepRead(t *testing.T) {
	for _, down := range []time.Duration{time.Second, 30 * time.Second, 5 * time.Minute, 2 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			m := quiet(t, minutely, time.Now())
			pass(t, down)
			run(t, m, minutely, 5*time.Second)
			for _, r := range m.reads {
				if length := r.to.Sub(r.from); length > max(5*time.Minute, 5*down)+2*time.Second {
					t.Errorf("%s of downtime cost a read of %s", down, length)
				}
			}
			m.wantWhole(t, time.Now(), time.Minute)
		})
	}
}

// TestRule08_AfterAFullDisk, as after a downtime, all that the provider showed meanwhile is read.
func TestRule08_AfterAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := time.Now()
		m := quiet(t, minutely, stopped)
		m.refuse = func(*counting.Page) error {
			if time.Since(stopped) < 3*day {
				return ledger.ErrFull
			}
			return nil
		}
		m.rows = []modelRow{{id: "late", start: stopped.Add(-46 * time.Hour), published: stopped.Add(time.Hour)}}
		loop := loopOver(m, time.Minute, 48*time.Hour)
		loop.Start()
		pass(t, 3*day-time.Second)
		if s := loop.Status(); s.State != StateError || s.LastError == "" {
			t.Errorf("the state is %s: %s", s.State, s.LastError)
		}
		pass(t, 2*time.Minute)
		loop.Stop()
		m.wantWhole(t, time.Now(), 2*time.Minute)
		if s := loop.Status(); s.State != StateOK {
			t.Errorf("the state is %s: %s", s.State, s.LastError)
		}
	})
}

// TestRule08_AfterAnOutage the first read is a short one, which shows whether the
// provider is back; then comes the catch-up.
func TestRule08_AfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := quiet(t, minutely, begin)
		m.fault = func(time.Time, time.Time, int) error {
			if since := time.Since(begin); since > time.Hour && since < 73*time.Hour {
				return errProvider
			}
			return nil
		}
		run(t, m, minutely, 73*time.Hour+90*time.Second)
		after := m.reads[slices.IndexFunc(m.reads, func(r modelRead) bool { return r.at.Sub(begin) >= 73*time.Hour }):]
		// Level 0 comes in pieces at first, which the failures have made short.
		deep := slices.IndexFunc(after, func(r modelRead) bool { return r.at.Sub(r.from) > 10*time.Minute })
		if want := begin.Add(-59 * time.Hour); deep < 1 || after[deep].from.Sub(want).Abs() > time.Minute {
			t.Errorf("the reads after the outage are %v, want a catch-up from %s on", after, want)
		}
		m.wantWhole(t, time.Now(), 2*time.Minute)
	})
}
