package ledger

import (
	"maps"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
)

// A day's totals have each record once, what its revisions changed, and the provider's newest total,
// also after a restart. What is older is in none.
func TestDailyTotals(t *testing.T) {
	r := newRig(t)
	r.live()
	day := epoch.Truncate(24 * time.Hour)
	yesterday := day.Add(-12 * time.Hour)
	r.records(call("a", charge(t, "usage", "EUR", "1.10")), call("b", start(yesterday), charge(t, "usage", "USD", "2")))
	r.records(call("a", charge(t, "usage", "EUR", "1.10")), call("old", start(epoch.Add(-30*24*time.Hour))))
	r.records(call("a", charge(t, "usage", "EUR", "0.90")))
	for _, theirs := range []int{3, 4} {
		r.commit(&counting.Page{Totals: []daily.ProviderTotal{{
			Day: day.AddDate(0, 0, -1), Ours: 3, Theirs: theirs,
			Charges: new(money(t, "2.00")), Currency: "USD",
		}}})
	}
	r.reopen()
	check := func(want map[daily.Date]daily.Counted) {
		t.Helper()
		all, err := r.ledger.DailyTotals(t.Context(), day.AddDate(0, 0, -7))
		if err != nil || len(all) != len(want) {
			t.Fatalf("%+v, %v", all, err)
		}
		for _, b := range all {
			w := want[b.Day]
			same := func(x, y cdr.Money) bool { return x.Equal(&y) }
			if b.Source != "contoso" || b.Records != w.Records || b.Late != w.Late || b.Revised != w.Revised ||
				!maps.EqualFunc(b.Charges, w.Charges, same) {
				t.Errorf("%+v, want %+v", b, w)
			}
			if (b.Total == nil) != (w.Total == nil) || b.Total != nil &&
				(b.Total.Theirs != w.Total.Theirs || b.Total.Charges.String() != "2") {
				t.Errorf("the total is %+v, want %+v", b.Total, w.Total)
			}
		}
	}
	today := daily.Counted{Records: 1, Revised: 1, Charges: map[string]cdr.Money{"EUR": money(t, "0.9")}}
	check(map[daily.Date]daily.Counted{
		daily.DateOf(day): today,
		daily.DateOf(yesterday): {
			Records: 1, Late: 1, Charges: map[string]cdr.Money{"USD": money(t, "2")},
			Total: &daily.ProviderTotal{Theirs: 4},
		},
	})
}

// A total of money that names no currency is in the source's, as the amounts of records are that
// name none: else it would seem that nothing of it was counted.
func TestTotalWithoutCurrency(t *testing.T) {
	r := newRig(t)
	r.live()
	day := epoch.Truncate(24 * time.Hour)
	r.records(call("a", charge(t, "usage", "", "1.10")))
	r.commit(&counting.Page{Totals: []daily.ProviderTotal{
		{Day: day, Ours: 1, Theirs: 1, Charges: new(money(t, "1.1"))},
		{Day: day.AddDate(0, 0, -1)}, // without money it has no currency either
	}})
	all, err := r.ledger.DailyTotals(t.Context(), day.AddDate(0, 0, -1))
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if difference := all[1].ChargesDifference(); all[1].Total.Currency != "XXX" || difference.Sign() != 0 {
		t.Errorf("the total is %+v, and %s more was counted", all[1].Total, difference.String())
	}
	if all[0].Total.Currency != "" {
		t.Errorf("the total without money is %+v", all[0].Total)
	}
}
