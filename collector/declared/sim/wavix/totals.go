package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Totals are the counts of a reader that reads at the times of the view.
func (s *Server) Totals(v simulator.View) simulator.Totals {
	c := simulator.NewCounter(PlacedMix(), v) // both types have the same currency and components
	from, to := c.Bounds()
	for of, w := range s.worlds() {
		w.Each(from, to, func(call *simulator.Call) bool {
			if all := rows(side(of), call); len(all) == 2 {
				addForwarded(c, &all[0], &all[1])
			} else {
				c.Add(&all[0].Call)
			}
			return true
		})
	}
	return c.Totals
}

// addForwarded counts a call of two legs, which are listed at once (counting.md 36). Its own row is a
// machine's leg, which is connected for as long as the call, if it is.
func addForwarded(c *simulator.Counter, parent, leg *row) {
	p, l := c.AddLeg(&parent.Call), c.AddLeg(&leg.Call)
	if p == nil {
		return // it isn't listed yet
	}
	call, kind, talk := *p, *p.Kind, time.Duration(0)
	switch {
	case l.Kind.Outcome == cdr.Answered:
		kind.Outcome, talk = cdr.Answered, l.Duration
	case kind.Outcome.Connected():
		kind.Outcome = cdr.Machine
	default:
		kind.Outcome = l.Kind.Outcome // it ended last
	}
	call.Kind = &kind
	c.CountCall(&parent.Call, &call, cdr.KnownLength(talk))
}
