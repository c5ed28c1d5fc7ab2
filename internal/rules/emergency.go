package rules

import (
	"fmt"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// emergencyAlerts are about calls to emergency services. A call may be in two feeds: the largest number of one is shown, not their sum.
func (p *Parameters) emergencyAlerts() Group {
	// What is read before the first scrape after an outage, or by another replica, is no increase within 5 minutes, so the newest value before the
	// outage is compared too. 4 minutes: a rise that is seen so ends no later than an increase.
	recent := func(matchers ...string) string {
		counter := sel(metrics.EmergencyCalls, matchers...)
		total := func(at string) string {
			return fmt.Sprintf("sum by (%[1]s) (max by (%[1]s, outcome) (last_over_time(%[2]s%[3]s)))", byFeed.labels(), counter, at)
		}
		return fmt.Sprintf("(sum by (%s) (increase(%s[5m])) > 0\n   or %s - %s > 0)", byFeed.labels(), counter, total("[5m]"), total("[1d] offset 4m"))
	}
	made := is("test", "false")
	found, failed := info, critical
	if p.EmergencyCalls == "off" {
		found, failed = "off", "off"
	}
	bySource := func(parts ...string) string {
		return "max by (source) (\n  " + strings.Join(parts, "\n  ") + "\n)"
	}
	return Group{Name: "cdr-emergency", Doc: "Calls to emergency services. Records lag: this is no emergency notification.", Dashboard: "overview", Rules: []Rule{
		{
			Alert: "CDREmergencyCall", Severity: p.EmergencyCalls, Signal: Calls,
			Doc:         "Somebody called emergency services.",
			Expr:        bySource(recent(made), isLive(live7m)),
			Summary:     "An emergency call was made at {{ $labels.source }}.",
			Description: "Calls to emergency services that appeared within the last 5 minutes: about {{ printf \"%.0f\" $value }}. Records lag behind calls: this is no emergency notification.",
			When:        "a call to emergency services appeared within the last 5 minutes",
			Change:      "`emergency_calls`; `emergency_numbers` of the source",
		},
		{
			// Also of a call that is found late: somebody may still need help.
			Alert: "CDREmergencyCallFailed", Severity: failed, Signal: Calls,
			Doc:         "Somebody called emergency services and didn't get through.",
			Expr:        bySource(recent(made, `outcome!~"answered|unknown"`)),
			Summary:     "An emergency call of {{ $labels.source }} didn't get through.",
			Description: "Calls to emergency services that weren't answered and whose records appeared within the last 5 minutes: about {{ printf \"%.0f\" $value }}. Find out at once who called, and whether they still need help.",
			When:        "the record of a call to emergency services that wasn't answered appeared within the last 5 minutes",
			Change:      "`emergency_calls` (`off`); `emergency_numbers` of the source",
		},
		{
			Alert: "CDREmergencyCallFoundLate", Severity: found, Signal: Calls,
			Doc:         "The same, found while a feed catches up: it is over, and wakes nobody.",
			Expr:        bySource(recent(made), fmt.Sprintf("unless on (%s) %s == 1", byFeed.labels(), liveName(live7m))),
			Summary:     "An emergency call that was made earlier at {{ $labels.source }} was found.",
			Description: "Calls to emergency services that were found while the exporter catches up, or has just started: about {{ printf \"%.0f\" $value }}.",
			When:        "a call to emergency services appeared while a feed is catching up or has just started",
			Change:      "`emergency_numbers` of the source",
		},
		{
			Alert: "CDREmergencyTestCall", Severity: found, Signal: Calls,
			Doc:         "Somebody called the test number of emergency services.",
			Expr:        bySource(recent(is("test", "true"))),
			Summary:     "A test call to emergency services was made at {{ $labels.source }}.",
			Description: "Test calls (933) that appeared within the last 5 minutes: about {{ printf \"%.0f\" $value }}.",
			When:        "a test call to emergency services appeared within the last 5 minutes",
		},
	}}
}
