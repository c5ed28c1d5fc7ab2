package dashboards

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// queues answers: are callers in queues answered, how soon, and which queue loses them?
func queues(with *rules.Parameters) *board {
	b := newBoard(with, "queues", "Queues", "Are callers in queues answered, how soon, and which queue loses them? "+
		"A visit isn't counted as a call; it counts when its row is read. "+
		"Agents and their calls aren't here.", "now-24h")
	b.chooseExporter()
	b.chooseCalls()
	b.choose("queue", "Queue", ".*", "Queue, by its own name or number.", metrics.QueueCalls)
	answered, abandoned := is("result", "answered"), is("result", "abandoned")
	all := b.total(metrics.QueueCalls, nil)
	b.add(4, 4, b.number(text{"Visits", "Visits to queues in the time shown."},
		all).Decimals(0).ColorScheme(fixed("blue")))
	b.add(4, 4, b.number(text{"Answered", "Share of the visits that an agent answered, however late."},
		share(b.total(metrics.QueueCalls, nil, answered), all)).
		Decimals(1).ColorScheme(fixed("blue")))
	level := over(b.waited(with.QueueSeconds, nil, answered), all, unitRatio)
	b.add(4, 4, b.number(text{"In time", fmt.Sprintf("Share of all visits that were answered within %d s; nothing "+
		"if no wait is known. The recorded service level leaves out callers who left within 5 s.",
		with.QueueSeconds)}, level).
		Decimals(1).ColorScheme(fixed("blue")))
	b.add(4, 4, b.number(text{"Abandoned", "Share of the visits that the caller ended. The recorded abandonment " +
		"leaves out callers who left within 5 s."},
		share(b.total(metrics.QueueCalls, nil, abandoned), all)).Decimals(1).Thresholds(above(with.AbandonShare/2,
		with.AbandonShare)))
	b.add(4, 4, b.number(text{"Speed of answer", "Mean wait of answered visits whose wait is known."},
		b.meanWait(nil, answered)).Decimals(0).ColorScheme(fixed("blue")))
	b.add(4, 4, b.number(text{"Turned away", "Share of the visits that the queue gave up: it was full, had no " +
		"agents, or the caller had waited as long as it allows. Asterisk doesn't record callers whom it refused at " +
		"the entrance."},
		share(b.total(metrics.QueueCalls, nil, oneOf("result", []string{"timeout", "overflowed"})),
			all)).Decimals(1).Thresholds(above(0.05, 0.2)))

	b.add(24, 8, b.series(text{"Abandoned by queue", "Share of the visits that the caller ended."},
		share(b.flow(metrics.QueueCalls, by("source", "queue"), abandoned), b.flow(metrics.QueueCalls, by("source",
			"queue")))).
		Thresholds(above(with.AbandonShare/2, with.AbandonShare)).ThresholdsStyle(dashed()))

	b.row("Queues")
	keep := by("source", "feed", "queue")
	visits := nonzero(b.total(metrics.QueueCalls, keep)).as("Visits")
	p := b.table(text{"Queues", "Each queue in the time shown."}, visits,
		share(b.total(metrics.QueueCalls, keep, answered), b.total(metrics.QueueCalls, keep)).as("Answered"),
		over(b.waited(with.QueueSeconds, keep, answered), b.total(metrics.QueueCalls, keep), unitRatio).as("In time"),
		share(b.total(metrics.QueueCalls, keep, abandoned), b.total(metrics.QueueCalls, keep)).as("Abandoned"),
		b.meanWait(keep, answered).as("Speed of answer"))
	b.add(24, 10, p.OverrideByName("Visits", properties{decimals(0)}))
	return b
}

// waited is the number of visits in the time shown that waited at most this long. The seconds must be a bound of the
// buckets; with native histograms alone it is an estimate.
func (b *board) waited(seconds int, keep []string, where ...match) query {
	b.measure(metrics.QueueWait, keep, where)
	classic := b.increase(metrics.QueueWait, "_bucket", keep,
		append(where, match{"le", "=~", fmt.Sprintf("%d([.]0)?", seconds)}))
	native := b.increase(metrics.QueueWait, "", keep, where)
	// 0 if nobody waited so short; nothing if no wait is known.
	all := func(suffix string) string { return b.increase(metrics.QueueWait, suffix, keep, nil) }
	return query{
		expr: fmt.Sprintf("(%s or histogram_fraction(0, %d, %s) * (histogram_count(%s) > 0) or 0 * %s or 0 * "+
			"histogram_count(%s))", classic, seconds, native, native, all("_count"), all("")),
		unit: unitNumber, by: keep,
	}
}

// meanWait is the mean wait of visits in the time shown, from either kind of histogram.
func (b *board) meanWait(keep []string, where ...match) query {
	m := b.measure(metrics.QueueWait, keep, where)
	of := func(suffix string) string { return b.increase(metrics.QueueWait, suffix, keep, where) }
	expr := fmt.Sprintf("%s\n/ (%s > 0)\nor\nhistogram_sum(%s)\n/ (histogram_count(%s) > 0)", of("_sum"),
		of("_count"), of(""), of(""))
	return query{expr: expr, unit: m.unit, by: keep}
}
