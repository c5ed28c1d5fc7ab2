package counting_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// counting.md 16, 23: a call and the later changes of its charge have the labels of its first
// version, whatever a file says then. A later version that connects it has its own.
func TestLabelsOfVersions(t *testing.T) {
	version := func(labels cdr.Labels, outcome cdr.Outcome, price string) *cdr.Record {
		amount, err := cdr.ParseMoney(price)
		if err != nil {
			t.Fatal(err)
		}
		return &cdr.Record{
			ID: "a", Start: now.Add(-time.Hour), Outcome: outcome, Duration: time.Minute, Labels: labels,
			Charges: []cdr.Charge{{Component: "usage", Currency: "USD", Amount: amount}},
		}
	}
	w := newWorld(counting.Rules{})
	s := newStore(t, w.settings, counting.State{Origin: now.Add(-48 * time.Hour), Floor: now.Add(-24 * time.Hour)})
	for _, r := range []*cdr.Record{
		version("department=Sales\n", cdr.NoAnswer, "1"), version("department=Legal\n", cdr.NoAnswer, "1"),
		version("", cdr.NoAnswer, "3"),
		version("department=Legal\n", cdr.Answered, "2"), version("", cdr.Answered, "2"),
	} {
		s.commit(&counting.Page{ObservedAt: now, Records: []*cdr.Record{r}})
	}
	got := fmt.Sprint(s.counts)
	for name, want := range map[string]int64{
		"cdr_calls_total{unknown,,no_answer,,false,department=Sales\n}":                1,
		"cdr_call_failures_total{unknown,,no_answer,,,,user,false,department=Sales\n}": 1,
		"cdr_call_connected_seconds_total{unknown,,,,department=Legal\n}":              60e6,
	} {
		if s.counts[name] != want {
			t.Errorf("%q is %d, want %d, of %q", name, s.counts[name], want, got)
		}
	}
	for name, want := range map[string]string{
		"cdr_call_charges_total{unknown,,USD,usage,,department=Sales\n}":                   "1",
		"cdr_call_charge_corrections_total{unknown,,USD,usage,,debit,department=Sales\n}":  "2",
		"cdr_call_charge_corrections_total{unknown,,USD,usage,,credit,department=Sales\n}": "1",
	} {
		if money := s.money[name]; money.String() != want {
			t.Errorf("%q is %s, want %s, of %q", name, money.String(), want, got)
		}
	}
}
