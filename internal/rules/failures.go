package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/thresholds"
)

// where names a trunk, or the source where the feed has no trunks.
const where = "{{ $labels.source }}{{ with $labels.trunk }} trunk {{ . }}{{ end }} ({{ $labels.feed }})"

// burn is one rule of burn rates (SRE workbook, chapter 5): the budget burns so many times faster than would use it up in 30 days over
// a long window, and still does. That it still does is seen by the last attempts, since a short window is empty between bursts of records.
type burn struct {
	long            window
	words           string // of long
	thresholds.Burn        // its floor is of attempts in the window
}

var (
	fastBurn  = burn{long: w1h, words: "hour", Burn: thresholds.Fast}
	slowBurn  = burn{long: w6h, words: "6 hours", Burn: thresholds.Slow}
	smallBurn = burn{long: w3d, words: "3 days", Burn: thresholds.Burn{Factor: 1, Floor: 100}}
)

// keep bridges the time between two bursts of records.
const keep = 30 * time.Minute

func (p *Parameters) failureAlerts() Group {
	outside := "{" + isNot("trunk", "") + ", " + isNot("direction", "internal") + "}"
	lastWeek := fmt.Sprintf("avg_over_time(%s[1h] offset 1w)", recentConnected)
	failed := byTrunk.name(faulty, "rate1h")
	return Group{Name: "cdr-failures", Doc: "Calls that don't get through, and trunks that are nearly full.", Dashboard: "trunks", Rules: []Rule{
		{
			// It is seen first by 5 minutes of records: of calls, and of legs whose calls wait or went over another trunk.
			// The last attempts keep it until calls get through again, whenever their records arrive.
			Alert: "CDRTrunkDown", Severity: critical, Signal: Calls, For: time.Minute, Keep: keep,
			Doc: "Nearly every attempt through a trunk fails. Fires within ten minutes of the first record of a failed call, and until calls get through.",
			Expr: lines("(",
				fmt.Sprintf("  %s%s >= %s", byDirection.name("cdr_fault", "ratio_rate5m"), outside, number(p.DownRatio)),
				fmt.Sprintf("  and round(%s%s * 300) >= %d", byDirection.name(timely, "rate5m"), outside, p.DownFloor),
				fmt.Sprintf("  or %s >= %s", legFaults, number(p.DownRatio)),
				fmt.Sprintf("  and round(%s * 300) >= %d", legAttempts, p.DownFloor),
				ofRecent(byDirection, p.DownFloor),
				fmt.Sprintf("  or %s%s >= %s", recentFaults(byDirection), "{"+isNot("trunk", "")+"}", number(p.DownRatio)),
				ofRecent(byDirection, p.RecentFloor),
				")", isLive(live7m),
			),
			Summary: "Trunk {{ $labels.trunk }} of {{ $labels.source }} is down ({{ $labels.direction }}).",
			Description: "{{ $value | humanizePercentage }} of the newest attempts and " + p.lastAttempts(metrics.RecentFaults.Name) + " failed for a fault of network, trunk, carrier or service. " +
				p.since(byDirection...) + p.cause(`outcome="failed"`, byDirection...),
			When: fmt.Sprintf("%s %% or more of at least %d attempts of a trunk and direction failed within 5 minutes, or of the last 64 attempts, of at least %d",
				number(p.DownRatio*100), p.DownFloor, p.RecentFloor),
			Change: "`down_ratio`, `down_floor`, `recent_floor`",
		},
		{
			// It asks for no fault: no credit, a broken translation rule or a dead operator is an outage too, though the records blame no fault.
			Alert: "CDRAnswersCollapsed", Severity: critical, Signal: Calls, For: 5 * time.Minute, Keep: keep,
			Doc: "Calls no longer connect, with any result: against the same hour of earlier weeks, and without a week of history against an absolute floor.",
			Expr: lines("(",
				fmt.Sprintf("  %s < %s * %s", recentConnected, number(p.AnswerFactor), lastWeek),
				fmt.Sprintf("  and %s < %s - %s", recentConnected, lastWeek, number(p.AnswerDrop)),
				fmt.Sprintf("  unless %s >= %s * (%s offset 2w)", recentConnected, number(p.AnswerFactor), recentConnected),
				fmt.Sprintf("  or (%s <= %s unless %s offset 1w)", recentConnected, number(p.AnswerLeast), recentConnected),
				")", ofRecent(byDirection, p.AnswerFloor), isLive(live7m),
			),
			Summary: "Hardly any {{ $labels.direction }} call of " + where + " connects.",
			Description: "{{ $value | humanizePercentage }} of the latest attempts connected: " + p.lastAttempts(metrics.RecentConnected.Name) + ". " +
				p.since(byDirection...) + p.cause(`outcome!~"busy|no_answer|cancelled|rejected"`, byDirection...),
			When: fmt.Sprintf("less than %s %% of the usual share of the last 64 attempts connected, and %s points less; with no week of history %s %% or less; of at least %d attempts",
				number(p.AnswerFactor*100), number(p.AnswerDrop*100), number(p.AnswerLeast*100), p.AnswerFloor),
			Change: "`answer_factor`, `answer_drop`, `answer_least`, `answer_floor`",
		},
		{
			Alert: "CDRMostCallsFail", Severity: critical, Signal: Calls, For: 2 * time.Minute,
			Doc: "The absolute rule for small tenants, whose calls never reach the floors of burn rates.",
			Expr: lines("(",
				fmt.Sprintf("  %s / (%s > 0) >= %s", failed, byTrunk.name("cdr_timely_calls", "rate1h"), number(p.FewShare)),
				fmt.Sprintf("  and round(%s * 3600) >= %d", failed, p.FewFaults),
				"  "+isLive(live65m),
				fmt.Sprintf("  or %s >= %s", recentFaults(byTrunk), number(p.FewShare)),
				ofRecent(byTrunk, p.RecentFloor),
				")", isLive(live7m), untold("65m", "CDRTrunkDown", "CDRFailureSpike"),
			),
			Summary: "Most calls of " + where + " fail.",
			Description: "{{ $value | humanizePercentage }} of all calls of the last hour, or of the last attempts, failed for a fault of network, trunk, carrier or service. " +
				p.since(byTrunk...) + p.cause(`outcome="failed"`, byTrunk...),
			When:   fmt.Sprintf("at least %d faults, and %s %% of all calls or more, within an hour; or %s %% of the last 64 attempts", p.FewFaults, number(p.FewShare*100), number(p.FewShare*100)),
			Change: "`few_faults`, `few_share`, `recent_floor`",
		},
		p.burnAlert("CDRFailureSpike", fastBurn, critical, 2*time.Minute, stillFails(p.limit(fastBurn))),
		p.burnAlert("CDRFailureSpikeSlow", slowBurn, critical, 5*time.Minute, stillFails(p.limit(slowBurn)),
			untold("6h", "CDRTrunkDown")),
		p.burnAlert("CDRFailureBudgetBurning", smallBurn, warning, 30*time.Minute,
			fmt.Sprintf("and %s > %s", faultRatio(w6h), p.limit(smallBurn)),
			// A budget is judged over enough faults and enough time.
			fmt.Sprintf("and round(%s * %d) >= %d", byTrunk.name(faulty, "rate3d"), w3d.seconds(), p.BudgetFaults),
			fmt.Sprintf("and %s offset 1d >= 0", byTrunk.name(timely, "rate6h"))),
		{
			Alert: "CDRSIPCodeSurging", Severity: warning, Signal: Calls, For: 10 * time.Minute,
			Doc: "One SIP code of a trunk against the same hours of its last four weeks. A code that is new counts as 0 then, if there were calls.",
			Expr: perHour(
				aboveEarlierWeeks(codesHourly, p.CodeFactor, ""),
				fmt.Sprintf("and round(%s * 3600) >= %d", codesHourly, p.CodeFloor),
				sinceLastWeek(), isLive(live65m),
			),
			Summary:     "SIP {{ $labels.sip_code }} surges on trunk {{ $labels.trunk }} of {{ $labels.source }}.",
			Description: fmt.Sprintf("About {{ printf \"%%.0f\" $value }} calls ended with SIP {{ $labels.sip_code }} within the last hour, more than %d times as many as around this time in the last four weeks.", p.CodeFactor),
			When:        fmt.Sprintf("%d or more calls with one SIP code within an hour, more than %d times those around this time in the last four weeks", p.CodeFloor, p.CodeFactor),
			Change:      "`code_factor`, `code_floor`",
		},
		p.channelAlert(),
	}}
}

func (p *Parameters) limit(b burn) string { return number(b.Factor) + " * " + number(p.ErrorBudget) }

// burnAlert fires while the budget burns too fast over a window, and still does.
func (p *Parameters) burnAlert(name string, b burn, severity string, hold time.Duration, still ...string) Rule {
	return Rule{
		Alert: name, Severity: severity, Signal: Calls, For: hold,
		Doc: fmt.Sprintf("Burn rate of the fault ratio: %s times the budget over %s, and still.", number(b.Factor), b.long),
		Expr: lines(fmt.Sprintf("%s > %s", faultRatio(b.long), p.limit(b)), append(still,
			fmt.Sprintf("and round(%s * %d) >= %d", byTrunk.name(timely, "rate"+string(b.long)), b.long.seconds(), b.Floor),
			isLive(live7m))...),
		Summary: "Too many calls of " + where + " fail.",
		Description: fmt.Sprintf("{{ $value | humanizePercentage }} of the attempts of the last %s failed for a fault of network, trunk, carrier or service, "+
			"and too many still do. The objective allows %s %%. ", b.words, number(p.ErrorBudget*100)) + p.cause(`outcome="failed"`, byTrunk...),
		When: fmt.Sprintf("fault ratio above %s %% (%s × the budget of %s %%) over %s and still, of at least %d attempts",
			strconv.FormatFloat(b.Factor*p.ErrorBudget*100, 'g', 4, 64), number(b.Factor), number(p.ErrorBudget*100), b.long, b.Floor),
		Change: "`error_budget`" + map[bool]string{true: ", `budget_faults`"}[name == "CDRFailureBudgetBurning"],
	}
}

// stillFails asks it of the last attempts of the trunk.
func stillFails(limit string) string {
	return fmt.Sprintf("and on (%s) %s > %s", byTrunk.labels(), recentFaults(byTrunk), limit)
}

// untold leaves out a trunk of which other alerts said within a time that its calls fail: what they count looks back as far, and would page for an
// outage that is over.
func untold(within string, alerts ...string) string {
	return fmt.Sprintf(`unless on (%s) max_over_time(ALERTS{alertname=~"%s", alertstate="firing"}[%s])`, byTrunk.labels(), strings.Join(alerts, "|"), within)
}

// ofRecent are conditions under which the last attempts at a level say how things are: enough of them, and not of yesterday.
func ofRecent(l level, least int) string {
	return fmt.Sprintf("and on (%[1]s) %[2]s >= %[3]d\nand on (%[1]s) time() - max by (%[1]s) (max_over_time(%[4]s[5m])) < %[5]d",
		l.labels(), recently(metrics.RecentAttempts, l), least, metrics.RecentNewest.Name, recentSeconds)
}

// aboveEarlierWeeks compares a recorded rate with the hours around the same time of the last four weeks, a missing one being 0, plus more.
func aboveEarlierWeeks(record string, factor int, more string) string {
	conditions := []string{fmt.Sprintf("%s > %d * (%s or 0 * %s)%s", record, factor, sameHours(record, 1), record, more)}
	for week := 2; week <= weeksCompared; week++ {
		conditions = append(conditions, fmt.Sprintf("unless %s <= %d * %s%s", record, factor, sameHours(record, week), more))
	}
	return strings.Join(conditions, "\n")
}

// sinceLastWeek asks for calls of the feed a week ago: without them there is nothing to compare with, as in the first week.
func sinceLastWeek() string {
	return fmt.Sprintf("and on (%s) %s offset 1w > 0", byFeed.labels(), callsHourly)
}

// perHour makes what happened within the hour of a rate that fulfils conditions.
func perHour(conditions ...string) string { return times("3600", conditions...) }

// times multiplies what fulfils conditions.
func times(factor string, conditions ...string) string {
	return "(\n  " + strings.Join(conditions, "\n  ") + "\n) * " + factor
}
