package plan

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestFollow: calls that wait at all times have a level read at most four times as often.
func TestFollow(t *testing.T) {
	const settle = 3 * time.Minute
	always, never := func(int) bool { return true }, func(int) bool { return false }
	reads := func(oldest time.Duration) (deep int) {
		p := New(minutely)
		for m := range p.Levels {
			p.Levels[m].Read = noon
		}
		v := View{Floor: noon.Add(-90 * 24 * time.Hour), Watermark: noon}
		for i := range 24 * 60 {
			v.Now = noon.Add(time.Duration(i) * time.Minute)
			read := p.NextRead(p.NextLevel(v, -1, always, never), v)
			v.Watermark, _ = p.Finish(read, read.nextPiece(100*time.Hour, v), 0, v, v.Now)
			if oldest > 0 {
				p.Follow(v.Now.Add(-oldest), v.Now.Add(settle), settle)
			}
			if read.Level >= 6 { // it reaches back five hours
				deep++
			}
		}
		return deep
	}
	without, with := reads(0), reads(3*time.Hour)
	if with <= without || with > 4*without {
		t.Errorf("%d deep reads where a call of three hours always waits, %d without", with, without)
	}
	if short := reads(5 * time.Minute); short != without {
		t.Errorf("%d deep reads where a call of five minutes does, %d without", short, without)
	}
}

// counting.md 9: what a catch-up reads and the next deepest read no longer owes is
// read until a pass finds nothing new.
func TestRule09_ACatchUpIsSureOfWhatIsOwedNoLonger(t *testing.T) {
	l := Ladder{Interval: time.Minute, Lookback: 48 * time.Hour}
	for _, c := range []struct {
		name    string
		stopped time.Duration
		old     time.Duration // how far back what is read twice ends
	}{
		{"on time", l.Period(l.Last()), l.Reach(l.Last())},
		{"after a long stop", 100 * time.Hour, l.Lookback},
		{"after a short one, that the deepest read is late by", 30 * time.Hour, l.Lookback},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := New(l)
			for m := range p.Levels {
				p.Levels[m].Read = noon.Add(-c.stopped)
			}
			v := View{Now: noon, Floor: noon.Add(-1000 * time.Hour), Watermark: noon.Add(-c.stopped)}
			task := p.newRead(l.Last(), v)
			if got := noon.Sub(task.LastChance); got != c.old {
				t.Errorf("what began up to %s ago is read twice, want %s", got, c.old)
			}
		})
	}
}
