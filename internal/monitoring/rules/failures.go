package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// where names a trunk, or the source where the feed has no trunks.
const where = "{{ $labels.source }}{{ with $labels.trunk }} trunk {{ . }}{{ end }} ({{ $labels.feed }})"

// burn is one rule of burn rates (SRE workbook, chapter 5): over a long window, the error budget burned this many
// times faster than would use it up in 30 days, and it still does. The last attempts show that it still does, since a
// short window is empty between bursts of records.
type burn struct {
	long            window
	thresholds.Burn // its floor is of attempts in the window
}

var (
	fastBurn  = burn{w1h, thresholds.Fast}
	slowBurn  = burn{w6h, thresholds.Slow}
	smallBurn = burn{w3d, thresholds.Burn{Factor: 1, Floor: 100}}
)

const (
	// fewFaults is from how many faults on a share of an hour's, or of six hours', calls counts.
	fewFaults = 5
	// budgetFaults is how many faults of three days use up a budget: fewer are chance.
	budgetFaults = 10
	// answerFactor and answerDrop say how far below the usual share of calls that connect is a collapse.
	answerFactor, answerDrop = 0.5, 0.2
)

// keep bridges the time between two bursts of records.
const keep = 30 * time.Minute

func (p *Parameters) failureAlerts() Group {
	outside := "{" + isNot("trunk", "") + ", " + isNot("direction", "internal") + "}"
	lastWeek := fmt.Sprintf("avg_over_time(%s[1h] offset 1w)", recentConnected)
	downRatio := byDirection.name("cdr_fault", "ratio_rate5m")
	return Group{Name: "cdr-failures", Doc: "Calls that don't get through.", Dashboard: "trunks", Rules: []Rule{
		{
			// It is seen first by 5 minutes of records: of calls, and of legs whose calls wait or went over
			// another trunk. The last attempts keep it until calls get through again, whenever their
			// records arrive. Where they are too few to fill the last 64, it stays while each 5 minutes
			// of the last 25 that had calls had such: together with Keep, one outage is one alert.
			Alert: "CDRTrunkDown", Severity: critical, Signal: Calls, For: time.Minute, Keep: keep,
			Doc: "Nearly every attempt through a trunk fails. Fires within ten minutes of the first record of a " +
				"failed call, and until calls get through.",
			Expr: lines("(",
				fmt.Sprintf("  %s%s >= %s", downRatio, outside, number(p.DownRatio)),
				"and "+atLeast(thresholds.DownFloor, byDirection.rate(timely, w5m)+outside, w5m),
				fmt.Sprintf("  or %s >= %s", legFaults, number(p.DownRatio)),
				"and "+atLeast(thresholds.DownFloor, legAttempts, w5m),
				ofRecent(byDirection, thresholds.DownFloor),
				fmt.Sprintf("  or %s%s >= %s", recentFaults(byDirection), "{"+isNot("trunk", "")+"}",
					number(p.DownRatio)),
				ofRecent(byDirection, thresholds.RecentFloor),
				fmt.Sprintf("  or min_over_time(%s%s[25m]) >= %s", downRatio, outside, number(p.DownRatio)),
				byDirection.and(`ALERTS{alertname="CDRTrunkDown", alertstate="firing"}`),
				")", isLive(live7m),
			),
			Summary: "Trunk {{ $labels.trunk }} of {{ $labels.source }} is down ({{ $labels.direction }}).",
			Description: "{{ $value | humanizePercentage }} of the newest attempts and " +
				p.lastAttempts(metrics.RecentFaults.Name) + " failed for a fault of network, trunk, carrier or " +
				"service. " +
				p.since(byDirection...) + p.cause(`outcome="failed"`, byDirection...),
			When: fmt.Sprintf("%s %% or more of at least %d attempts of a trunk and direction failed within 5 "+
				"minutes, or of the last 64 attempts, of at least %d",
				number(p.DownRatio*100), thresholds.DownFloor, thresholds.RecentFloor),
			Change: "`down_ratio`",
		},
		{
			// It asks for no fault: no credit, a broken translation rule or a dead operator is an outage too,
			// though the records blame no fault.
			Alert: "CDRAnswersCollapsed", Severity: critical, Signal: Calls, For: 5 * time.Minute, Keep: keep,
			Doc: "Calls no longer connect, with any result: against the same hour of earlier weeks, and without a " +
				"week of history against an absolute floor.",
			Expr: lines("(",
				fmt.Sprintf("  %s < %s * %s", recentConnected, number(answerFactor), lastWeek),
				fmt.Sprintf("  and %s < %s - %s", recentConnected, lastWeek, number(answerDrop)),
				fmt.Sprintf("  unless %s >= %s * (%s offset 2w)", recentConnected, number(answerFactor),
					recentConnected),
				fmt.Sprintf("  or (%s <= %s unless %s offset 1w)", recentConnected, number(thresholds.AnswerLeast),
					recentConnected),
				")", ofRecent(byDirection, p.AnswerFloor), isLive(live7m), untold("65m", "CDRTrunkDown"),
			),
			Summary: "Hardly any {{ $labels.direction }} call of " + where + " connects.",
			Description: "{{ $value | humanizePercentage }} of the latest attempts connected: " +
				p.lastAttempts(metrics.RecentConnected.Name) + ". " +
				p.since(byDirection...) + p.cause(`outcome!~"busy|no_answer|cancelled|rejected"`, byDirection...),
			When: fmt.Sprintf("less than %s %% of the usual share of the last 64 attempts connected, and %s points "+
				"less; with no week of history %s %% or less; of at least %d attempts",
				number(answerFactor*100), number(answerDrop*100), number(thresholds.AnswerLeast*100), p.AnswerFloor),
			Change: "`answer_floor`",
		},
		{
			Alert: "CDRFailureSpike", Severity: critical, Signal: Calls, For: 2 * time.Minute,
			Doc: "The error budget of a trunk burns fast, or most of its few calls fail: small tenants never reach " +
				"the floors of burn rates.",
			Expr: lines(anyOf(
				p.burns(fastBurn),
				lines(p.burns(slowBurn), untold("6h", "CDRTrunkDown")),
				p.few(w1h), lines(p.few(w6h), fmt.Sprintf("and last_over_time(%s[6h]) >= %s", faultShare(w1h),
					number(p.FewShare))),
				lines(fmt.Sprintf("%s >= %s", recentFaults(byTrunk), number(p.FewShare)), p.freshFaults()),
			), isLive(live7m), untold("65m", "CDRTrunkDown")),
			Summary: "Too many calls of " + where + " fail.",
			Description: fmt.Sprintf("{{ $value | humanizePercentage }} of its attempts failed for a fault of "+
				"network, trunk, carrier or service, and too many still do. "+
				"The objective allows %s %%. ", number(p.ErrorBudget*100)) + p.since(byTrunk...) +
				p.cause(`outcome="failed"`, byTrunk...),
			When: fmt.Sprintf("faults exceed %s %% of an hour's attempts (%d or more) or %s %% of six hours' (%d or "+
				"more), and still do; or they are %s %% of an hour's calls, or of six hours' and the newest hour's "+
				"(%d faults or more), or of the last 64 attempts",
				p.percent(fastBurn), fastBurn.Floor, p.percent(slowBurn), slowBurn.Floor, number(p.FewShare*100),
				fewFaults),
			Change: "`error_budget`, `few_share`",
		},
		{
			Alert: "CDRFailureBudgetBurning", Severity: warning, Signal: Calls, For: 30 * time.Minute,
			Doc: "Faults use up the error budget of 30 days. It is judged over enough faults and enough time.",
			Expr: lines(fmt.Sprintf("%s > %s", faultRatio(w3d), p.limit(smallBurn)),
				fmt.Sprintf("and %s > %s", faultRatio(w6h), p.limit(smallBurn)),
				"and "+atLeast(budgetFaults, byTrunk.rate(faulty, w3d), w3d),
				fmt.Sprintf("and %s offset 1d >= 0", byTrunk.rate(timely, w6h)),
				enough(smallBurn), isLive(live7m)),
			Summary: "Calls of " + where + " use up the error budget.",
			Description: fmt.Sprintf("{{ $value | humanizePercentage }} of the attempts of the last 3 days failed "+
				"for a fault of network, trunk, carrier or service, "+
				"and too many still do. The objective allows %s %%. ", number(p.ErrorBudget*100)) +
				p.cause(`outcome="failed"`, byTrunk...),
			When: fmt.Sprintf("faults exceed %s %% of the attempts of three days (%d or more) and of six hours; "+
				"there are at least %d faults", p.percent(smallBurn), smallBurn.Floor, budgetFaults),
			Change: "`error_budget`",
		},
	}}
}

func (p *Parameters) limit(b burn) string { return number(b.Factor) + " * " + number(p.ErrorBudget) }

func (p *Parameters) percent(b burn) string {
	return strconv.FormatFloat(b.Factor*p.ErrorBudget*100, 'g', 4, 64)
}

// burns holds while the budget burns too fast over a window, and the last attempts of the trunk say that it still does.
func (p *Parameters) burns(b burn) string {
	return lines(fmt.Sprintf("%s > %s", faultRatio(b.long), p.limit(b)),
		byTrunk.and("%s > %s", recentFaults(byTrunk), p.limit(b)), enough(b))
}

// few holds for a trunk of whose calls within a window a large share are faults, however few calls there are.
func (p *Parameters) few(w window) string {
	return lines(fmt.Sprintf("%s >= %s", faultShare(w), number(p.FewShare)),
		"and "+atLeast(fewFaults, byTrunk.rate(faulty, w), w), isLive(live65m))
}

// enough asks for the attempts without which a burn rate is chance.
func enough(b burn) string {
	return "and " + atLeast(b.Floor, byTrunk.rate(timely, b.long), b.long)
}

// untold leaves out a trunk of which another alert said within a time that its calls fail: what they count looks
// back as far, and would page for an outage that is over.
func untold(within, alert string) string {
	return byTrunk.unless(`max_over_time(ALERTS{alertname=%q, alertstate="firing"}[%s])`, alert, within)
}

// ofRecent are conditions under which the last attempts at a level say how things are: enough of them, and not of
// yesterday.
func ofRecent(l level, least int) string {
	return lines(l.and("%s >= %d", recently(metrics.RecentAttempts, l), least),
		l.and("time() - %s < %d", l.highest(metrics.RecentNewest.Name, "[5m]"), recentSeconds))
}

// freshFaults holds for a trunk whose last attempts say how things are: enough of them, faults as well, in directions
// that had one lately. Neither internal calls nor another direction make up for old or few ones.
func (p *Parameters) freshFaults() string {
	outside := isNot("direction", "internal")
	fresh := func(d *metrics.Def) string {
		return byTrunk.combine("sum", lines(recently(d, byDirection, outside), byDirection.and("time() - %s < %d",
			byDirection.highest(sel(metrics.RecentNewest, outside), "[5m]"), recentSeconds)))
	}
	attempts := fresh(metrics.RecentAttempts)
	return lines(byTrunk.and("%s >= %d", attempts, thresholds.RecentFloor),
		byTrunk.and("%s / %s >= %s", fresh(metrics.RecentFaults), attempts, number(p.FewShare)))
}

// aboveEarlierWeeks compares a recorded rate with the hours around the same time of the last four weeks, a missing
// one being 0, plus more.
func aboveEarlierWeeks(record string, factor int, more string) string {
	first := fmt.Sprintf("%s > %d * (%s or 0 * %s)%s", record, factor, sameHours(record, 1), record, more)
	return lines(first, unlessUsual(record, factor, more, 2)...)
}

// times multiplies what fulfils conditions.
func times(factor string, conditions ...string) string {
	return "(\n  " + strings.Join(conditions, "\n  ") + "\n) * " + factor
}
