package simulator

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// changed is what must be given, by brute force.
func changed(w *World, after, at time.Time) []time.Time {
	var want []time.Time
	w.Each(time.Time{}, at.Add(time.Hour), func(c *Call) bool {
		if i := c.At(at); i >= 0 && c.versions[i].Published.After(after) {
			for range c.Copies {
				want = append(want, c.versions[i].Published)
			}
		}
		return true
	})
	slices.SortFunc(want, func(a, b time.Time) int { return cmp.Compare(a.UnixMilli(), b.UnixMilli()) })
	return want
}

func TestChangesAreAllThatChanged(t *testing.T) {
	w := newTestWorld(t, logged(3000))
	for _, c := range []struct {
		name      string
		after, at time.Duration
		limit     int
	}{
		{"nothing yet", 0, 0, 10},
		{"a morning", 3 * time.Hour, 9 * time.Hour, 50},
		{"from before", -50 * time.Hour, 20 * time.Hour, 1000},
		{"later than what was made", 60 * time.Hour, 90 * time.Hour, 7},
		{"one by one", 10 * time.Hour, 10*time.Hour + 20*time.Minute, 1},
		{"all", -time.Hour, 200 * time.Hour, 250},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := changed(w, begin.Add(c.after), begin.Add(c.at))
			var got []time.Time
			after, more := begin.Add(c.after), true
			for more {
				n := 0
				more = w.Changes(Since{After: after, At: begin.Add(c.at), Limit: c.limit}, func(_ *Call, v *Version) {
					got, after = append(got, v.Published), v.Published
					n++
				})
				if more && n < c.limit {
					t.Fatalf("%d rows, though there are more", n)
				}
			}
			if !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Errorf("%d rows, want %d in order", len(got), len(want))
			}
		})
	}
}

// TestChangesOfOneMillisecondStayTogether: the limit is overrun, or a row would be lost.
func TestChangesOfOneMillisecondStayTogether(t *testing.T) {
	s := Historical(1, testMix(), begin, begin.Add(time.Second), 5000)
	s.Mix.Kinds = s.Mix.Kinds[3:4] // without a duration
	s.Delays, s.Revised, s.Duplicated = nil, 0, 0
	w := newTestWorld(t, s)
	total, over := 0, 0
	for after, more := begin.Add(-time.Hour), true; more; {
		n := 0
		more = w.Changes(Since{After: after, At: begin.Add(time.Hour), Limit: 252}, func(_ *Call, v *Version) {
			after = v.Published
			n++
		})
		total += n
		if n > 252 {
			over++
		}
	}
	if total != 5000 || over == 0 {
		t.Errorf("%d rows, %d answers over the limit", total, over)
	}
}

func TestChangesFollowALiveWorld(t *testing.T) {
	s := Live(3, logMix(), begin, 2)
	s.NewestFirst = true
	w := newTestWorld(t, s)
	after, n := begin, 0
	at := begin
	for range 50 {
		at = at.Add(73 * time.Second)
		if at.Sub(begin) > time.Hour {
			w.FailPart("a", hitByIncident, at, at.Add(time.Minute))
		}
		w.Changes(Since{After: after, At: at, Limit: 1 << 30}, func(_ *Call, v *Version) {
			if !v.Published.After(after) || v.Published.After(at) {
				t.Fatalf("changed at %s, asked for (%s, %s]", v.Published, after, at)
			}
			n++
		})
		after = at
	}
	// Rows that changed between two looks are given once each time.
	if want := len(changed(w, begin, at)); n < want || n > want*3/2 {
		t.Errorf("%d rows in small steps, %d at once", n, want)
	}
}

func TestActive(t *testing.T) {
	for name, s := range map[string]Settings{"historical": logged(5000), "live": Live(3, logMix(), begin.Add(-24*time.Hour), 1)} {
		w := newTestWorld(t, s)
		at, linger := begin.Add(12*time.Hour+345*time.Millisecond), 2*time.Minute
		want, ended := map[cdr.Direction]int{}, 0
		w.Each(time.Time{}, at.Add(time.Hour), func(c *Call) bool {
			v := c.final()
			switch end := c.End(v); {
			case c.Flaw != NoFlaw || v.Kind.Ignored || v.Kind.View || c.Start.After(at):
			case at.Before(end) && v.Kind.Outcome.Connected():
				want[v.Kind.Direction]++
			case !at.Before(end) && !end.Before(at.Add(-linger)):
				ended++
			}
			return true
		})
		got, gone := map[cdr.Direction]int{}, 0
		last := at
		w.EachActive(at, linger, func(c *Call, v *Version, connected bool) {
			if c.Start.After(last) {
				t.Fatalf("%s: not the newest first", name)
			}
			last = c.Start
			if connected {
				got[v.Kind.Direction]++
			} else {
				gone++
			}
		})
		if sumOf(got) == 0 || sumOf(got) != sumOf(want) || got[cdr.Inbound] != want[cdr.Inbound] || gone != ended || ended == 0 {
			t.Errorf("%s: %v and %d that ended, want %v and %d", name, got, gone, want, ended)
		}
		if active := w.Active(at); active[cdr.Outbound] != want[cdr.Outbound] || sumOf(active) != sumOf(want) {
			t.Errorf("%s: active %v, want %v", name, active, want)
		}
	}
}
