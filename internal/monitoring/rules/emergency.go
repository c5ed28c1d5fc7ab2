package rules

import (
	"fmt"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// emergencyAlerts are about calls to emergency services. A call may be in two feeds: the largest number of one is
// shown, not their sum.
func (p *Parameters) emergencyAlerts() Group {
	// Calls that were read before the first scrape after an outage, or by another replica, don't increase the counter
	// within 5 minutes, so the newest value before the outage is compared too. With 4 minutes, this rise ends no
	// later than an increase.
	recent := func(matchers ...string) string {
		counter := sel(metrics.EmergencyCalls, matchers...)
		total := func(at string) string {
			each := level{"source", "feed", "outcome"}.combine("max", "last_over_time("+counter+at+")")
			return byFeed.combine("sum", each)
		}
		return fmt.Sprintf("(%s > 0\n   or %s - %s > 0)", byFeed.combine("sum", "increase("+counter+"[5m])"),
			total("[5m]"), total("[1d] offset 4m"))
	}
	bySource := func(result string, parts ...string) string {
		return labelledWith("result", result, bySource.combine("max", strings.Join(parts, "\n")))
	}
	severity := critical
	if p.EmergencyCalls == "off" {
		severity = "off"
	}
	const connected = "answered|unknown"
	return Group{Name: "cdr-emergency", Doc: "Calls to emergency services. Records lag, so an alert doesn't " +
		"replace an emergency notification.", Dashboard: "overview", Rules: []Rule{{
		// A call that failed counts also when it is found late: somebody may still need help. One that was answered
		// is over.
		Alert: "CDREmergencyCall", Severity: severity, Signal: Calls, Milder: p.EmergencyCalls,
		MilderIf: `eq $labels.result "answered"`,
		Doc:      "Somebody called emergency services. The label result says whether they got through.",
		Expr: anyOf(bySource("failed", recent(is("test", "false"), not("outcome", connected))),
			bySource("answered", recent(is("test", "false"), matches("outcome", connected)), isLive(live7m))),
		Summary: "An emergency call {{ if eq $labels.result \"failed\" }}of {{ $labels.source }} didn't get " +
			"through{{ else }}was made at {{ $labels.source }}{{ end }}.",
		Description: "Calls to emergency services whose records appeared within the last 5 minutes: about {{ printf " +
			"\"%.0f\" $value }}. {{ if eq $labels.result \"failed\" }}The first attempt of each wasn't answered; " +
			"another trunk may have connected it. Find out at once who called, and whether they still need help.{{ " +
			"else }}Records lag behind calls: this doesn't replace an emergency notification.{{ end }}",
		When: "the record of a call to emergency services appeared within the last 5 minutes; critical if it " +
			"wasn't answered",
		Change: "`emergency_calls`; `emergency_numbers` of the source",
	}}}
}
