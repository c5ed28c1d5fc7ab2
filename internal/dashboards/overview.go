package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// overview answers: how many calls are there, do they get through, what do they
// cost, and how fresh is what we know?
func overview() *board {
	b := newBoard("overview", "Overview", "Calls of all sources: how many, whether they get through, for how long, for how much, and how fresh that is. "+
		"Counters move when a record is read, which is some time after its call.", "now-6h")
	b.chooseExporter()
	b.chooseCalls()
	b.chooseFeed()
	b.overviewNumbers()
	b.row("Calls")
	b.overviewCalls()
	b.row("Failures")
	b.overviewFailures()
	b.row("Duration and money")
	b.overviewDurations()
	b.row("Freshness")
	b.overviewFreshness()
	b.row("Details")
	b.overviewDetails()
	return b
}

// overviewNumbers is the line on top.
func (b *board) overviewNumbers() {
	b.add(4, 4, b.number(text{"Calls", "Call records that were counted in the time shown."},
		b.total(metrics.Calls, nil)).Decimals(0).ColorScheme(fixed("blue")))
	b.add(4, 4, b.number(text{"Connected share (ASR)", "Answer-seizure ratio (ITU-T E.425): answered or voicemail, of all calls. Users who are busy lower it; it is no measure of faults."},
		asr(b.total, nil)).Decimals(1))
	b.add(4, 4, b.number(text{"Effectiveness (NER)", "Network effectiveness ratio (ITU-T E.425): answered, voicemail, busy, not answered, cancelled or rejected, of all attempts. " +
		"Only of feeds that say why a call didn't connect. Under 100 calls a low value can be normal."},
		ner(b.total, nil)).Decimals(1).Thresholds(below(0.95, 0.9)))
	b.add(4, 4, b.number(text{"Fault ratio", "Calls that the network, a trunk, a carrier or a service failed, of all attempts. This is what alerts are made of."},
		faults(b.total, nil)).Decimals(2).Thresholds(above(0.01, 0.05)))
	b.add(4, 4, b.number(text{"Calls in progress", "As of the last read, of providers that say so."},
		b.value(metrics.ActiveCalls, nil)).Decimals(0).ColorScheme(fixed("blue")))
	b.add(4, 4, b.number(text{"Emergency calls", "Outbound calls to emergency services in the time shown, without those to test numbers. Records lag: this is no emergency notification."},
		b.orNone(b.total(metrics.EmergencyCalls, nil, is("test", "false")))).Decimals(0).Thresholds(never(1)))
}

func (b *board) overviewCalls() {
	byOutcome := b.flow(metrics.Calls, by("outcome"))
	b.add(12, 8, b.stacked(text{"Calls by outcome", "Calls per minute by how they ended."}, byOutcome).
		DataLinks(b.toCalls(byOutcome)))
	bySource := b.flow(metrics.Calls, by("source", "provider", "feed"))
	b.add(12, 8, b.stacked(text{"Calls by source", "Calls per minute by where their records come from."}, bySource).
		DataLinks(b.toCalls(bySource)))
	keep := by("source", "provider", "feed")
	b.add(12, 8, b.series(text{"Connected share (ASR) by source", "Answered or voicemail, of all calls."}, asr(b.rate, keep)).Max(1))
	b.add(12, 8, b.series(text{"Effectiveness (NER) by source", "Calls for which the network did its part, of all attempts; of feeds that say why a call didn't connect."},
		ner(b.rate, keep)).Max(1))
	b.add(12, 8, b.stacked(text{"Calls by direction", "Calls per minute by direction."}, b.flow(metrics.Calls, by("direction"))))
	b.add(12, 8, b.series(text{"Calls in progress by source", "As of each read of the providers that say so."},
		b.value(metrics.ActiveCalls, by("source", "provider", "direction"))))
}

func (b *board) overviewFailures() {
	byReason := b.flow(metrics.CallFailures, by("outcome", "reason"))
	b.add(12, 9, b.stacked(text{"Failures by reason", "Calls per minute that neither a person nor voicemail answered, by outcome and reason. " +
		"People who are busy or misdial are no outage: look for the outcome failed."}, byReason).
		DataLinks(b.toCalls(byReason)))
	ratio := faults(b.rate, by("source", "provider", "feed"))
	b.add(12, 9, b.series(text{"Fault ratio by source", "Share of attempts that the network, a trunk, a carrier or a service failed."}, ratio).
		DataLinks(b.toCalls(ratio, onlyFailed)).
		Thresholds(above(0.01, 0.05)).ThresholdsStyle(dashed()))
	keep := by("source", "feed", "direction", "outcome", "reason")
	worst := nonzero(top(25, b.total(metrics.CallFailures, keep))).as("Calls")
	p := b.table(text{"Most frequent failures", "What failed most in the time shown. A click on a count leads to the calls' log lines."}, worst)
	b.add(24, 9, p.OverrideByName("Calls", properties{property("decimals", 0), b.rowToCalls(worst)}))
}

func (b *board) overviewDurations() {
	durations := b.spread(metrics.CallDuration, by("direction"))
	b.add(12, 8, b.series(text{"Duration of calls", "Median and 95th percentile of connected calls, as the provider measures them."},
		durations...).DataLinks(b.toCalls(durations[1])))
	b.add(12, 8, b.series(text{"Average duration (ACD) by source", "Connected seconds per connected call. Compare a source with its own past: RingCentral's durations include ringing and menus."},
		acd(b.rate, by("source", "provider", "feed"))).
		Thresholds(below(60, 15)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Charges by currency", "Money per hour, as first known, by currency. Corrections are on the Cost dashboard."},
		b.flow(metrics.CallCharges, by("currency", "source"))).Decimals(2))
	b.add(12, 8, b.series(text{"Calls at once, on average", "Erlang: connected seconds per second. A burst of records that were read at once shows as a peak."},
		b.flow(metrics.ConnectedSeconds, by("source", "feed"))).Decimals(1))
}

func (b *board) overviewFreshness() {
	keep := by("source", "feed")
	b.add(8, 8, b.series(text{"Behind now", "How far the watermark is behind: every call that started before it has been looked for at least once."},
		b.age(metrics.Watermark, keep)).Thresholds(above(1800, 3600)).ThresholdsStyle(dashed()))
	b.add(8, 8, b.series(text{"Age of the newest call", "How long ago the latest call that was counted began. Nights make it grow; compare it with the day before."},
		b.age(metrics.NewestCall, keep)))
	late := share(b.rate(metrics.Calls, by("source", "provider", "feed"), is("late", "true")), b.rate(metrics.Calls, by("source", "provider", "feed")))
	b.add(8, 8, b.series(text{"Share of late calls", "Calls first seen later than their feed's late_after. While most of a feed is late, its rates tell of the past."}, late).
		Thresholds(above(0.1, 0.5)).ThresholdsStyle(dashed()))
}

func (b *board) overviewDetails() {
	emergency := b.orNone(b.flow(metrics.EmergencyCalls, by("source", "outcome", "test")))
	b.add(8, 8, b.series(text{"Emergency calls by source", "Outbound calls to emergency services per minute; test is a call to a test number. Records lag: this is no emergency notification."},
		emergency.as("{{source}} {{outcome}} test={{test}}")))
	b.add(8, 8, b.stacked(text{"Recordings", "Recordings attached to calls, per minute, of providers that say so."}, b.flow(metrics.Recordings, by("source", "type"))))
	b.add(8, 8, b.stacked(text{"Legs by type", "Legs per minute as the provider lists them, among them one that stands for the whole call: no number of calls."},
		b.flow(metrics.CallLegs, by("leg_type", "outcome"))))
	changes := b.orNone(b.flow(metrics.OutcomeChanges, by("source", "from", "to")))
	b.add(12, 8, b.series(text{"Outcomes that changed", "Calls per minute whose outcome the provider changed after they were counted."},
		changes.as("{{source}} {{from}} to {{to}}")))
	types := top(10, b.flow(metrics.Calls, by("call_type")))
	b.add(12, 8, b.series(text{"Calls by type", "The ten commonest call types, calls per minute, in the provider's own words."}, types).
		Legend(rightLegend()))
}

// rightLegend is a legend for many series.
func rightLegend() *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().
		DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementRight).ShowLegend(true).
		Calcs([]string{"mean", "max"})
}
