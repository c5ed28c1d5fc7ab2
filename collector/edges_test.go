package collector

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// counting.md 9: what a catch-up reads and the next deepest read no longer owes is
// read until a pass finds nothing new.
func TestRule09_ACatchUpIsSureOfWhatIsOwedNoLonger(t *testing.T) {
	l := ladder{interval: time.Minute, lookback: 48 * time.Hour}
	for _, c := range []struct {
		name    string
		stopped time.Duration
		old     time.Duration // how far back what is read twice ends
	}{
		{"on time", l.period(l.last()), l.reach(l.last())},
		{"after a long stop", 100 * time.Hour, l.lookback},
		{"after a short one, that the deepest read is late by", 30 * time.Hour, l.lookback},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlan(l)
			for m := range p.reads {
				p.reads[m] = noon.Add(-c.stopped)
			}
			v := view{now: noon, floor: noon.Add(-1000 * time.Hour), watermark: noon.Add(-c.stopped)}
			task := p.begin(l.last(), v)
			if got := noon.Sub(task.Old); got != c.old {
				t.Errorf("what began up to %s ago is read twice, want %s", got, c.old)
			}
		})
	}
}

// counting.md 18: a page that broke after a part was handed on has no more twins
// than before.
func TestRule18_APageReadAgainHasNoMoreTwins(t *testing.T) {
	var w twins
	row := func() []*cdr.Record { return []*cdr.Record{{Synthetic: "a"}, {Synthetic: "a"}} }
	take := func(page int) (numbers []int) {
		w.begin(page)
		for _, r := range number(&w, row()) {
			numbers = append(numbers, r.Twin)
		}
		return numbers
	}
	for _, c := range []struct {
		page int
		want [2]int
	}{{1, [2]int{0, 1}}, {1, [2]int{0, 1}}, {2, [2]int{2, 3}}, {2, [2]int{2, 3}}, {3, [2]int{4, 5}}} {
		if got := take(c.page); [2]int(got) != c.want {
			t.Errorf("page %d: twins %v, want %v", c.page, got, c.want)
		}
	}
}

func number(w *twins, records []*cdr.Record) []*cdr.Record {
	w.number(records)
	return records
}

// counting.md 10: Dates that are a year ahead for less than an hour move nothing, and
// are shown.
func TestRule10_WrongDatesMoveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		var wrong atomic.Int64
		m.date = func() time.Time { return time.Now().Add(time.Duration(wrong.Load())).Truncate(time.Second) }
		loop := loopOver(m, time.Minute, 48*time.Hour)
		loop.Start()
		pass(t, 10*time.Minute)
		before := m.State()
		wrong.Store(int64(365 * 24 * time.Hour))
		pass(t, 50*time.Minute)
		if s := loop.Status(); s.State != StateError || !strings.Contains(s.LastError, "has jumped") {
			t.Errorf("status %+v", s)
		}
		// The first wrong Dates may still be outvoted by right ones.
		if moved := m.State().Watermark.Sub(before.Watermark); moved > 5*time.Minute {
			t.Errorf("the watermark moved by %s", moved)
		}
		wrong.Store(0)
		pass(t, 10*time.Minute)
		loop.Stop()
		if behind := time.Since(m.state.Watermark); behind < 0 || behind > 2*time.Minute {
			t.Errorf("with right Dates again the watermark is %s behind", behind)
		}
	})
}
