package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
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

func TestAuditedDay(t *testing.T) {
	for now, want := range map[string]string{
		"2026-03-10T03:29:59Z": "2026-03-07", "2026-03-10T03:30:00Z": "2026-03-08",
		"2026-03-10T23:59:59Z": "2026-03-08", "2026-03-11T00:00:00Z": "2026-03-08",
	} {
		at, err := time.Parse(time.RFC3339, now)
		require.NoError(t, err)
		if day, wanted := auditedDay(at, "03:30"); !wanted || day.Format(time.RFC3339) != want+"T00:00:00Z" {
			t.Errorf("at %s it is %s, %t; want %s", now, day, wanted, want)
		}
	}
	if day, wanted := auditedDay(time.Now(), ""); wanted {
		t.Errorf("without a time of day it is %s", day)
	}
}

// TestNeedAudit: a daily audit is due until its result is in the ledger, whatever the process has missed.
func TestNeedAudit(t *testing.T) {
	day := time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
	counted := counting.State{HistoryDone: true, Origin: day}
	audited := func(audited, began time.Time) dailyTotals {
		result := daily.Audit{Source: "s", Feed: "f", Day: daily.DateOf(audited), Whole: true, Began: began}
		return dailyTotals{audits: []daily.Audit{result}}
	}
	part := audited(day, day.AddDate(0, 0, 2).Add(4*time.Hour))
	part.audits[0].Whole = false
	later := func(days int) time.Time { return day.AddDate(0, 0, days) }
	for name, c := range map[string]struct {
		totals dailyTotals
		state  counting.State
		want   bool
	}{
		"never audited":            {dailyTotals{}, counted, true},
		"the day before":           {audited(later(-1), later(1)), counted, true},
		"audited":                  {audited(day, later(2).Add(4*time.Hour)), counted, false},
		"a part of it audited":     {part, counted, true},
		"audited before it is due": {audited(day, later(1)), counted, true},
		"a history that is read":   {dailyTotals{}, counting.State{Origin: day}, false},
		"before the origin":        {dailyTotals{}, counting.State{HistoryDone: true, Origin: later(1)}, false},
		"the ledger didn't answer": {dailyTotals{unknown: true}, counted, false},
	} {
		if got := c.totals.needAudit(feedName{"s", "f"}, day, true, &c.state); got != c.want {
			t.Errorf("%s: due is %t", name, got)
		}
	}
	if part.needAudit(feedName{"s", "f"}, day, false, &counted) {
		t.Error("a part is due again, although the provider doesn't keep the rest")
	}
}

// TestAuditOfADayThatDiffers: a day on which records were missing is audited again after it was read again, so that
// CDRReconciliationDifference doesn't fire for what is counted by then. If it still differs, that ends.
func TestAuditOfADayThatDiffers(t *testing.T) {
	day := time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
	state, one := counting.State{HistoryDone: true, Origin: day}, auditedFeed{feedName{"s", "f"}, day}
	audits := dailyAudits{retry: make(map[auditedFeed]time.Time), again: make(map[auditedFeed]int)}
	now, totals := day.AddDate(0, 0, 2).Add(4*time.Hour), dailyTotals{}
	due := func(when string, want bool) {
		t.Helper()
		got := audits.isDue(one, &totals, true, &state, now)
		for _, differs := range totals.daysThatDiffer(now.Add(-auditRetry)) {
			got = got || audits.isDueAgain(auditedFeed{one.feedName, differs}, &totals, now)
		}
		if got != want {
			t.Errorf("%s: due is %t", when, got)
		}
	}
	found := func(missing int64) {
		totals.audits = []daily.Audit{{
			Source: "s", Feed: "f", Day: daily.DateOf(day), Whole: true, Began: now, Missing: missing,
		}}
	}
	due("never audited", true)
	found(3)
	now = now.Add(time.Minute)
	due("while the day is read again", false)
	now = now.Add(time.Hour)
	due("after that", true)
	found(0)
	now = now.Add(2 * time.Hour)
	due("nothing is missing any more", false)
	found(3)
	due("it differs once more, just now", false)
	now = now.Add(2 * time.Hour)
	due("after that", true)
	now = now.Add(2 * time.Hour)
	due("and still does", true)
	now = now.Add(2 * time.Hour)
	due("for good", false)
}

// TestAuditAgain: a day that the command audited is audited again after it was read again, so that
// CDRReconciliationDifference doesn't fire for what is counted by then, whether or not audits are daily.
func TestAuditAgain(t *testing.T) {
	day := time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
	began := day.AddDate(0, 0, 5)
	audit := func(whole bool, began time.Time, changed int64) daily.Audit {
		return daily.Audit{
			Source: "s", Feed: "f", Day: daily.DateOf(day), Whole: whole, Began: began, Changed: changed,
		}
	}
	other := func(began time.Time) daily.Audit {
		of := daily.DateOf(began.AddDate(0, 0, -2))
		return daily.Audit{Source: "s", Feed: "f", Day: of, Whole: true, Began: began}
	}
	for name, c := range map[string]struct {
		audits []daily.Audit
		after  time.Duration
		want   bool
	}{
		"while it is read again": {[]daily.Audit{audit(true, began, 1)}, time.Minute, false},
		"after that":             {[]daily.Audit{audit(true, began, 1)}, 2 * time.Hour, true},
		"nothing differs":        {[]daily.Audit{audit(true, began, 0)}, 2 * time.Hour, false},
		"a part of it differs":   {[]daily.Audit{audit(false, began, 1)}, 2 * time.Hour, true},
		"a part differed, then not": {
			[]daily.Audit{audit(false, began, 1), audit(true, began.Add(time.Minute), 0)}, 2 * time.Hour, false,
		},
		"it differs, a part of it doesn't": {
			[]daily.Audit{audit(true, began, 1), audit(false, began.Add(time.Minute), 0)}, 2 * time.Hour, true,
		},
		"it differed before the newest audit of another day, and the process is new": {
			[]daily.Audit{audit(true, began, 1), other(began.AddDate(0, 0, 3))}, 73 * time.Hour, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			audits := dailyAudits{retry: make(map[auditedFeed]time.Time), again: make(map[auditedFeed]int)}
			totals, due := dailyTotals{audits: c.audits}, false
			now := began.Add(c.after)
			for _, differs := range totals.daysThatDiffer(now.Add(-auditRetry)) {
				due = audits.isDueAgain(auditedFeed{feedName{"s", "f"}, differs}, &totals, now)
			}
			if due != c.want {
				t.Errorf("due is %t", due)
			}
		})
	}
}

// TestDifferencesOfAParts: an audit of a part of a day that finds nothing says nothing of the rest.
func TestDifferencesOfAPart(t *testing.T) {
	day := time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
	began := day.AddDate(0, 0, 2).Add(4 * time.Hour)
	audit := func(whole bool, began time.Time, missing int64) daily.Audit {
		return daily.Audit{
			Source: "s", Feed: "f", Day: daily.DateOf(day), Whole: whole, Began: began, Missing: missing,
		}
	}
	totals := dailyTotals{audits: []daily.Audit{
		audit(true, began, 3), audit(false, began.Add(time.Hour), 0),
	}}
	newest := newestAudit(totals.audits, "s", "f")
	if missing, _ := totals.differences(feedName{"s", "f"}, newest); missing != 3 {
		t.Errorf("%d records are missing", missing)
	}
}
