package simulator

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// EachActive calls emit for each call that is connected at an instant, and for each that ended within linger before, those that started
// last first. The version is the final one, whether the log lists it yet or not. Rows that aren't calls, malformed ones and further views
// of a call are left out. The call belongs to emit until it returns.
func (w *World) EachActive(at time.Time, linger time.Duration, emit func(c *Call, v *Version, connected bool)) {
	first, last := w.span(at.Add(-w.longest-linger), at)
	over := at.Add(-linger).UnixMilli()
	var c Call
	for b := last; b >= first; b-- {
		entries := w.block(b).entries
		for i := range entries {
			e := &entries[i]
			if w.s.Order != NewestFirst {
				e = &entries[len(entries)-1-i]
			}
			// A row that was final at its first listing had ended by then.
			if !e.early && e.published < over {
				continue
			}
			w.fill(&c, b, int(e.number))
			v := c.final()
			if !c.isCall() || c.Start.After(at) || c.End(v).Before(at.Add(-linger)) {
				continue
			}
			connected := at.Before(c.End(v))
			if connected && !v.Kind.Outcome.Connected() {
				continue // it still rings
			}
			emit(&c, v, connected)
		}
	}
}

// isCall says whether a row is valid, and a call that counts.
func (c *Call) isCall() bool {
	kind := c.versions[0].Kind
	return c.Flaw == NoFlaw && !kind.Ignored && !kind.View
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
