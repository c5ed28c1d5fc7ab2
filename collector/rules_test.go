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
	runFor(t, loopOver(m, l.Interval, l.Lookback), d)
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

// TestRule07_WhileHistoryIsRead (counting.md 6, 7): short reads come between the pieces of the long one, and the
// watermark follows the pieces.
func TestRule07_WhileHistoryIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, time.Now().Add(-20*day))
		m.latency, m.pageSize = 4*time.Second, 30
		traffic(m, time.Now().Add(day), 5*time.Minute, 48*time.Hour)
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
		pass(t, 110*time.Minute)
		loop.Stop()
		if s := loop.Status(); !m.State().HistoryDone || !s.Ready || s.State != StateOK {
			t.Errorf("after two hours: done is %t, %+v", m.State().HistoryDone, s)
		}
		m.wantWhole(t, began.Add(-48*time.Hour), 2*time.Minute)
		var last time.Time
		pieces := 0
		for _, r := range m.reads[1:] {
			if r.at.Sub(r.to) > time.Minute {
				pieces++
				continue
			}
			// A piece may be 24 h at first: 10 pages. Those after it take half an interval.
			if gap := r.at.Sub(last); !last.IsZero() && gap > 2*time.Minute {
				t.Errorf("%s passed between two reads up to now", gap)
			}
			last = r.at
		}
		if pieces < 10 {
			t.Errorf("the history came in %d pieces", pieces)
		}
	})
}

// TestRule08_CatchUpStartsBeforeTheWatermark: all that the provider showed while nothing was read or committed is read.
// The first read is a short one: it shows whether the provider is back, and what the time is.
func TestRule08_CatchUpStartsBeforeTheWatermark(t *testing.T) {
	const lasts = 3 * day
	for _, c := range []struct {
		name         string
		fault, error error // meanwhile, of the provider and of the ledger
	}{
		{"a downtime", nil, nil},
		{"an outage", errProvider, nil},
		{"a full disk", nil, ledger.ErrFull},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			begin := time.Now()
			meanwhile := func(err error) error {
				if time.Since(begin) < lasts {
					return err
				}
				return nil
			}
			m := quiet(t, minutely, begin)
			m.fault = func(time.Time, time.Time, int) error { return meanwhile(c.fault) }
			m.refuse = func(*counting.Page) error { return meanwhile(c.error) }
			// Long gone from what levels cover.
			m.rows = []modelRow{{id: "late", start: begin.Add(-46 * time.Hour), published: begin.Add(time.Hour)}}
			loop, fails := loopOver(m, time.Minute, 48*time.Hour), c.fault != nil || c.error != nil
			if fails {
				loop.Start()
			}
			pass(t, lasts-time.Second)
			if s := loop.Status(); fails && (s.State != StateError || s.LastError == "") {
				t.Errorf("the state is %s: %s", s.State, s.LastError)
			}
			<-time.After(time.Second)
			runFor(t, loop, 2*time.Minute)
			after := slices.DeleteFunc(m.reads, func(r modelRead) bool { return r.at.Sub(begin) < lasts })
			deep := slices.IndexFunc(after, func(r modelRead) bool { return r.at.Sub(r.from) > 10*time.Minute })
			if want := begin.Add(-60 * time.Hour); deep < 0 || deep == 0 && c.error == nil ||
				after[deep].from.Sub(want).Abs() > time.Minute {
				t.Errorf("the reads afterwards are %v, want a catch-up from %s on", after, want)
			}
			m.wantWhole(t, time.Now(), 2*time.Minute)
			if s := loop.Status(); s.State != StateOK {
				t.Errorf("the state is %s: %s", s.State, s.LastError)
			}
		})
	}
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
