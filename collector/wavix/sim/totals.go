package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Millionths is money in millionths of a dollar. Wavix's prices have up to five
// decimals, of which simulator.Amount holds four.
type Millionths int64

// millionths are an amount of this package's tariffs, in hundred-thousandths.
func millionths(a simulator.Amount) Millionths { return Millionths(a) * 10 }

// Totals are what must have been counted (simulator.Totals), of both types.
type Totals struct {
	// Totals have no money: Charges and Corrections of their own stay nil, since
	// their unit is too coarse.
	simulator.Totals
	// Charges is cdr_call_charges_total, Corrections
	// cdr_call_charge_corrections_total.
	Charges     map[simulator.ChargeKey]Millionths
	Corrections map[simulator.CorrectionKey]Millionths
	// Twins are records without an id that can't be told from another, Children
	// those whose parent is another record, Excused the failed ones of them whose
	// failure isn't counted beside their parent's (guarantee 3).
	Twins, Children, Excused int
}

// View is what a reader looked at.
type View struct {
	simulator.View
	// Type is the only type that was read; empty: both.
	Type string
	// Reduced says that the export was read, with fewer fields (ExportFewer): it
	// tells neither trunks nor parents.
	Reduced bool
}

// Totals are what a reader has counted who reads everything once, at an instant. It
// takes about three seconds for a million calls.
func (a *Account) Totals(at time.Time) Totals {
	return a.TotalsOf(View{View: simulator.View{At: []time.Time{at}}})
}

// TotalsFor are Totals of the rows that started in [from, to).
func (a *Account) TotalsFor(from, to, at time.Time) Totals {
	return a.TotalsOf(View{View: simulator.View{From: from, To: to, At: []time.Time{at}}})
}

// TotalsOf are what a reader has counted who looked as the view says.
func (a *Account) TotalsOf(v View) Totals {
	c := counter{Totals: newTotals(), view: &v}
	if len(v.At) == 0 {
		return c.Totals
	}
	// Calls that start after the last instant aren't published by then.
	to := v.At[len(v.At)-1].Add(time.Millisecond)
	if !v.To.IsZero() && v.To.Before(to) {
		to = v.To
	}
	from := v.From
	if !from.IsZero() {
		from = from.Add(-maxOffset)
	}
	a.eachRow(from, to, c.row)
	return c.Totals
}

func newTotals() Totals {
	return Totals{
		Totals: simulator.Totals{
			Flaws: map[simulator.Flaw]int{}, Calls: map[simulator.CallKey]int{}, Failures: map[simulator.FailureKey]int{},
			Durations: map[simulator.DurationKey]simulator.Span{}, Connected: map[simulator.ConnectedKey]time.Duration{},
			OutcomeChanges: map[simulator.OutcomeChange]int{}, Emergency: map[simulator.EmergencyKey]int{},
		},
		Charges:     map[simulator.ChargeKey]Millionths{},
		Corrections: map[simulator.CorrectionKey]Millionths{},
	}
}

// counter counts rows as they come.
type counter struct {
	Totals
	view *View
	seen [3]int
	// failed says that the call's own row was counted as a failure under its id, for
	// the leg that comes after it.
	failed bool
}

// row counts a row of which some versions may have been seen.
func (c *counter) row(r *row) {
	if r.part == ownPart {
		c.failed = false
	}
	seen := c.versions(r)
	if len(seen) == 0 || !c.reads(r) {
		return
	}
	c.Rows += r.copies
	if r.flaw != simulator.NoFlaw {
		c.Invalid++
		c.Flaws[r.flaw]++
		return
	}
	c.Records++
	c.Duplicates += r.copies - 1
	c.count(r, &r.versions[seen[0]])
	for i := 1; i < len(seen); i++ {
		c.revise(r, &r.versions[seen[i-1]], &r.versions[seen[i]])
	}
}

// reads says whether the view has the row.
func (c *counter) reads(r *row) bool {
	v := c.view
	return (v.Type == "" || v.Type == r.side.String()) &&
		(v.From.IsZero() || !r.start.Before(v.From)) && (v.To.IsZero() || r.start.Before(v.To))
}

// versions are those of a row that the reader met, in order.
func (c *counter) versions(r *row) []int {
	seen, before := c.seen[:0], -1
	for i, at := range c.view.At {
		version := r.at(at)
		if version < 0 {
			continue
		}
		first := version
		if c.view.Continuous && i > 0 {
			// Everything since the instant before came by.
			first = max(0, before)
		}
		for n := first; n <= version; n++ {
			if len(seen) == 0 || seen[len(seen)-1] < n {
				seen = append(seen, n)
			}
		}
		before = version
	}
	return seen
}

// count counts a row by the first version that was seen.
func (c *counter) count(r *row, v *version) {
	way, callType, trunk := r.side.direction(), r.side.String(), r.trunk
	if c.view.Reduced {
		trunk = ""
	}
	if r.part == twinPart {
		c.Twins++
	}
	c.Calls[simulator.CallKey{Direction: way, CallType: callType, Outcome: v.outcome, Trunk: trunk}]++
	if v.outcome.Connected() {
		key := simulator.DurationKey{Direction: way, CallType: callType, Trunk: trunk}
		span := c.Durations[key]
		c.Durations[key] = simulator.Span{Count: span.Count + 1, Sum: span.Sum + v.duration}
		c.Connected[simulator.ConnectedKey{Direction: way, CallType: callType, Trunk: trunk, Country: r.country}] += v.duration
	}
	c.failure(r, v, simulator.FailureKey{Direction: way, Trunk: trunk, Outcome: v.outcome})
	if r.emergency != cdr.NoEmergency {
		c.Emergency[simulator.EmergencyKey{Outcome: v.outcome, Test: r.emergency == cdr.EmergencyTest}]++
	}
	c.charge(r.money("usage"), v.charge)
	c.charge(r.money("forwarding"), v.fee)
}

// failure counts one, unless it is the same as that of the row's parent.
func (c *counter) failure(r *row, v *version, key simulator.FailureKey) {
	if r.childOf {
		c.Children++
	}
	switch {
	case v.outcome.Connected():
		return
	case r.childOf && c.failed:
		c.Excused++
		return
	case r.part == ownPart && !r.noID && !c.view.Reduced:
		c.failed = true
	}
	c.Failures[key]++
}
