package web_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// TestReconciliation: the sentence above the daily totals says what is known, and no more.
func TestReconciliation(t *testing.T) {
	const notCompared = "The counts of these days weren't compared: no provider gave a total, and no day was audited " +
		"completely."
	const amounts = "The counted amounts of yesterday differ from what wavix lists: see wave calls."
	yesterday, before := stories.Day(1), stories.Day(2)
	total := func(day daily.Date, counted int64, read, theirs int) daily.Totals {
		return daily.Totals{
			Day:     day,
			Counted: daily.Counted{Records: counted, Total: &daily.ProviderTotal{Theirs: theirs, Ours: read}},
		}
	}
	audited := func(day daily.Date, listed, missing, changed int64) daily.Totals {
		return daily.Totals{
			Day: day, Counted: daily.Counted{Records: listed - missing},
			Audit: &daily.Audit{Listed: listed, Missing: missing, Changed: changed},
		}
	}
	incomplete := total(yesterday, 5, 5, 5)
	incomplete.Incomplete = true
	short := audited(yesterday, 41203, 0, 0)
	short.Total = &daily.ProviderTotal{Theirs: 41205, Ours: 41203}
	unreadable, partly := total(yesterday, 41200, 41203, 41203), audited(before, 12, 0, 0)
	unreadable.Audit, partly.Records = &daily.Audit{Listed: 41200}, 5
	premium := total(yesterday, 5, 5, 5)
	premium.Total.Charges = new(stories.Money("813"))
	for name, test := range map[string]struct {
		wave, acme []daily.Totals
		want       string
	}{
		"no days": {want: ""},
		"nothing to compare": {
			wave: []daily.Totals{{Day: yesterday, Counted: daily.Counted{Records: 5}}}, want: notCompared,
		},
		"a total": {
			wave: []daily.Totals{total(yesterday, 41203, 41203, 41203)},
			want: "All 41,203 records of yesterday that wavix lists are counted.",
		},
		"one record": {
			wave: []daily.Totals{total(yesterday, 1, 1, 1)},
			want: "The only record of yesterday that wavix lists is counted.",
		},
		"none": {
			wave: []daily.Totals{total(yesterday, 0, 0, 0)},
			want: "For yesterday wavix lists no records.",
		},
		"all read, some of them can't be": {
			wave: []daily.Totals{total(yesterday, 41200, 41203, 41203)},
			want: "All 41,203 records of yesterday that wavix lists were read.",
		},
		"audited, and some of them can't be read": {
			wave: []daily.Totals{unreadable}, want: "All 41,203 records of yesterday that wavix lists were read.",
		},
		"audited, and some of them began before the origin": {
			wave: []daily.Totals{partly}, want: "None of the 12 records of 2026-03-27 that wavix lists is missing.",
		},
		"an audit of an earlier day": {
			wave: []daily.Totals{{Day: yesterday}, audited(before, 12, 0, 0)},
			want: "All 12 records of 2026-03-27 that wavix lists are counted.",
		},
		"another feed that isn't compared": {
			wave: []daily.Totals{total(yesterday, 3, 3, 3)}, acme: []daily.Totals{{Day: yesterday}},
			want: "All 3 records of yesterday that wavix lists are counted. 1 other feed wasn't compared.",
		},
		"two providers": {
			wave: []daily.Totals{total(yesterday, 3, 3, 3)},
			acme: []daily.Totals{audited(yesterday, 4, 0, 0)},
			want: "All 7 records of yesterday that the providers list are counted.",
		},
		"not read to its end": {wave: []daily.Totals{incomplete}, want: notCompared},
		"missing by an audit": {
			wave: []daily.Totals{total(yesterday, 3, 3, 3), audited(before, 12, 2, 1)},
			want: "2 of 12 records of 2026-03-27 that wavix lists aren't counted: see wave calls.",
		},
		"missing by a total": {
			wave: []daily.Totals{short},
			want: "2 of 41,205 records of yesterday that wavix lists aren't counted: see wave calls.",
		},
		"more than the total": {
			wave: []daily.Totals{total(yesterday, 6, 6, 4)},
			want: "2 more records of yesterday were read than wavix lists: see wave calls.",
		},
		"amounts by a total": {wave: []daily.Totals{premium}, want: amounts},
		"amounts":            {wave: []daily.Totals{audited(yesterday, 4, 0, 1)}, want: amounts},
	} {
		t.Run(name, func(t *testing.T) {
			backend := &stories.Backend{Shown: web.Status{Sources: []web.Source{
				{Name: "wave", Provider: "wavix", Feeds: []web.Feed{{Feed: "calls", DailyTotals: test.wave}}},
				{Name: "acme", Provider: "twilio", Feeds: []web.Feed{{Feed: "calls", DailyTotals: test.acme}}},
			}}}
			if got := statusOf(t, backend).Reconciliation; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
