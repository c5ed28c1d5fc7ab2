package plan

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var minutely = Ladder{Interval: time.Minute, Lookback: 48 * time.Hour}

// newRandom is a source of random numbers that is the same in every run.
func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// TestRule06_EveryDelayHasItsLevel checks the arithmetic behind the promise for
// many configurations: some level sees each delay within its time, even when its
// read comes as late as it may.
func TestRule06_EveryDelayHasItsLevel(t *testing.T) {
	random := newRandom(1)
	for range 2000 {
		interval := time.Second * time.Duration(1+random.IntN(600))
		l := Ladder{Interval: interval, Lookback: interval + time.Duration(random.Float64()*float64(2000*interval))}
		for range 50 {
			late := time.Duration(random.Float64() * float64(l.Lookback))
			if !slices.ContainsFunc(levels(l), func(m int) bool {
				return l.Period(m) <= max(late/2, l.Interval) && l.Reach(m) >= late+l.Period(m)
			}) {
				t.Fatalf("interval %s, lookback %s: no level is in time for a delay of %s", l.Interval, l.Lookback,
					late)
			}
		}
		for m := range l.Last() + 1 {
			if l.Reach(m) < l.Covers(m)+l.Period(m) ||
				m > 0 && (l.Reach(m) <= l.Reach(m-1) || l.Covers(m) < l.Covers(m-1)) {
				t.Fatalf("interval %s, lookback %s, level %d: reach %s, period %s, covers %s", l.Interval, l.Lookback,
					m, l.Reach(m), l.Period(m), l.Covers(m))
			}
		}
		if last := l.Last(); l.Covers(last) != l.Lookback {
			t.Fatalf("interval %s, lookback %s: the last level answers for %s only", l.Interval, l.Lookback,
				l.Covers(last))
		}
	}
}

func levels(l Ladder) []int {
	all := make([]int, l.Last()+1)
	for m := range all {
		all[m] = m
	}
	return all
}

// table is the spans that a feed has to read again, as a ledger has them.
type table []work.Item

func (t *table) stepOver(span Span, data string) {
	put, done := StepOver(*t, span, noon, data, "")
	*t = work.Spans(*t, done, []work.Item{put})
}

func (t *table) texts() string {
	var all []string
	for i := range *t {
		all = append(all, SpanText(&(*t)[i]))
	}
	return strings.Join(all, " ")
}

func minutes(from, to int) Span {
	return Span{From: noon.Add(time.Duration(from) * time.Minute), To: noon.Add(time.Duration(to) * time.Minute)}
}

// TestStepOver: spans that touch become one; those of which rows are missing keep their own numbers
// until there are a hundred, and the watermark stands before the first of these.
func TestStepOver(t *testing.T) {
	p, nine := New(Ladder{Interval: time.Minute, Lookback: time.Hour}), minutes(0, 9).To
	again := SpanItem(noon.Add(30*time.Second), noon.Add(90*time.Second), noon) // of an audit: no read leaves it out
	spans := table{again}
	spans.stepOver(minutes(0, 1), "")
	spans.stepOver(minutes(1, 2), "")
	p.Reached = nine
	if got, aside := p.Release(spans), SetAside(spans); !p.Reached.IsZero() || !got.Equal(nine) ||
		len(spans) != 2 || len(aside) != 1 || aside[0] != minutes(0, 2) {
		t.Errorf("stepped over are %v, the watermark is %s", spans.texts(), got)
	}
	spans = work.Spans(spans, []work.Item{again}, nil)
	spans.stepOver(minutes(2, 3), MissingRows(2, 5))
	spans.stepOver(minutes(3, 4), MissingRows(1, 3))
	const want = "2026-03-01T12:00:00Z/2026-03-01T12:02:00Z 2026-03-01T12:02:00Z/2026-03-01T12:03:00Z (2 of 5 rows) " +
		"2026-03-01T12:03:00Z/2026-03-01T12:04:00Z (1 of 3 rows)"
	if got := spans.texts(); got != want {
		t.Errorf("stepped over are %s", got)
	}
	p.Reached = nine
	if got := p.Release(spans); !got.Equal(minutes(2, 3).From) || !p.Reached.Equal(nine) {
		t.Errorf("the watermark is %s, reached is %s", got, p.Reached)
	}
	for i := 4; i < 500; i++ {
		spans.stepOver(minutes(i, i+1), MissingRows(0, 1))
	}
	last := spans[len(spans)-1]
	if len(spans) > 101 || !SpanOf(&last).To.Equal(minutes(0, 500).To) || !strings.HasPrefix(last.Data, "0 of ") {
		t.Errorf("%d spans are stepped over, the last one is %s", len(spans), SpanText(&last))
	}
}

// FuzzSpanOf: whatever a key says, a span that is found is written as it was.
func FuzzSpanOf(f *testing.F) {
	f.Add("2026-03-01T12:00:00Z/2026-03-01T12:02:00Z")
	f.Add("2026-03-01T12:00:00Z")
	f.Fuzz(func(t *testing.T, key string) {
		span := SpanOf(&work.Item{Key: key})
		if span != (Span{}) && SpanOf(&work.Item{Key: span.String()}) == (Span{}) {
			t.Errorf("%q is %s, which isn't a span", key, span)
		}
	})
}
