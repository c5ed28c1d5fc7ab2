package plan

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// readWhole reads a whole task of a plan, which begins now.
func (p *Plan) readWhole(level int, v *View) {
	for p.PutRead(p.NextRead(level, *v)); p.Levels[level].Open != nil; {
		task := p.NextRead(level, *v)
		v.Watermark, _ = p.Finish(task, task.nextPiece(1000*time.Hour, *v), 0, *v, v.Now)
	}
}

// TestRule07_ShortReadsAreJoinedToALongOne: short reads during a long read move the
// watermark once the long read is complete.
func TestRule07_ShortReadsAreJoinedToALongOne(t *testing.T) {
	p := New(minutely)
	v := View{Now: noon, Floor: noon.Add(-100 * 24 * time.Hour), Watermark: noon.Add(-10 * 24 * time.Hour)}
	last := minutely.Last()
	for p.PutRead(p.NextRead(last, v)); p.Levels[last].Open != nil; {
		p.readWhole(0, &v)
		if v.Watermark.After(noon) {
			t.Fatalf("the watermark is at %s before the long read has come to its end", v.Watermark)
		}
		long := p.NextRead(last, v)
		v.Watermark, _ = p.Finish(long, long.nextPiece(25*time.Hour, v), 0, v, v.Now)
		v.Now = v.Now.Add(time.Minute)
	}
	if !v.Watermark.Equal(p.Levels[0].Read) || !v.Watermark.After(noon) {
		t.Errorf("the watermark is %s; the last short read was at %s", v.Watermark, p.Levels[0].Read)
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
			p := New(minutely)
			old := noon.Add(-2 * time.Minute)
			for m := range p.Levels {
				p.Levels[m].Read = old
			}
			v := View{Now: noon, Floor: noon.Add(-100 * time.Hour), Watermark: old}
			task := p.NextRead(c.level, v)
			watermark, _ := p.Finish(task, task.nextPiece(1000*time.Hour, v), 0, v, noon.Add(-c.ahead))
			for m, want := range c.want {
				if got := p.Levels[m].Read.After(old); got != want {
					t.Errorf("level %d counts as read: %t", m, got)
				}
			}
			if want := noon.Add(-c.mark); !watermark.Equal(want) || p.Joined.To.After(want) {
				t.Errorf("the watermark is %s, joined up to %s, want %s", watermark, p.Joined.To, want)
			}
		})
	}
}

func TestRule10_StampsOfTheFutureAreForgotten(t *testing.T) {
	p := New(minutely)
	p.Levels[0].Read, p.Levels[1].Read, p.Levels[2].Read = noon.Add(time.Hour), noon.Add(time.Minute), noon.Add(-time.Minute)
	p.Joined = Span{From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}
	p.PutRead(LevelRead{Level: 1, Wanted: noon.Add(-time.Minute), To: noon})
	p.PutRead(LevelRead{Level: 2, Wanted: noon.Add(-time.Minute), To: noon.Add(time.Hour)})
	p.PutRead(LevelRead{Level: 3, Wanted: noon.Add(time.Minute), To: noon.Add(time.Minute)})
	p.DropFuture(noon)
	if !p.Levels[0].Read.IsZero() || !p.Levels[1].Read.Equal(noon) || !p.Levels[2].Read.Equal(noon.Add(-time.Minute)) {
		t.Errorf("the levels were read at %v", p.Levels[:3])
	}
	if p.Joined != (Span{}) || p.Levels[1].Open == nil || p.Levels[2].Open != nil || p.Levels[3].Open != nil {
		t.Errorf("joined is %v, the levels are %+v", p.Joined, p.Levels)
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
