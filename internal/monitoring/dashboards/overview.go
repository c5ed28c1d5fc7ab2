package dashboards

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// overview answers: is calling broken, where, since when, whose fault is it, who is affected, and what does it cost?
func overview(with *rules.Parameters) *board {
	b := newBoard(with, "overview", "Overview", "Is calling broken? Where, since when, whose fault is it, who is "+
		"affected, and what does it cost? "+
		"Each trunk's state comes from its last 64 attempts; counters move when a record is read, which is some time "+
		"after its call.", "now-6h")
	b.chooseExporter()
	b.chooseCalls()
	b.chooseFeed()
	b.chooseLabels()
	// The answer at a glance: the worst trunks, the numbers, and the course.
	judged := fmt.Sprintf("None connects: at most %g %% of %d or more. Most fail: %g %% or more are faults. Some "+
		"fail: more than %.3g %%, or of %d or more than %.3g %%. ",
		100*thresholds.AnswerLeast, b.AnswerFloor, 100*b.FewShare, 100*b.Limit(thresholds.Fast), thresholds.Slow.Floor,
		100*b.Limit(thresholds.Slow)) +
		"Can't tell: no call for a day, or a feed without reasons connects less than half of its calls."
	b.add(24, 5, b.tiles(text{"State of the trunks", "The twelve worst trunks of all feeds, by their last 64 " +
		"attempts. " + judged}, 12, b.verdict()))
	b.add(3, 4, b.number(text{"Calls", "Call records that were counted in the time shown."},
		b.total(metrics.Calls, nil)).Decimals(0).ColorScheme(fixed("blue")))
	b.add(3, 4, b.number(text{"Connected share (ASR)", "Answer-seizure ratio (ITU-T E.425): answered by a person, " +
		"voicemail or a machine, of all calls. Users who are busy lower it; it doesn't measure faults."},
		asr(b.total, nil)).Decimals(1))
	b.add(3, 4, b.number(text{"Reached a person", "Calls that a person answered, of all calls with a known outcome. " +
		"Calls that end in a queue, a menu or voicemail lower it: it measures staffing, not the network."},
		reachedPerson(b.total, nil)).Decimals(1))
	b.add(3, 4, b.number(text{"Effectiveness (NER)", "Network effectiveness ratio (ITU-T E.425): answered, " +
		"voicemail, machine, busy, not answered, cancelled or rejected, of all attempts. " +
		"Only of feeds that say why a call didn't connect. Under 100 calls a low value can be normal."},
		ner(b.total, nil)).Decimals(1).Thresholds(below(0.95, 0.9)).NoValue(cantTell))
	b.add(3, 4, b.number(text{"Fault ratio", "Calls that the network, a trunk, a carrier or a service failed, of " +
		"all attempts. Only of feeds that say why a call didn't connect."},
		faults(b.total, nil)).Decimals(2).Thresholds(b.budget()).NoValue(cantTell))
	b.add(3, 4, b.number(text{"Error budget left", fmt.Sprintf("Over the last 30 days, or as many as Prometheus "+
		"keeps: %g %% of attempts may fail for a fault of network, trunk, carrier or service. Trunks has it by "+
		"trunk.", 100*b.ErrorBudget)},
		b.budgetLeft(nil)).Decimals(0).Thresholds(left()).NoValue(cantTell).TimeFrom(budgetTime))
	b.add(3, 4, b.number(text{"Calls in progress", "As of the last read, of providers that list them."},
		b.value(metrics.ActiveCalls, nil)).Decimals(0).ColorScheme(fixed("blue")).NoValue(cantTell))
	b.add(3, 4, b.number(text{"Emergency calls", "Outbound calls to emergency services in the time shown, without " +
		"test numbers. CDREmergencyCall pages for a call that didn't get " +
		"through. Records come late, so this doesn't replace an emergency notification."},
		b.orNone(b.total(metrics.EmergencyCalls, nil, is("test", "false")))).Decimals(0).Thresholds(plain()))
	b.add(24, 6, b.alerts(text{"Alerts that fire", "Alerts that Prometheus fires now, and since when. Click on a " +
		"name for its runbook. Alertmanager's silences don't matter here."}))
	b.add(24, 9, b.timeline(text{"State over time", "How each trunk was at a time, by its last 64 attempts " +
		"then. " + judged}, b.verdict()))
	b.add(24, 9, b.lastAttempts(text{"Trunks, the worst first", "The last 64 attempts of each trunk and direction, " +
		"of every feed, and its calls in the time shown. " +
		"Faults are calls that the network, a trunk, a carrier or a service failed, if the feed has reasons. A click " +
		"on a trunk leads to its dashboard, a click on its calls to their log lines."}))

	b.row("Failures")
	b.add(24, 8, b.ofCalls(text{"Failures by fault domain", "Calls that weren't answered, by the probable " +
		"cause: users, our policy, our SBC, the carrier, the provider."}.
		explained(metrics.CallFailures),
		b.flow(metrics.CallFailures, by("fault_domain"))))
	causes := by("source", "feed", "trunk", "direction", "fault_domain", "outcome", "reason")
	worst := nonzero(top(25, b.total(metrics.CallFailures, causes))).as("Calls")
	b.add(24, 9, b.table(text{"Most frequent failures", "The most frequent failures in the time shown. A click on a " +
		"count leads to the calls' log lines."}.explained(metrics.CallFailures), worst).
		OverrideByName("Calls", properties{decimals(0), b.rowTo(callsBehind, worst)}))
	b.affected()

	b.row("Calls")
	keep := by("source", "provider", "feed")
	b.add(12, 8, b.ofCalls(text{"Calls by outcome", "Calls by how they ended."}, b.flow(metrics.Calls,
		by("outcome"))))
	ratio := faults(b.flow, keep)
	b.add(12, 8, b.series(text{"Fault ratio by source", "Share of attempts that the network, a trunk, a carrier or " +
		"a service failed; of at least five. Only of feeds that say why a call didn't connect."}, ratio).
		DataLinks(b.seriesTo(callsBehind, ratio, onlyFailed)).
		Thresholds(b.budget()).ThresholdsStyle(dashed()))

	calls := b.counted(metrics.Calls, nil)
	calls.every = hourMinutes
	b.add(24, 12, b.hours(text{"Calls by hour and weekday", "Calls that were read in each hour of the day, on " +
		"average over four weeks, in the dashboard's time zone. Records come later than their calls."}, calls))

	return b
}
