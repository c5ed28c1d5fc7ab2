package sim

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Totals are the counts of a reader that reads at the times of the view. For the view's label, a
// call's own number is our party in the row.
func (s *Server) Totals(v simulator.View) simulator.Totals {
	c := simulator.NewCounter(PlacedMix(), v) // both types have the same currency and components
	from, to := c.Bounds()
	if !from.IsZero() {
		from = from.Add(-maxOffset)
	}
	var parent *row // a forwarded call's own row; its leg comes next
	s.eachRow(from, to, func(r *row) {
		r.Own = r.ourNumber()
		switch {
		case r.part == ownPart && r.isForwarded():
			parent = r
		case r.child && !parent.NoID && parent.Flaw == simulator.NoFlaw:
			addForwarded(c, &v, parent, r)
		case r.child: // its parent is unknown
			c.Add(&parent.Call)
			c.Add(&r.Call)
		default:
			c.Add(&r.Call)
		}
	})
	return c.Totals
}

// addForwarded counts a call of two legs. Its own row is a machine's leg, unless the other leg came
// after the call was counted (counting.md 36).
func addForwarded(c *simulator.Counter, v *simulator.View, parent, leg *row) {
	p, l := c.AddLeg(&parent.Call), c.AddLeg(&leg.Call)
	if p == nil {
		return // it began before the view
	}
	if l == nil {
		c.CountCall(&parent.Call, p, cdr.KnownLength(p.Duration))
		return
	}
	// The union of both connected intervals.
	alone, connected, talk := time.Duration(0), time.Duration(0), time.Duration(0)
	if p.Kind.Outcome.Connected() {
		alone, connected = p.Duration, p.Duration
	}
	outcome := cdr.Machine
	switch answered := l.Kind.Outcome == cdr.Answered; {
	case answered:
		outcome, talk = cdr.Answered, l.Duration
		began := leg.Start.Sub(parent.Start)
		connected = max(connected, began+talk) - max(0, began-connected)
	case !p.Kind.Outcome.Connected():
		outcome = l.Kind.Outcome // it ended last
	}
	seenWith := func(at time.Time) bool { return parent.At(at) >= 0 }
	if first := slices.IndexFunc(v.At, seenWith); leg.At(v.At[first]) < 0 {
		c.CountCall(&parent.Call, p, cdr.KnownLength(p.Duration))
		c.AddLate(&parent.Call, p, connected-alone, talk, outcome)
		return
	}
	call, kind := *p, *p.Kind
	kind.Outcome, call.Kind, call.Duration = outcome, &kind, connected
	c.CountCall(&parent.Call, &call, cdr.KnownLength(talk))
}
