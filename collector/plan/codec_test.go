package plan

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestPlan_SurvivesARestart(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := New(minutely)
	for m := range p.Reads {
		p.Reads[m] = now.Add(-time.Duration(m) * time.Minute)
	}
	p.Joined = Span{From: now.Add(-time.Hour), To: now}
	p.unreadable = 3 * time.Hour
	p.Open = []Task{
		{Level: 4, Wanted: now, Join: now.Add(-time.Hour), Old: now.Add(-time.Minute), To: now, Cursor: now.Add(-time.Minute)},
		{Level: 9, Wanted: now, Join: now.Add(-time.Hour), Cursor: now.Add(-time.Hour), To: now, Pass: 2, End: now, Lost: time.Second},
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 2000 {
		t.Errorf("the plan takes %d bytes with every commit", len(data))
	}
	got, err := Decode(data, minutely)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, p)
	}
}

// TestPlan_OtherLevels: after a change of interval or lookback a stamp counts for
// the levels that reach back no further.
func TestPlan_OtherLevels(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := New(minutely)
	for m := range p.Reads {
		p.Reads[m] = now.Add(-time.Duration(m) * time.Minute)
	}
	p.Open = []Task{{Level: 9, Wanted: now, Join: now.Add(-time.Hour), To: now, Cursor: now}}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		l    Ladder
		want []int // minutes ago, by level; -1: never
	}{
		{"a longer lookback", Ladder{time.Minute, 72 * time.Hour}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, -1}},
		{"a shorter lookback", Ladder{time.Minute, 24 * time.Hour}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{"a longer interval", Ladder{5 * time.Minute, 48 * time.Hour}, []int{3, 4, 5, 6, 7, 8, 9}},
		{"a shorter interval", Ladder{30 * time.Second, 48 * time.Hour}, []int{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
	} {
		got, err := Decode(data, c.l)
		if err != nil || len(got.Open) != 0 {
			t.Fatalf("%s: %v, open %v", c.name, err, got.Open)
		}
		for m, minutes := range c.want {
			want := now.Add(-time.Duration(minutes) * time.Minute)
			if minutes < 0 {
				want = time.Time{}
			}
			if m >= len(got.Reads) || !got.Reads[m].Equal(want) {
				t.Errorf("%s: the levels were read %v, want %v", c.name, got.Reads, c.want)
				break
			}
		}
	}
}

// FuzzDecodePlan: a plan that is corrupt, older or hostile never stops a feed.
func FuzzDecodePlan(f *testing.F) {
	good := New(minutely)
	good.Reads[3] = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	good.Open = []Task{{Level: 2, Wanted: good.Reads[3], Join: good.Reads[3].Add(-time.Hour), To: good.Reads[3], Cursor: good.Reads[3].Add(-time.Minute)}}
	data, err := good.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"v":1,"interval":1,"lookback":1,"reads":["2026-03-01T00:00:00Z"],"joined":{}}`))
	f.Add([]byte(`{"v":0}`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`{"v":1,"interval":60000000000,"lookback":60000000000,"reads":["9999-12-31T23:59:59Z"],"open":[{"level":0,"to":"9999-01-01T00:00:00Z"}]}`))
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	always, never := func(int) bool { return true }, func(int) bool { return false }
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(data, minutely)
		if p == nil {
			t.Fatal("no plan at all")
		}
		v := View{Now: now, Floor: now.Add(-100 * time.Hour), Watermark: now.Add(-time.Hour), Edge: now.Add(-90 * time.Hour)}
		if err != nil {
			if s := p.NextTask(p.NextLevel(v, -1, always, never), v); s.Level != minutely.Last() || !s.Join.Equal(now.Add(-61*time.Hour)) {
				t.Fatalf("a plan that can't be read (%v) isn't followed by a deep read: %+v", err, s)
			}
		}
		before := -1
		for range 60 {
			p.DropFuture(v.Now)
			m := p.NextLevel(v, before, always, never)
			task := p.NextTask(m, v)
			s := task.step(24*time.Hour, v)
			if !s.From.Before(s.To) || s.From.Before(v.Floor.Add(-Overlap)) || s.To.After(v.Now) {
				t.Fatalf("a step from %s to %s at %s", s.From, s.To, v.Now)
			}
			was := v.Watermark
			v.Watermark = p.Finish(task, s, 0, v, v.Now).Watermark
			if v.Watermark.Before(was) || v.Watermark.After(v.Now) {
				t.Fatalf("the watermark goes from %s to %s at %s", was, v.Watermark, v.Now)
			}
			if again, err := p.Encode(); err != nil {
				t.Fatal(err)
			} else if _, err := Decode(again, minutely); err != nil {
				t.Fatalf("%s can't be read again: %v", again, err)
			}
			before = m
			v.Now = v.Now.Add(time.Second)
		}
		for m, at := range p.Reads {
			if at.IsZero() {
				t.Fatalf("after 60 polls level %d was never read", m)
			}
		}
		if !json.Valid(mustEncode(t, p)) {
			t.Fatal("not JSON")
		}
	})
}

func mustEncode(t *testing.T, p *Plan) []byte {
	t.Helper()
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}
