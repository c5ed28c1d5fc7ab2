package simulator

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// EachActive calls emit for each call that is connected at an instant, and for each that ended
// within linger before, the latest start first. The version is the final one, even if the log
// doesn't list it yet. It leaves out rows that aren't calls, and malformed ones.
func (w *World) EachActive(at time.Time, linger time.Duration, emit func(c *Call, v *Version, connected bool)) {
	var active []Call
	w.Each(at.Add(-w.s.longest()-linger), at.Add(time.Millisecond), func(c *Call) bool {
		v := c.final()
		kind, goesOn := v.Kind, at.Before(c.End(v))
		rings := goesOn && !kind.Outcome.Connected()
		ended := c.End(v).Before(at.Add(-linger))
		if c.Flaw == NoFlaw && !kind.Ignored && !c.Start.After(at) && !ended && !rings {
			active = append(active, *c)
		}
		return true
	})
	for i := range slices.Backward(active) {
		v := active[i].final()
		emit(&active[i], v, at.Before(active[i].End(v)))
	}
}

// Active is the number of calls that are connected at an instant, by direction: cdr_active_calls.
func (w *World) Active(at time.Time) map[cdr.Direction]int {
	active := map[cdr.Direction]int{}
	w.EachActive(at, 0, func(_ *Call, v *Version, connected bool) {
		if connected {
			active[v.Kind.Direction]++
		}
	})
	return active
}
