package metrics

import (
	"fmt"
	"testing"
	"time"
)

func TestMinuteWithEdges(t *testing.T) {
	old := newMinute([]edge{{1, 1}, {5, 2}, {9, -1}})
	for _, c := range []struct {
		name string
		m    *minute
		more []edge
		want string
	}{
		{"none", nil, nil, "<nil>"},
		{"a new one", nil, []edge{{7, 1}, {3, -1}}, "[{3 -1} {7 1}] sum 0 top 0"},
		{"below nothing all the time", nil, []edge{{3, -1}, {7, -1}}, "[{3 -1} {7 -1}] sum -2 top -1"},
		{"nothing more", old, nil, "[{1 1} {5 2} {9 -1}] sum 2 top 3"},
		{"between", old, []edge{{6, -3}, {0, 1}, {10, 1}}, "[{0 1} {1 1} {5 2} {6 -3} {9 -1} {10 1}] sum 1 top 4"},
		{"at once", old, []edge{{5, 1}, {5, 1}}, "[{1 1} {5 4} {9 -1}] sum 4 top 5"},
		{"one ends as another begins", nil, []edge{{5, 1}, {5, -1}}, "<nil>"},
		{"taken off", old, []edge{{1, -1}, {9, 1}}, "[{5 2}] sum 2 top 2"},
		{"all taken off", old, []edge{{9, 1}, {1, -1}, {5, -2}}, "<nil>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := fmt.Sprint(old.edges)
			got := "<nil>"
			if m := c.m.with(c.more); m != nil {
				got = fmt.Sprintf("%v sum %d top %d", m.edges, m.sum, m.top)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if fmt.Sprint(old.edges) != before {
				t.Errorf("the old minute has changed: %v", old.edges)
			}
		})
	}
}

func TestMinuteOf(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want int64
	}{
		{time.Unix(0, 0), 0},
		{time.Unix(59, 999_999_999), 0},
		{time.Unix(60, 0), 1},
		{time.Unix(-1, 0), -1},
		{time.Unix(-60, 0), -1},
		{time.Unix(-61, 0), -2},
	} {
		if got := MinuteOf(c.at); got != c.want {
			t.Errorf("%v: %d, want %d", c.at, got, c.want)
		}
	}
}

func TestDamagedMinuteIsRefused(t *testing.T) {
	whole := newMinute([]edge{{0, 1}, {minuteMicros - 1, -1}}).append(nil)
	if m, err := parseMinute(whole); err != nil || len(m.edges) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	for name, data := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)-1], "no change": {1, 0}, "twice at once": {1, 2, 0, 2},
		"past the minute": append(whole, 1, 2), "a change past counting": {1, 0xfe, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		if m, err := parseMinute(data); err == nil {
			t.Errorf("%s: read as %+v", name, m)
		}
	}
	s, f := testStore()
	if err := s.LoadMinute(f, 1, 5, whole); err == nil {
		t.Error("a minute of a trunk that isn't there was read")
	}
	s.LoadTrunk(f, 1, "t", 0)
	if err := s.LoadMinute(f, 1, 5, nil); err == nil {
		t.Error("an empty minute was read")
	}
}

func FuzzMinute(f *testing.F) {
	f.Add([]byte{})
	f.Add(newMinute([]edge{{0, 1}, {250, 3}, {minuteMicros - 1, -4}}).append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMinute(data)
		if err != nil {
			return
		}
		again, err := parseMinute(m.append(nil))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(m) {
			t.Fatalf("own form is read as %+v, %v, want %+v", again, err, m)
		}
	})
}
