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
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestGaugesOfDailyTotals: the provider's totals of today and yesterday are shown by these names,
// whichever days these are, and those of no other day.
func TestGaugesOfDailyTotals(t *testing.T) {
	noon := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	day := func(feed, date string, total *daily.ProviderTotal) []daily.Totals {
		at, err := time.Parse(time.DateOnly, date)
		require.NoError(t, err)
		return []daily.Totals{{Source: "a", Feed: feed, Day: daily.DateOf(at), Counted: daily.Counted{Total: total}}}
	}
	theirs := cdrtest.Money(t, "12.50")
	priced := day("calls", "2026-03-28", &daily.ProviderTotal{Ours: 3, Theirs: 3, Charges: &theirs, Currency: "USD"})
	priced[0].Charges = map[string]cdr.Money{"USD": cdrtest.Money(t, "12.25"), "EUR": cdrtest.Money(t, "1")}
	less, more := &daily.ProviderTotal{Ours: 5, Theirs: 7}, &daily.ProviderTotal{Ours: 9, Theirs: 8}
	today := day("calls", "2026-03-29", less)
	const ofToday = "provider_records[today]=7 reconciliation_difference[today]=-2"
	const ofYesterday = "provider_records[yesterday]=7 reconciliation_difference[yesterday]=-2"
	for name, test := range map[string]struct {
		days []daily.Totals
		now  time.Time
		want string
	}{
		"nothing":                 {nil, noon, ""},
		"a day without a total":   {day("calls", "2026-03-29", nil), noon, ""},
		"today, less than theirs": {today, noon, ofToday},
		"yesterday, more than theirs": {
			day("calls", "2026-03-28", more), noon,
			"provider_records[yesterday]=8 reconciliation_difference[yesterday]=1",
		},
		"an empty day": {
			day("calls", "2026-03-29", &daily.ProviderTotal{}), noon,
			"provider_records[today]=0 reconciliation_difference[today]=0",
		},
		"after midnight":               {today, noon.Add(12 * time.Hour), ofYesterday},
		"after a second midnight":      {today, noon.Add(36 * time.Hour), ""},
		"the clock is of another zone": {today, noon.In(time.FixedZone("", 13*3600)), ofToday},
		"a day that hasn't begun here": {day("calls", "2026-03-30", less), noon, ""},
		"another feed":                 {day("other", "2026-03-29", less), noon, ""},
		"money, counted less than theirs": {
			priced, noon, "provider_charges[yesterday USD]=12.5 provider_records[yesterday]=3 " +
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
