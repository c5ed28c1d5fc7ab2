package sim

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/simtest"
)

// TestTotalsAreWhatWasServed counts the rows that came over HTTPS in each format and
// each generation, and compares with how the calls were made.
func TestTotalsAreWhatWasServed(t *testing.T) {
	a := account(t, 700, spoilt)
	for name, g := range generations {
		t.Run(name, func(t *testing.T) {
			clock := simulator.NewManualClock(begin)
			_, c := start(t, Settings{Account: a, Generation: g, Clock: clock, Order: Order(g % 3), KeepOldPaths: g == GenerationC})
			for _, after := range []time.Duration{8 * time.Hour, 90 * time.Hour} {
				clock.Set(begin.Add(after))
				want := a.Totals(clock.Now())
				placed, received := c.read(Placed), c.read(Received)
				if _, ok := placed["csv"]; ok != (g <= GenerationC) {
					t.Errorf("CSV: %v", ok)
				}
				for format := range placed {
					got := newTally()
					for callType, rows := range map[string][]plainRow{Placed: placed[format], Received: received[format]} {
						for _, row := range rows {
							got.add(callType, row)
						}
					}
					compare(t, format, &got.finish().Totals, &want)
				}
			}
		})
	}
}

// TestRevisionsAreWhatWasServed reads everything at several instants.
func TestRevisionsAreWhatWasServed(t *testing.T) {
	a := account(t, 700, spoilt)
	clock := simulator.NewManualClock(begin)
	_, c := start(t, Settings{Account: a, Generation: GenerationB, Clock: clock})
	got := newTally()
	var view View
	for _, after := range []time.Duration{9 * time.Hour, 20 * time.Hour, 40 * time.Hour, 90 * time.Hour} {
		clock.Set(begin.Add(after))
		view.At = append(view.At, clock.Now())
		for _, callType := range []string{Received, Placed} {
			for _, row := range rowsOfJSON(t, linesOf(c.export(callType))) {
				// Rows without an id don't change, nor do twins: they are counted in one read.
				if row["uuid"] != "" || after == 90*time.Hour {
					got.add(callType, row)
				}
			}
		}
	}
	got.finish()
	want := a.TotalsOf(view)
	sameMaps(t, "revised", &got.Totals, &want)
	simtest.Same(t, "outcomes", got.OutcomeChanges, want.OutcomeChanges)
	if got.Revisions != want.Revisions || got.Filled != want.Filled || got.Revisions == 0 || got.Filled == 0 {
		t.Errorf("%d revisions, %d filled; want %d, %d", got.Revisions, got.Filled, want.Revisions, want.Filled)
	}
}

// generations are all of them, by name.
var generations = map[string]Generation{"A": GenerationA, "B": GenerationB, "C": GenerationC, "D": GenerationD}

func compare(t *testing.T, what string, got, want *Totals) {
	t.Helper()
	// Copies of malformed rows aren't duplicates of a record.
	if got.Rows != want.Rows || got.Records != want.Records || got.Duplicates != want.Duplicates || got.Twins != want.Twins || got.Excused != want.Excused {
		t.Errorf("%s: %d rows, %d records, %d duplicates, %d twins, %d excused; want %d, %d, %d, %d, %d", what,
			got.Rows, got.Records, got.Duplicates, got.Twins, got.Excused, want.Rows, want.Records, want.Duplicates, want.Twins, want.Excused)
	}
	if want.Records == 0 || want.Duplicates == 0 || want.Twins == 0 || want.Excused == 0 || want.Invalid == 0 {
		t.Errorf("%s: the world lacks something: %d records, %d duplicates, %d twins, %d excused, %d invalid",
			what, want.Records, want.Duplicates, want.Twins, want.Excused, want.Invalid)
	}
	sameMaps(t, what, got, want)
}

func sameMaps(t *testing.T, what string, got, want *Totals) {
	t.Helper()
	simtest.Same(t, what+" calls", got.Calls, want.Calls)
	simtest.Same(t, what+" failures", got.Failures, want.Failures)
	simtest.Same(t, what+" durations", got.Durations, want.Durations)
	simtest.Same(t, what+" connected", got.Connected, want.Connected)
	simtest.Same(t, what+" charges", got.Charges, want.Charges)
	simtest.Same(t, what+" corrections", got.Corrections, want.Corrections)
	simtest.Same(t, what+" emergency", got.Emergency, want.Emergency)
}
