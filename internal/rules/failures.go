package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// where names a trunk, or the source where trunks aren't told.
const where = "{{ $labels.source }}{{ with $labels.trunk }} trunk {{ . }}{{ end }} ({{ $labels.feed }})"

// failureAlerts are about faults of network, trunk, carrier or service.
func failureAlerts() Group {
	return Group{Name: "cdr-failures", Doc: "Faults of network, trunk, carrier or service.", Rules: []Rule{
		burnAlert("CDRFailureSpike", fastBurn, critical, live7m, 2*time.Minute),
		burnAlert("CDRFailureSpikeSlow", slowBurn, critical, live35m, 5*time.Minute),
		burnAlert("CDRFailureBudgetBurning", smallBurn, warning, live7m, 30*time.Minute),
		mostCallsFail(), trunkDown(),
		{
			Alert: "CDRSIPCodeSurging", Severity: warning, Signal: Calls, For: 10 * time.Minute,
			Doc: "One SIP code of a trunk against the same hour of its own last week. A code that is new counts as 0 then, if there were calls.",
			Expr: perHour(
				aboveLastWeek(codesHourly, codeFactor, ""),
				fmt.Sprintf("and round(%s * 3600) >= %d", codesHourly, codeFloor),
				sinceLastWeek(), isLive(live65m),
			),
			Summary:     "SIP {{ $labels.sip_code }} surges on trunk {{ $labels.trunk }} of {{ $labels.source }}.",
			Description: fmt.Sprintf("About {{ printf \"%%.0f\" $value }} calls ended with SIP {{ $labels.sip_code }} within the last hour, more than %d times as many as in the same hour a week ago.", codeFactor),
			When:        fmt.Sprintf("%d or more calls with one SIP code within an hour, more than %d times those of the same hour a week ago", codeFloor, codeFactor),
			Change:      "`codeFactor`, `codeFloor`",
		},
	}}
}

// burnAlert fires while the budget burns too fast over both windows. Its gate is as long as
// the short window: then that holds only calls that were read as they came.
func burnAlert(name string, b burn, severity string, gate window, hold time.Duration) Rule {
	limit := fmt.Sprintf("%s * %s", number(b.factor), number(errorBudget))
	return Rule{
		Alert: name, Severity: severity, Signal: Calls, For: hold,
		Doc: fmt.Sprintf("Multi-window burn rate of the fault ratio: %s times the budget over %s and still over %s.", number(b.factor), b.long, b.short),
		Expr: lines(
			fmt.Sprintf("%s > %s", faultRatio(b.long), limit),
			fmt.Sprintf("and %s > %s", faultRatio(b.short), limit),
			fmt.Sprintf("and round(%s * %d) >= %d", byTrunk.name(timely, "rate"+string(b.long)), b.long.seconds(), b.floor),
			isLive(gate),
		),
		Summary: "Too many calls of " + where + " fail.",
		Description: fmt.Sprintf("{{ $value | humanizePercentage }} of the attempts of the last %s failed for a fault of network, trunk, carrier or service, "+
			"and too many of the last %s still do. The objective allows %s %%.", b.long.words(), b.short.words(), number(errorBudget*100)),
		When: fmt.Sprintf("fault ratio above %s %% (%s × the budget of %s %%) over %s and over %s, of at least %d attempts in the former",
			strconv.FormatFloat(b.factor*errorBudget*100, 'g', 4, 64), number(b.factor), number(errorBudget*100), b.long, b.short, b.floor),
		Change: "`errorBudget`, `" + map[window]string{w1h: "fastBurn", w6h: "slowBurn", w3d: "smallBurn"}[b.long] + "`",
	}
}

// mostCallsFail is the absolute rule for tenants that have too few calls for burn rates.
func mostCallsFail() Rule {
	failed := byTrunk.name(faulty, "rate30m")
	return Rule{
		Alert: "CDRMostCallsFail", Severity: critical, Signal: Calls, For: 2 * time.Minute,
		Doc: "The absolute rule for small tenants, whose calls never reach the floors of burn rates.",
		Expr: lines(
			fmt.Sprintf("%s / (%s > 0) >= %s", failed, byTrunk.name("cdr_timely_calls", "rate30m"), number(fewShare)),
			fmt.Sprintf("and round(%s * 1800) >= %d", failed, fewFaults),
			isLive(live35m),
		),
		Summary:     "Most calls of " + where + " fail.",
		Description: "{{ $value | humanizePercentage }} of all calls of the last 30 minutes failed for a fault of network, trunk, carrier or service.",
		When:        fmt.Sprintf("at least %d faults, and %s %% of all calls or more, within 30 minutes", fewFaults, number(fewShare*100)),
		Change:      "`fewFaults`, `fewShare`",
	}
}

func trunkDown() Rule {
	ofTrunk := "{" + isNot("trunk", "") + "}"
	return Rule{
		Alert: "CDRTrunkDown", Severity: critical, Signal: Calls, For: time.Minute, Keep: 2 * time.Minute,
		Doc: "Nearly every attempt through a trunk fails. Fires within ten minutes of the first failed call.",
		Expr: lines(
			fmt.Sprintf("%s%s >= %s", faultRatio(w5m), ofTrunk, number(downRatio)),
			fmt.Sprintf("and round(%s%s * 300) >= %d", byTrunk.name(timely, "rate5m"), ofTrunk, downFloor),
			isLive(live7m),
		),
		Summary:     "Trunk {{ $labels.trunk }} of {{ $labels.source }} is down.",
		Description: "{{ $value | humanizePercentage }} of the attempts of the last 5 minutes through {{ $labels.trunk }} failed for a fault of network, trunk, carrier or service.",
		When:        fmt.Sprintf("%s %% or more of at least %d attempts of a trunk failed within 5 minutes", number(downRatio*100), downFloor),
		Change:      "`downRatio`, `downFloor`",
	}
}

// aboveLastWeek compares a recorded rate with the same hour a week ago, a missing one being 0;
// more is what is added to that.
func aboveLastWeek(record string, factor int, more string) string {
	return fmt.Sprintf("%s > %d * (%s offset 1w or 0 * %s)%s", record, factor, record, record, more)
}

// sinceLastWeek asks for calls of the feed a week ago: without them there is nothing to
// compare with, as in the first week.
func sinceLastWeek() string {
	return fmt.Sprintf("and on (%s) %s offset 1w > 0", byFeed.labels(), callsHourly)
}

// perHour makes what happened within the hour of a rate that fulfils conditions.
func perHour(conditions ...string) string {
	return "(\n  " + strings.Join(conditions, "\n  ") + "\n) * 3600"
}
