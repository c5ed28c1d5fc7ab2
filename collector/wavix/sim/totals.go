package sim

import "github.com/cdr-exporter/cdr-exporter/internal/simulator"

// Totals are what a reader has counted that looked as the view says. To the view's label, a call's own number is our party's as the row has it.
func (s *Server) Totals(v simulator.View) simulator.Totals {
	c := simulator.NewCounter(PlacedMix(), v) // both types have the same currency and components
	from, to := c.Bounds()
	if !from.IsZero() {
		from = from.Add(-maxOffset)
	}
	parentFailed := false // the call's own row, for the leg that comes after it
	s.eachRow(from, to, func(r *row) {
		if r.part == ownPart {
			parentFailed = false
		}
		r.Own = r.ourNumber()
		first := c.Add(&r.Call)
		if first == nil {
			return
		}
		failed := !first.Kind.Outcome.Connected()
		switch {
		case failed && r.child && parentFailed: // guarantee 3
			c.Forgive(&r.Call, first)
		case r.part == ownPart:
			parentFailed = failed && !r.NoID
		}
	})
	return c.Totals
}
