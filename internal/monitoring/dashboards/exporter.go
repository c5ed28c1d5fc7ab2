package dashboards

import (
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// exporter answers: is the exporter itself well, and what holds it up?
func exporter(with *rules.Parameters) *board {
	b := newBoard(with, "exporter", "Exporter", "Is the exporter itself well, and what holds it up? Whether feeds "+
		"are read, what providers allow, delays, duplicates and what waits to be sent.", "now-6h")
	b.chooseExporter()
	b.choose("source", "Source", ".+", "Source of the configuration.", metrics.Polls)
	b.add(6, 4, b.number(text{"Behind", "How far behind is the slowest feed? It shows the age of its watermark."},
		b.age(metrics.Watermark, nil)).
		Thresholds(above(1800, 3600)))
	b.add(6, 4, b.number(text{"Differences by the newest audit", "Are calls missing, or amounts wrong? Records that " +
		"the provider lists and that the newest audit didn't find counted, or with another amount."},
		b.orNone(b.value(metrics.AuditDifference, nil))).Decimals(0).Thresholds(never(1)))
	inUse, spansInUse := b.inUse(metrics.OutboxRecords), b.inUse(metrics.OutboxSpans)
	inUse.expr, inUse.by = "max ("+inUse.expr+" >= "+spansInUse.expr+" or "+spansInUse.expr+")", nil
	b.add(6, 4, b.number(text{"Outbox in use", "Do log records leave? Waiting log records, or spans if there are " +
		"more, as a share of otlp.outbox_limit, of the fullest exporter; 0 while none are sent. At the limit " +
		"reading pauses, or they are skipped (otlp.outbox_full)."},
		b.orNone(inUse)).Decimals(1).Thresholds(above(0.1, 0.8)))
	left := b.value(metrics.CredentialExpiry, by("source"))
	left.expr, left.unit = left.expr+" - time()", unitAge
	b.add(6, 4, b.number(text{"Credentials expire", "When must a credential be replaced? Time until the certificate " +
		"or token of a source expires, if that is known."}, left).Thresholds(below(30*86400, 7*86400)))

	b.row("Is everything read?")
	b.add(12, 8, b.series(text{"Behind by feed", "How far is each watermark behind now? The line stays level if " +
		"the feed keeps up."},
		b.age(metrics.Watermark, perFeed())).Thresholds(above(1800, 3600)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Delay of records", "How late do records come? From a call's end until its record " +
		"was first seen, median and 95th percentile."},
		b.spread(metrics.RecordDelay, perFeed(), isNot("feed", "active_calls"))...))
	b.add(12, 8, b.series(text{"Waits to be fetched", "Which records and spans must still be fetched or read again? " +
		"Those that failed while others were fetched are set aside and tried once a day."},
		b.value(metrics.Tasks, by("source", "feed", "state"))).Decimals(0))
	b.add(12, 8, b.series(text{"Missing by the provider's own total", "Distinct records read of a day (UTC) minus " +
		"the provider's total, if it has one. Below zero, records are missing."},
		b.value(metrics.ReconciliationDifference, by("source", "feed", "day"))).AxisCenteredZero(true))
	b.add(12, 8, b.stacked(text{"Rows by result", "Rows per minute by result. Reads overlap on " +
		"purpose: duplicates are normal and counted once. Invalid rows are malformed; the log says where."},
		b.flow(metrics.Rows, by("feed", "result"))))
	unmapped := b.orNone(b.flow(metrics.UnmappedValues, by("source", "feed", "field"))).as("new value: {{source}} " +
		"{{feed}} {{field}}")
	folded := b.flow(metrics.SeriesOverflow, by("source", "feed", "metric")).as("folded: {{source}} {{feed}} " +
		"{{metric}}")
	b.add(12, 8, b.stacked(text{"New values and folded series", "Is a split by label incomplete? Values that the " +
		"mapping doesn't know, whose calls count as unknown, and observations that went into a series called " +
		"overflow because of metrics.series_limit. Sums stay exact."}, unmapped, folded))

	b.row("What holds it up?")
	b.add(12, 8, b.stacked(text{"Requests by status", "Does the provider answer? Requests per minute by HTTP " +
		"status; error: no answer at all. 429 is the provider's limit."},
		b.flow(metrics.APIRequests, by("source", "code"))))
	b.add(12, 8, b.series(text{"Throttled", "Share of time that requests waited for the provider's limits; requests " +
		"that wait side by side add up."}, b.flow(metrics.APIThrottled, perFeed())).
		Thresholds(above(0.25, 0.5)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Clock offset", "The provider's clock minus ours. While they differ by more than two " +
		"minutes, the watermark moves up to the earlier one."}, b.value(metrics.ClockOffset, perFeed())).
		AxisCenteredZero(true))
	b.add(12, 8, b.stacked(text{"Log records by result", "Log records per minute: sent, refused by the endpoint and " +
		"set aside, or skipped."}, b.flow(metrics.OTLPRecords, by("result"))))
	owned := nonzero(b.value(metrics.FeedOwned, by("source", "feed", "instance")))
	b.add(24, 8, lanes(text{"Replicas", "Which replica read each feed when? If one lane ends and another lane of " +
		"the same feed begins, the feed moved."}, owned.as("{{source}} {{feed}}: {{instance}}")).
		ColorScheme(fixed("blue")))
	return b
}

func perFeed() []string { return by("source", "feed") }

// inUse is what waits in a queue of the outbox as a share of its limit.
func (b *board) inUse(waiting *metrics.Def) query {
	return share(b.value(waiting, by("job", "instance")), b.value(metrics.OutboxLimit, by("job", "instance")))
}
