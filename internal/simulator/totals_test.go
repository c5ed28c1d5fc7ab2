package simulator

import (
	"maps"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
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

// TestMoney counts by hand.
func TestMoney(t *testing.T) {
	known := func(a Amount) Price { return Price{Amount: a, Known: true} }
	for _, test := range []struct {
		name             string
		before, after    Version
		charged          map[string]Amount
		debited, credits map[string]Amount
	}{
		{
			name:   "filled in later",
			before: Version{}, after: Version{Usage: known(500), Currency: "USD"},
			charged: map[string]Amount{"USD": 500},
		},
		{
			name:   "costs more",
			before: Version{Usage: known(500), Currency: "USD"}, after: Version{Usage: known(700), Currency: "USD"},
			charged: map[string]Amount{"USD": 500}, debited: map[string]Amount{"USD": 200},
		},
		{
			name:   "zero that is known isn't a charge, what follows is a correction",
			before: Version{Usage: known(0), Currency: "USD"}, after: Version{Usage: known(700), Currency: "USD"},
			debited: map[string]Amount{"USD": 700},
		},
		{
			name:   "first amount below zero, no currency",
			before: Version{Usage: known(-500)}, after: Version{Usage: known(-500)},
			credits: map[string]Amount{"XXX": 500},
		},
		{
			name:   "another currency",
			before: Version{Usage: known(500), Currency: "USD"}, after: Version{Usage: known(450), Currency: "EUR"},
			charged: map[string]Amount{"USD": 500}, credits: map[string]Amount{"USD": 500},
			debited: map[string]Amount{"EUR": 450},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			kind := Kind{Outcome: cdr.Answered}
			test.before.Kind, test.after.Kind = &kind, &kind
			c := Call{Copies: 1, Trunk: &Trunk{}, published: 2, versions: [maxVersions]Version{test.before, test.after}}
			c.versions[1].Published = begin
			totals := NewCounter(testMix(), View{At: []time.Time{begin.Add(-time.Hour), begin}})
			totals.Add(&c)
			want := Tables{}
			for metric, amounts := range map[string][2]map[string]Amount{
				"cdr_call_charges_total":            {test.charged},
				"cdr_call_charge_corrections_total": {test.debited, test.credits},
			} {
				for i, list := range amounts {
					for currency, a := range list {
						labels := []any{kind.Direction, kind.CallType, currency, "usage", ""}
						if metric == "cdr_call_charge_corrections_total" {
							labels = append(labels, [...]string{"debit", "credit"}[i])
						}
						want.Add(metric, int64(a)*100, labels...)
					}
				}
				if got := totals.Metrics[metric]; !maps.Equal(got, want[metric]) {
					t.Errorf("%s: %v, want %v", metric, got, want[metric])
				}
			}
		})
	}
}
