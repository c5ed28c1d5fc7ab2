package simulator

import (
	"testing"
	"time"
)

// total is how many calls, or other things that are counted, a metric has.
func total(t Totals, metric string) int { return int(t.Metrics.Sum(metric) / 1_000_000) }

func TestTotalsAddUp(t *testing.T) {
	w := newTestWorld(t, spoilt(10_000, byStart))
	for _, at := range []time.Time{begin.Add(-time.Hour), begin.Add(10 * time.Hour), begin.Add(200 * time.Hour)} {
		totals := w.Totals(Once(at))
		rows := rowsIn(w, Query{From: begin, To: begin.Add(99 * time.Hour), At: at})
		calls, failures := total(totals, "cdr_calls_total"), total(totals, "cdr_call_failures_total")
		connected := total(totals, "cdr_call_duration_seconds_count")
		switch {
		case totals.Rows != rows:
			t.Errorf("%d rows, Count says %d", totals.Rows, rows)
		case calls != totals.Records || failures+connected != totals.Records:
			t.Errorf("%d calls, %d failures, %d connected of %d records", calls, failures, connected, totals.Records)
		}
	}
	if totals := w.Totals(Once(begin.Add(200 * time.Hour))); totals.Records+totals.Invalid != 10_000 {
		t.Errorf("%d records and %d invalid rows", totals.Records, totals.Invalid)
	}
}
