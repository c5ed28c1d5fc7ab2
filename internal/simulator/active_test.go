package simulator

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func TestActive(t *testing.T) {
	for name, s := range map[string]Settings{
		"historical": logged(5000),
		"live":       Live(3, logMix(), begin.Add(-24*time.Hour), 1),
	} {
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
		if sumOf(got) == 0 || sumOf(got) != sumOf(want) || got[cdr.Inbound] != want[cdr.Inbound] || gone != ended ||
			ended == 0 {
			t.Errorf("%s: %v and %d that ended, want %v and %d", name, got, gone, want, ended)
		}
		if active := w.Active(at); active[cdr.Outbound] != want[cdr.Outbound] || sumOf(active) != sumOf(want) {
			t.Errorf("%s: active %v, want %v", name, active, want)
		}
	}
}
