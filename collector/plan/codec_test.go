package plan

import (
	"reflect"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestPlan_SurvivesARestart(t *testing.T) {
	now, p := noon, New(minutely)
	for m := range p.Levels {
		p.Levels[m].Read = now.Add(-time.Duration(m) * time.Minute)
	}
	p.Joined = Span{From: now.Add(-time.Hour), To: now}
	p.Expired = 3 * time.Hour
	p.PutRead(LevelRead{
		Level: 4, Wanted: now, Join: now.Add(-time.Hour), LastChance: now.Add(-time.Minute), To: now,
		Cursor: now.Add(-time.Minute),
	})
	p.PutRead(LevelRead{
		Level: 9, Wanted: now, Join: now.Add(-time.Hour), Cursor: now.Add(-time.Hour), To: now, Pass: 2, End: now,
		Lost: time.Second,
	})
	p.Levels[7].Again = Again{At: now, From: now, Wait: time.Minute}
	data, err := p.Encode()
	require.NoError(t, err)
	if len(data) > 2000 {
		t.Errorf("the plan takes %d bytes with every commit", len(data))
	}
	got, err := Decode(data, minutely)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, p)
	}
}

// TestPlan_DecodeOther: a plan of other levels, and what can't be decoded, is followed by a deep read. How much time
// was lost is kept.
func TestPlan_DecodeOther(t *testing.T) {
	p := New(Ladder{Interval: time.Minute, Lookback: 24 * time.Hour})
	for m := range p.Levels {
		p.Levels[m].Read = noon
	}
	p.Expired = time.Hour
	other, err := p.Encode()
	require.NoError(t, err)
	for _, c := range []struct {
		name, data string
		kept       bool
		fails      bool
	}{
		{"of another lookback", string(other), true, false},
		{"none", "", false, false},
		{"empty", "{}", false, false},
		{"cut", string(other[:len(other)/2]), false, true},
		{"no object", "[]", false, true},
		{"a level too many", withLevels(t, minutely.Last()+2), true, true},
		{"a level too few", withLevels(t, minutely.Last()), true, true},
	} {
		got, err := Decode([]byte(c.data), minutely)
		if (err != nil) != c.fails {
			t.Errorf("%s: error %v", c.name, err)
		}
		v := View{Now: noon, Floor: noon.Add(-100 * time.Hour), Watermark: noon.Add(-time.Hour)}
		always, never := func(int) bool { return true }, func(int) bool { return false }
		if task := got.NextRead(got.NextLevel(v, -1, always, never), v); task.Level != minutely.Last() ||
			!task.Join.Equal(noon.Add(-61*time.Hour)) {
			t.Errorf("%s: it is followed by %+v, want a deep read", c.name, task)
		}
		if kept := got.Expired == time.Hour; kept != c.kept {
			t.Errorf("%s: it is %+v", c.name, got)
		}
	}
}

// withLevels is a stored plan with this number of levels.
func withLevels(t *testing.T, levels int) string {
	t.Helper()
	p := New(minutely)
	p.Expired, p.Levels = time.Hour, make([]Level, levels)
	data, err := p.Encode()
	require.NoError(t, err)
	return string(data)
}

// FuzzDecodePlan: whatever is stored, what is decoded can be stored again, and an error leaves a plan that catches up.
func FuzzDecodePlan(f *testing.F) {
	good, err := New(minutely).Encode()
	require.NoError(f, err)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte(`{"levels":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(data, minutely)
		if p == nil {
			t.Fatalf("%q makes no plan: %v", data, err)
		}
		if again, err := p.Encode(); err != nil || len(again) == 0 {
			t.Errorf("%q makes a plan that can't be stored: %v", data, err)
		}
	})
}
