package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

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
