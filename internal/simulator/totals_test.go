package simulator

import (
	"maps"
	"slices"
	"strings"
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

// TestPersonsTalk: voicemail and machines are connected and no failures, and nobody talks to them.
func TestPersonsTalk(t *testing.T) {
	s := spoilt(3000, byStart)
	s.Mix.Kinds = append(s.Mix.Kinds,
		Kind{Weight: 5, Wire: "Mail", CallType: "mail", Direction: cdr.Inbound, Outcome: cdr.Voicemail},
		Kind{Weight: 5, Wire: "Menu", CallType: "menu", Direction: cdr.Inbound, Outcome: cdr.Machine})
	totals := newTestWorld(t, s).Totals(Once(begin.Add(200 * time.Hour)))
	sums := map[string]int64{} // by metric and outcome or type of call
	for metric, values := range totals.Metrics {
		for labels, n := range values {
			for _, of := range []string{"in", "mail", "menu", "machine", "voicemail"} {
				if slices.Contains(strings.Split(labels, "|"), of) {
					sums[metric+" "+of] += n
				}
			}
		}
	}
	for _, of := range []string{"mail", "menu"} {
		if sums["cdr_calls_total "+of] == 0 || sums["cdr_call_connected_seconds_total "+of] == 0 {
			t.Errorf("%s isn't connected: %v", of, sums)
		}
		if sums["cdr_call_duration_seconds_count "+of] != 0 {
			t.Errorf("somebody talks to %s", of)
		}
	}
	if sums["cdr_call_duration_seconds_count in"] == 0 || sums["cdr_call_failures_total machine"]+
		sums["cdr_call_failures_total voicemail"] != 0 {
		t.Errorf("%v", sums)
	}
	trunks, calls := totals.Metrics.Sum("cdr_trunk_connected_seconds_total"),
		totals.Metrics.Sum("cdr_call_connected_seconds_total")
	if trunks == 0 || trunks != calls {
		t.Errorf("trunks were busy for %d, calls took %d", trunks, calls)
	}
}

func TestTotalsOfRangesAddUp(t *testing.T) {
	w := newTestWorld(t, spoilt(5000, byStart))
	at, middle := begin.Add(99*time.Hour), begin.Add(7*time.Hour+1)
	whole := w.Totals(Once(at))
	one, two := totalsFor(w, begin, middle, at), totalsFor(w, middle, begin.Add(30*time.Hour), at)
	const calls = "cdr_calls_total"
	for key, n := range two.Metrics[calls] {
		one.Metrics[calls][key] += n
	}
	if !maps.Equal(one.Metrics[calls], whole.Metrics[calls]) || one.Rows+two.Rows != whole.Rows {
		t.Error("the parts aren't the whole")
	}
	if n := totalsFor(w, begin, begin, at).Rows; n != 0 {
		t.Errorf("an empty range has %d rows", n)
	}
}

// TestWhoSeesMoreCorrects: however one looks, what was paid in the end is the same.
func TestWhoSeesMoreCorrects(t *testing.T) {
	w := newTestWorld(t, spoilt(10_000, byStart))
	end := begin.Add(200 * time.Hour)
	net := func(v View) map[string]int64 {
		totals := w.Totals(v)
		all := maps.Clone(totals.Metrics["cdr_call_charges_total"])
		for key, amount := range totals.Metrics["cdr_call_charge_corrections_total"] {
			paid, isCredit := strings.CutSuffix(key, "|credit")
			if isCredit {
				amount = -amount
			}
			all[strings.TrimSuffix(paid, "|debit")] += amount
		}
		maps.DeleteFunc(all, func(_ string, a int64) bool { return a == 0 })
		return all
	}
	once := net(View{At: []time.Time{end}})
	if len(once) == 0 {
		t.Fatal("nothing was paid")
	}
	for name, v := range map[string]View{
		"twice":      {At: []time.Time{begin.Add(20 * time.Hour), end}},
		"every hour": {At: hours(begin, end)},
	} {
		if got := net(v); !maps.Equal(got, once) {
			t.Errorf("%s: %v, want %v", name, got, once)
		}
	}
	snapshot, hourly := w.Totals(Once(end)), w.Totals(View{At: hours(begin, end)})
	if snapshot.Revisions != 0 || total(snapshot, "cdr_call_outcome_changes_total") != 0 {
		t.Errorf("somebody who looks once saw %d revisions", snapshot.Revisions)
	}
	if hourly.Revisions == 0 {
		t.Error("revisions are missing")
	}
	if hourly.Metrics["cdr_call_outcome_changes_total"]["cancelled|busy"] == 0 {
		t.Error("no outcome changed")
	}
}

func hours(from, to time.Time) (at []time.Time) {
	for ; !from.After(to); from = from.Add(time.Hour) {
		at = append(at, from)
	}
	return at
}

func TestSeen(t *testing.T) {
	c := Call{published: 3}
	for i := range c.published {
		c.versions[i].Published = begin.Add(time.Duration(i+1) * time.Hour)
	}
	at := func(hours ...float64) (list []time.Time) {
		for _, h := range hours {
			list = append(list, begin.Add(time.Duration(h*float64(time.Hour))))
		}
		return list
	}
	for _, test := range []struct {
		name string
		view View
		want []int
	}{
		{"too early", View{At: at(0.5)}, nil},
		{"at the instant", View{At: at(1)}, []int{0}},
		{"only the last", View{At: at(9)}, []int{2}},
		{"each", View{At: at(1.5, 2.5, 3.5)}, []int{0, 1, 2}},
		{"the same twice", View{At: at(1.5, 1.6, 3.5)}, []int{0, 2}},
	} {
		got := test.view.seen(&c, nil)
		if len(got) != len(test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: %v, want %v", test.name, got, test.want)
			}
		}
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

func TestAmount(t *testing.T) {
	for a, want := range map[Amount]string{
		0: "0.00", 1: "0.0001", 10: "0.001", 100: "0.01", 1000: "0.10", 12345: "1.2345", -130: "-0.013",
		1_000_000: "100.00",
	} {
		if got := a.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(a), got, want)
		}
	}
}
