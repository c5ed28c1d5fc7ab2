package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// TestGaugesOfDailyTotals: the provider's totals of today and yesterday are shown by these names,
// whichever days these are, and those of no other day.
func TestGaugesOfDailyTotals(t *testing.T) {
	noon := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	total := func(feed, date string, ours, theirs int) daily.Totals {
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		return daily.Totals{
			Source: "a", Feed: feed, Day: daily.DateOf(day),
			Counted: daily.Counted{Total: &daily.ProviderTotal{Ours: ours, Theirs: theirs}},
		}
	}
	priced := total("calls", "2026-03-28", 3, 3)
	theirs := cdrtest.Money(t, "12.50")
	priced.Total.Charges, priced.Total.Currency = &theirs, "USD"
	priced.Charges = map[string]cdr.Money{"USD": cdrtest.Money(t, "12.25"), "EUR": cdrtest.Money(t, "1")}
	for name, test := range map[string]struct {
		days []daily.Totals
		now  time.Time
		want string
	}{
		"nothing": {nil, noon, ""},
		"a day without a total": {[]daily.Totals{{
			Source: "a", Feed: "calls",
			Day: daily.DateOf(noon),
		}}, noon, ""},
		"today, less than theirs": {
			[]daily.Totals{total("calls", "2026-03-29", 5, 7)},
			noon,
			"provider_records[today]=7 reconciliation_difference[today]=-2",
		},
		"yesterday, more than theirs": {
			[]daily.Totals{total("calls", "2026-03-28", 9, 8)},
			noon,
			"provider_records[yesterday]=8 reconciliation_difference[yesterday]=1",
		},
		"an empty day": {
			[]daily.Totals{total("calls", "2026-03-29", 0, 0)},
			noon,
			"provider_records[today]=0 reconciliation_difference[today]=0",
		},
		"after midnight": {
			[]daily.Totals{total("calls", "2026-03-29", 5, 7)},
			noon.Add(12 * time.Hour), "provider_records[yesterday]=7 reconciliation_difference[yesterday]=-2",
		},
		"after a second midnight": {
			[]daily.Totals{total("calls", "2026-03-29", 5, 7)},
			noon.Add(36 * time.Hour), "",
		},
		"the clock is of another zone": {
			[]daily.Totals{total("calls", "2026-03-29", 5, 7)},
			noon.In(time.FixedZone("", 13*3600)), "provider_records[today]=7 reconciliation_difference[today]=-2",
		},
		"a day that hasn't begun here": {[]daily.Totals{total("calls", "2026-03-30", 5, 7)}, noon, ""},
		"another feed":                 {[]daily.Totals{total("other", "2026-03-29", 5, 7)}, noon, ""},
		"money, counted less than theirs": {
			[]daily.Totals{priced},
			noon,
			"provider_charges[yesterday USD]=12.5 provider_records[yesterday]=3 " +
				"reconciliation_charges_difference[yesterday USD]=-0.25 reconciliation_difference[yesterday]=0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			rows := make(map[*metrics.Def][]metrics.Sample)
			(&dailyTotals{days: test.days}).gauges("a", "calls", test.now, rows)
			var got []string
			for def, all := range rows {
				for _, r := range all {
					got = append(got, fmt.Sprintf("%s%v=%v", strings.TrimPrefix(def.Name, "cdr_exporter_"),
						r.Labels[2:], r.Value))
				}
			}
			slices.Sort(got)
			if text := strings.Join(got, " "); text != test.want {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}
