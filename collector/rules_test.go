package collector

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

var minutely = plan.Ladder{Interval: time.Minute, Lookback: 48 * time.Hour}

// quiet is a model without calls, whose history was read long ago and of which
// every level was read at the watermark.
func quiet(t *testing.T, l plan.Ladder, watermark time.Time) *model {
	t.Helper()
	m := newModel(watermark.Add(-365 * 24 * time.Hour))
	m.state.Watermark, m.state.HistoryDone = watermark, true
	p := plan.New(l)
	for i := range p.Levels {
		p.Levels[i].Read = watermark
	}
	p.Joined = plan.Span{From: watermark.Add(-l.Lookback), To: watermark}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m.state.Resume = data
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
		m := newModel(origin)
		m.keep = 60*time.Hour + 48*time.Hour // what pruning leaves
		traffic(m, time.Now().Add(14*24*time.Hour), 10*time.Minute, 48*time.Hour)
		run(t, m, minutely, 6*24*time.Hour)
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
		floor := m.state.Floor
		run(t, m, minutely, time.Hour)
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

func TestRule07_TheWatermarkIsJoined(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	deep := minutely.Reach(minutely.Last())
	for _, c := range []struct {
		name            string
		level           int
		watermark, want time.Time
		deepest         time.Time // when the deepest level was last read
	}{
		{"a short read that starts before it", 0, now.Add(-4 * time.Minute), now, now.Add(-time.Hour)},
		{"a short read that starts at it", 0, now.Add(-5 * time.Minute), now, now.Add(-time.Hour)},
		{
			"a short read that starts after it", 0, now.Add(-5*time.Minute - time.Second),
			now.Add(-5*time.Minute - time.Second), now.Add(-time.Hour),
		},
		{"a deeper read that starts before it", 2, now.Add(-15 * time.Minute), now, now.Add(-time.Hour)},
		{
			"a short read that lets the deepest fall behind", 0, now.Add(-4 * time.Minute), now.Add(-3 * time.Minute),
			now.Add(-12*time.Hour - 3*time.Minute),
		},
		{"the deepest read", minutely.Last(), now.Add(-20 * time.Hour), now, now.Add(-20 * time.Hour)},
		{"a watermark that is ahead", 0, now.Add(time.Hour), now.Add(time.Hour), now.Add(-time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan.New(minutely)
			for m := range p.Levels {
				p.Levels[m].Read = now.Add(-time.Minute)
			}
			p.Levels[len(p.Levels)-1].Read = c.deepest
			v := plan.View{Now: now, Floor: now.Add(-1000 * time.Hour), Watermark: c.watermark}
			task := p.NextRead(c.level, v)
			if want := now.Add(-minutely.Reach(c.level)); c.deepest.After(now.Add(-deep/5)) && !task.Join.Equal(want) {
				t.Errorf("level %d reads from %s, want %s", c.level, task.Join, want)
			}
			for p.PutRead(task); p.Levels[c.level].Open != nil; {
				task := p.NextRead(c.level, v)
				v.Watermark, _ = p.Finish(task, p.NextStep(&task, longPiece, v), 0, v, now)
			}
			if !v.Watermark.Equal(c.want) {
				t.Errorf("the watermark is %s, want %s", v.Watermark, c.want)
			}
		})
	}
}

func TestRule07_TheWatermarkWhileHistoryIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(time.Now().Add(-30 * 24 * time.Hour))
		m.latency, m.pageSize = 10*time.Second, 30
		traffic(m, time.Now().Add(24*time.Hour), 10*time.Minute, 48*time.Hour)
		began := time.Now()
		loop := loopOver(m, time.Minute, 48*time.Hour)
		loop.Start()
		pass(t, 10*time.Minute)
		half := m.State()
		if half.HistoryDone || !half.Watermark.After(m.state.Origin) || !half.Watermark.Before(began) {
			t.Errorf("after ten minutes: done is %t, the watermark is %s", half.HistoryDone, half.Watermark)
		}
		if s := loop.Status(); s.Ready || s.State != StateCatchingUp {
			t.Errorf("ready is %t, the state %s", s.Ready, s.State)
		}
		pass(t, 3*time.Hour)
		loop.Stop()
		if s := loop.Status(); !m.state.HistoryDone || !s.Ready || s.State != StateOK ||
			time.Since(m.state.Watermark) > 2*time.Minute {
			t.Errorf("after three hours: done is %t, ready is %t, the state %s, the watermark %s behind",
				m.state.HistoryDone, s.Ready, s.State, time.Since(m.state.Watermark))
		}
		for _, problem := range m.broken {
			t.Error(problem)
		}
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
		if _, ok := m.counted["late"]; !ok || time.Since(m.state.Watermark) > 15*time.Second {
			t.Errorf("the late call is counted: %t; the watermark is %s behind", ok, time.Since(m.state.Watermark))
		}
	})
}

func TestRule08_AShortRestartCostsNoDeepRead(t *testing.T) {
	for _, down := range []time.Duration{time.Second, 30 * time.Second, 5 * time.Minute, 2 * time.Hour} {
		t.Run(down.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := quiet(t, minutely, time.Now())
				pass(t, down)
				run(t, m, minutely, 5*time.Second)
				longest := 0 * time.Second
				for _, r := range m.reads {
					longest = max(longest, r.to.Sub(r.from))
				}
				if want := max(5*time.Minute, 5*down) + 2*time.Second; longest > want {
					t.Errorf("%s of downtime cost a read of %s, want at most %s", down, longest, want)
				}
				if behind := time.Since(m.state.Watermark); behind > time.Minute {
					t.Errorf("the watermark is %s behind", behind)
				}
			})
		})
	}
}

func TestRule08_AfterAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := time.Now().Truncate(time.Second)
		m := quiet(t, minutely, stopped)
		var full atomic.Bool
		full.Store(true)
		m.refuse = func(*counting.Page) error {
			if full.Load() {
				return ledger.ErrFull
			}
			return nil
		}
		m.rows = []modelRow{{id: "late", start: stopped.Add(-46 * time.Hour), published: stopped.Add(time.Hour)}}
		loop := loopOver(m, time.Minute, 48*time.Hour)
		loop.Start()
		pass(t, 3*24*time.Hour)
		if s := loop.Status(); s.State != StateError || s.LastError == "" || len(m.counted) > 0 {
			t.Errorf("the state is %s: %s; %d calls were counted", s.State, s.LastError, len(m.counted))
		}
		full.Store(false)
		pass(t, 2*time.Minute)
		loop.Stop()
		if _, ok := m.counted["late"]; !ok {
			t.Error("the late call is missing")
		}
		if s := loop.Status(); s.State != StateOK {
			t.Errorf("the state is %s: %s", s.State, s.LastError)
		}
	})
}

// TestRule08_AfterAnOutage the first read is a short one, which shows whether the
// provider is back; then comes the catch-up.
func TestRule08_AfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		var down atomic.Bool
		m.fault = func(time.Time, time.Time, int) error {
			if down.Load() {
				return errProvider
			}
			return nil
		}
		l := loopOver(m, time.Minute, 48*time.Hour)
		l.Start()
		pass(t, time.Hour)
		down.Store(true)
		stopped := m.State().Watermark
		pass(t, 3*24*time.Hour)
		down.Store(false)
		before := len(m.done())
		pass(t, 90*time.Second)
		l.Stop()
		after := m.reads[before:]
		// Level 0 comes in pieces at first, which the failures have made short.
		deep := slices.IndexFunc(after, func(r modelRead) bool { return r.at.Sub(r.from) > 10*time.Minute })
		if deep < 1 {
			t.Fatalf("the reads after the outage are %v", after)
		}
		if want := stopped.Add(-60 * time.Hour); !near(after[deep].from, want) {
			t.Errorf("the catch-up starts at %s, want %s", after[deep].from, want)
		}
		if behind := time.Since(m.state.Watermark); behind > 2*time.Minute {
			t.Errorf("the watermark is %s behind", behind)
		}
	})
}
