package main_test

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
)

// tables are metrics by name, their values in millionths by label values joined with a bar. Of
// histograms there are NAME_count and NAME_sum.
type tables = simulator.Tables

// diff lists the differences of two tables, in a limited number of lines; it is empty if they are
// equal.
func diff(got, want tables) string { return summary(harness.Differences(got, want)) }

// view is what a reader sees who looks at everything at each of these instants.
func view(w *simulator.World, at ...time.Time) *simulator.Totals {
	t := w.Totals(simulator.View{At: at})
	return &t
}

// eachCall calls f with every valid call that is published at an instant, and the
// version that is visible then.
func eachCall(w *simulator.World, at time.Time, f func(*simulator.Call, *simulator.Version)) {
	w.Each(time.Time{}, at.Add(time.Millisecond), func(c *simulator.Call) bool {
		if v := c.At(at); v >= 0 && c.Flaw == simulator.NoFlaw {
			f(c, &c.Versions()[v])
		}
		return true
	})
}

// changes is how many revisions a reader meets who looks at these instants: versions
// that change an outcome or an amount, or bring an amount that isn't zero. Names and
// recordings that come late are none (counting.md 14, 16), nor is what wasn't final.
func changes(w *simulator.World, at ...time.Time) int {
	n := 0
	w.Each(time.Time{}, at[len(at)-1].Add(time.Millisecond), func(c *simulator.Call) bool {
		before := -1
		for _, t := range at {
			v := c.At(t)
			if v < 0 || c.Flaw != simulator.NoFlaw || c.Versions()[v].InProgress {
				continue
			}
			if before >= 0 && v != before && changed(&c.Versions()[before], &c.Versions()[v]) {
				n++
			}
			before = v
		}
		return true
	})
	return n
}

func changed(before, after *simulator.Version) bool {
	if before.Kind.Outcome != after.Kind.Outcome {
		return true
	}
	for _, p := range [][2]simulator.Price{{before.Usage, after.Usage}, {before.Connection, after.Connection}} {
		switch was, is := p[0], p[1]; {
		case !was.Known && is.Known && is.Amount != 0:
			return true
		case was.Known && (was.Amount != is.Amount || before.Currency != after.Currency):
			return true
		}
	}
	return false
}
