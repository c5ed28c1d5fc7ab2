package web_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// verdictOf is the verdict as the page shows it, with a line for each finding, without what to do.
func verdictOf(t *testing.T, backend web.Backend) string {
	t.Helper()
	var level, text, findings string
	body, _ := statusPage(t, backend)
	eachElement(t, body, func(node *html.Node) {
		switch {
		case attribute(node, "id") == "verdict":
			level = attribute(node, "data-level")
		case attribute(node, "id") == "verdict-text":
			text = textOf(node)
		case node.Data == "li" && attribute(node, "data-level") != "":
			finding := textOf(node)
			for child := range node.ChildNodes() {
				if attribute(child, "class") == "advice" {
					finding = strings.TrimSuffix(finding, " "+textOf(child))
				}
			}
			findings += "\n- " + strings.TrimSuffix(finding, ".")
		}
	})
	return level + ": " + text + findings
}

// TestVerdictOfEachStory: all verdicts of the storybook.
func TestVerdictOfEachStory(t *testing.T) {
	var all strings.Builder
	for _, s := range stories.All() {
		fmt.Fprintf(&all, "# %s\n%s\n\n", s.Name, verdictOf(t, s.Backend))
	}
	golden.File(t, filepath.Join("testdata", "verdicts.txt"), []byte(all.String()))
}

// TestVerdict: situations that no story shows.
func TestVerdict(t *testing.T) {
	good, trunk, failing := stories.Good, stories.Trunk, stories.Failing
	on := func(trunks ...stories.Attempts) *stories.Backend { return stories.Account(stories.Reading(trunks...)) }
	inbound := trunk("sbc1.example.com", good)
	inbound.Direction = cdr.Inbound
	yesterdays := trunk("sbc1.example.com", good[:16]+"ffffffff"+good[:40])
	yesterdays.Newest = 13 * time.Hour
	few := trunk("sbc1.example.com", strings.Repeat("c", 30))
	few.Direction = cdr.Inbound
	many := trunk("sbc1.example.com", "ffff"+strings.Repeat("c", 16)+"ff"+strings.Repeat("c", 14))
	generous := on(trunk("sbc1.example.com", good[:48]+"cfcfcfcccfcccccc"))
	generous.Shown.Thresholds = thresholds.Default()
	generous.Shown.Thresholds.ErrorBudget = 0.05
	unnamed := stories.Reading()
	unnamed.Feed, unnamed.Trunks = "call_log", stories.Counted("office", "call_log", trunk("", strings.Repeat("f", 6)))
	office := stories.Account(unnamed)
	office.Shown.Sources[0].Name = "office"
	down := failing("sbc1.example.com", "fffff", 90*time.Minute)
	wellReading := stories.Reading(trunk("sbc1.example.com", good))
	snapshot := web.Feed{Feed: "active_calls", Snapshot: true, State: web.StateError}
	const ok = "ok: Calls get through on the only trunk."
	const certificate = "; certificate expired (569008); your SBC"
	for name, test := range map[string]struct {
		backend *stories.Backend
		want    string
	}{
		"all is well": {
			on(trunk("sbc1.example.com", good), inbound, trunk("sbc2.example.com", "cccc")),
			"ok: Calls get through on all 2 trunks.",
		},
		"one trunk, a few failures": {on(trunk("sbc1.example.com", "f"+good[:60]+"fcf")), ok},
		"down but for one call that got through": {
			on(failing("sbc1.example.com", strings.Repeat("f", 60)+"cfff", 2*time.Minute)),
			"bad: Calls fail on the only trunk.\n- sbc1.example.com, outbound: 63 of the last 64 attempts failed, " +
				"since 11:58 UTC" + certificate,
		},
		"mended":                 {on(trunk("sbc1.example.com", "fff"+good[:61])), ok},
		"these were yesterday's": {on(yesterdays), ok},
		"one direction of a trunk burns the budget of both": {
			on(few, many), "warn: Some calls fail on the only trunk.\n- sbc1.example.com, outbound: 6 of the last 36 " +
				"attempts failed; no reason given; unclear whose fault",
		},
		"an error budget of one's own": {generous, ok},
		"three faults at night": {
			on(failing("sbc1.example.com", "fff", 3*time.Hour)),
			"warn: Some calls fail on the only trunk.\n- sbc1.example.com, outbound: 3 of the last 3 attempts " +
				"failed, since 09:00 UTC" + certificate,
		},
		"no trunk has a name": {
			office, "bad: Calls fail on the only trunk.\n- office call_log, outbound: 6 of the last 6 attempts " +
				"failed, since 11:58 UTC; no reason given; unclear whose fault",
		},
		"pstn connects": {on(stories.Operator("Colt", good)), ok},
		"call records next to direct routing aren't a trunk": {
			stories.Account(wellReading, stories.Reading(stories.Operator("", good))), ok,
		},
		"a feed fails while a trunk is down": {
			stories.Account(stories.In(web.StateError, 70*time.Minute, "403 Forbidden", down)),
			"bad: Calls fail on the only trunk.\n- sbc1.example.com, outbound: 5 of the last 5 attempts failed, " +
				"since 10:30 UTC (read up to 10:50 UTC)" + certificate +
				"\n- contoso direct_routing: can't tell, since 10:50 UTC; 403 Forbidden",
		},
		"throttled for a moment": {
			stories.Account(stories.In(web.StateThrottled, 2*time.Minute, "429", trunk("sbc1.example.com", good))), ok,
		},
		"a snapshot says nothing of failures": {stories.Account(wellReading, snapshot), ok},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdictOf(t, test.backend); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// premiumAgo returns n calls that were read a time ago (read) and began before that (before).
func premiumAgo(n int, read, before time.Duration, country, class string) (all []metrics.PremiumCall) {
	for i := range n {
		at := stories.Now.Add(-read)
		all = append(all, metrics.PremiumCall{
			Read: at, Start: at.Add(-before - time.Duration(i)*time.Minute),
			Country: country, Class: class,
		})
	}
	return all
}

// madeBy says which accounts made the calls.
func madeBy(all []metrics.PremiumCall, accounts ...string) []metrics.PremiumCall {
	for i, account := range accounts {
		all[i].Account = account
	}
	return all
}

// TestPremiumCalls: a burst of calls to premium numbers of a country is found, with who made them, and
// the command that lists all; it makes no outage of it.
func TestPremiumCalls(t *testing.T) {
	const command = "Who called: cdr-exporter incident --config.file /etc/c.yaml --source contoso --from "
	for _, c := range []struct {
		name         string
		calls        []metrics.PremiumCall
		what, remedy string // empty: nothing is found
	}{
		{"none", nil, "", ""},
		{"too few", premiumAgo(4, time.Minute, time.Minute, "LV", "premium"), "", ""},
		{
			"enough", premiumAgo(5, time.Minute, time.Minute, "LV", "premium"),
			"5 calls to premium numbers of LV were read within an hour", command + stories.Now.
				Add(-6*time.Minute).Format("2006-01-02T15:04:00Z") + " --callers --country LV",
		},
		{
			"satellites", premiumAgo(5, 0, 0, "001", "satellite"),
			"5 calls to satellite numbers of 001 were read within an hour", "--country 001",
		},
		{
			"of some accounts", madeBy(premiumAgo(9, 0, 0, "LV", "premium"), "h:1", "h:2", "h:2", "h:3", "h:4", "h:4",
				"h:4", ""),
			"9 calls to premium numbers of LV were read within an hour: 3 by h:4, 2 by h:2, 1 by h:1, 3 by others",
			"--country LV",
		},
		{
			"of one account", madeBy(premiumAgo(5, 0, 0, "LV", "premium"), "17", "17", "17", "17", "17"),
			"5 calls to premium numbers of LV were read within an hour: 5 by 17", "--country LV",
		},
		{
			"two countries",
			append(premiumAgo(3, 0, 0, "LV", "premium"), premiumAgo(3, 0, 0, "GB", "premium")...), "", "",
		},
		{"read before", premiumAgo(9, 61*time.Minute, 0, "LV", "premium"), "", ""},
		{"of a history", premiumAgo(9, time.Minute, 25*time.Hour, "LV", "premium"), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			backend := stories.Account(web.Feed{
				Feed: "pstn", State: web.StateOK, LastSuccess: stories.Ago(0), PremiumCalls: c.calls,
			})
			backend.Shown.ConfigFile = "/etc/c.yaml"
			v := statusOf(t, backend).Verdict
			if found := len(v.Findings) == 1; found != (c.what != "") {
				t.Fatalf("found %+v", v.Findings)
			} else if found && (v.Findings[0].What != c.what || !strings.Contains(v.Findings[0].Remedy, c.remedy) ||
				v.Findings[0].Subject != "contoso pstn") {
				t.Errorf("got %+v", v.Findings[0])
			}
			if v.Level != web.LevelUnknown {
				t.Errorf("the level is %s: no call says whether others get through", v.Level)
			}
		})
	}
}

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
