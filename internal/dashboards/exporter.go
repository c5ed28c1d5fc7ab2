package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/rules"
)

// exporter answers: is the exporter itself well, and what holds it up?
func exporter(with *rules.Parameters) *board {
	b := newBoard(with, "exporter", "Exporter", "The exporter itself: whether feeds are read, what providers allow, delays, duplicates, what waits to be sent, and the ledger.", "now-6h")
	b.chooseExporter()
	b.choose("source", "Source", ".+", "Source of the configuration.", metrics.Polls)
	b.add(4, 4, b.number(text{"Last read", "How long ago a feed was last read without an error; of all feeds the longest."},
		b.age(metrics.LastSuccess, nil)).Thresholds(above(900, 3600)))
	b.add(4, 4, b.number(text{"Behind", "How far a watermark is behind now; of all feeds the farthest."}, b.age(metrics.Watermark, nil)).
		Thresholds(above(1800, 3600)))
	b.add(4, 4, b.number(text{"Catching up", "Whether any feed's watermark is far behind; meanwhile rates tell of the past."}, b.value(metrics.CatchingUp, nil)).
		Unit(units.BoolYesNo).Thresholds(never(1)))
	b.add(4, 4, b.number(text{"Reads that failed", "Share of reads that ended with an error, in the time shown."},
		share(b.total(metrics.Polls, nil, is("result", "error")), b.total(metrics.Polls, nil))).Decimals(1).Thresholds(above(0.05, 0.5)))
	inUse, spansInUse := b.inUse(metrics.OutboxRecords), b.inUse(metrics.OutboxSpans)
	inUse.expr, inUse.by = "max ("+inUse.expr+" >= "+spansInUse.expr+" or "+spansInUse.expr+")", nil
	b.add(4, 4, b.number(text{"Outbox in use", "Log records that wait, or spans if more do, as a share of otlp.outbox_limit, of the fullest exporter; 0 while none are sent. At the limit reading pauses, or they are skipped, as is configured."},
		b.orNone(inUse)).Decimals(1).Thresholds(above(0.1, 0.8)))
	b.add(4, 4, b.number(text{"Configuration in force", "Whether the last load of the configuration succeeded; after one that failed the one before goes on."}, b.value(metrics.ReloadSuccessful, nil)).
		Unit(units.BoolYesNo).Thresholds(below(1, 1)))

	b.row("Reads")
	b.add(12, 8, b.stacked(text{"Reads by result", "Reads of feeds per minute."}, b.flow(metrics.Polls, by("source", "feed", "result"))))
	b.add(12, 8, b.series(text{"Behind by feed", "How far each watermark is behind now. It trails by what the provider needs to publish, then stays level."},
		b.age(metrics.Watermark, perFeed())).Thresholds(above(1800, 3600)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Last read without an error", "How long ago."}, b.age(metrics.LastSuccess, perFeed())).
		Thresholds(above(900, 3600)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Catching up by feed", "1 while the watermark is more than 10 minutes and 3 intervals behind."}, b.value(metrics.CatchingUp, perFeed())).Max(1))
	b.add(8, 8, b.series(text{"Waits to be fetched", "What is known of and still to be fetched or read again. What is set aside failed while others were fetched; it is tried once a day."},
		b.value(metrics.Tasks, by("source", "feed", "state"))).Decimals(0))
	b.add(8, 8, b.series(text{"Calls that wait", "Calls that count once they are whole: until then a further leg may come. " +
		"Their charges and outbound attempts count at once."},
		b.value(metrics.CallsWaiting, perFeed())).Decimals(0))
	b.add(8, 8, b.stacked(text{"Calls that counted incomplete", "Calls of each bar that counted although a leg was missing or hadn't ended: " +
		"whole_after had passed, or too many calls waited."},
		b.orNone(b.flow(metrics.CallsIncomplete, perFeed())).as("{{source}} {{feed}}")))
	b.add(12, 8, b.series(text{"Time that can't be read", "Length of the range that was due but that the provider no longer keeps. Those calls are missing for good."},
		b.value(metrics.Unreadable, perFeed())).Thresholds(never(1)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Age of the newest call by feed", "How long ago the latest call that was counted began."}, b.age(metrics.NewestCall, perFeed())))

	b.row("Provider's interface")
	b.add(12, 8, b.stacked(text{"Requests by status", "Requests to providers per minute by HTTP status; error: no answer at all. 429 is the provider's limit."},
		b.flow(metrics.APIRequests, by("source", "code"))))
	b.add(12, 8, b.series(text{"Throttled", "Share of time that requests waited for the provider's limits; requests that wait side by side add up."}, b.flow(metrics.APIThrottled, perFeed())).
		Thresholds(above(0.25, 0.5)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Request duration", "Time to the end of an answer's header, median and 95th percentile."},
		b.spread(metrics.APIRequestDuration, by("source"))...))
	b.add(12, 8, b.series(text{"Clock offset", "The provider's clock minus ours. Lateness is only as right as the clocks."}, b.value(metrics.ClockOffset, perFeed())).
		AxisCenteredZero(true))

	b.row("Records")
	b.add(12, 8, b.stacked(text{"Rows by result", "Rows per minute by what became of them. Reads overlap on purpose: duplicates are no fault and are counted once."},
		b.flow(metrics.Rows, by("feed", "result"))))
	b.add(12, 8, b.series(text{"Delay of records", "From a call's end until its record was first seen, median and 95th percentile."},
		b.spread(metrics.RecordDelay, perFeed(), isNot("feed", "active_calls"))...))
	b.add(8, 8, b.stacked(text{"Rows that are invalid", "Malformed rows of each bar. Each is logged once, with its position and without its content."},
		b.counted(metrics.Rows, perFeed(), is("result", "invalid"))))
	b.add(8, 8, b.stacked(text{"Values that are new", "Values of each bar that the mapping doesn't know, by field. Their calls are counted as unknown."},
		b.orNone(b.flow(metrics.UnmappedValues, by("source", "feed", "field"))).as("{{source}} {{feed}} {{field}}")))
	b.add(8, 8, b.series(text{"Missing by the provider's own total", "Distinct records read of a day (UTC) minus the provider's total, of providers that have one. Below zero records are missing."},
		b.value(metrics.ReconciliationDifference, by("source", "feed", "day"))).AxisCenteredZero(true))
	b.add(8, 8, b.series(text{"Records of a day by the provider", "The provider's own total, when the day was last read completely."}, b.value(metrics.ProviderRecords, by("source", "feed", "day"))))
	b.add(4, 8, b.series(text{"Charges of a day by the provider", "What the provider says that a day's calls cost, of providers that say so."},
		b.value(metrics.ProviderCharges, by("source", "feed", "day", "currency"))))
	b.add(4, 8, b.series(text{"Charges beyond those of the provider", "Counted charges of a day (UTC) minus what the provider says that its calls cost."},
		b.value(metrics.ReconciliationCharges, by("source", "feed", "day", "currency"))).AxisCenteredZero(true))
	b.add(8, 8, b.stacked(text{"Lookups of your labels", "Lookups of each bar by whether the call had a value. Misses are calls whose key the file doesn't have."},
		b.flow(metrics.LabelLookups, by("label", "result"))))
	b.add(4, 8, b.number(text{"Missing by the newest audit", "Records that `cdr-exporter audit` found listed by the provider and not counted, when it last looked."},
		b.value(metrics.AuditMissing, perFeed())).Decimals(0).Thresholds(never(1)))
	b.add(4, 8, b.number(text{"Age of the newest audit", "How long ago it began."}, b.age(metrics.AuditTime, perFeed())))
	b.add(8, 8, b.series(text{"Series in the ledger", "Label sets by metric, the ten metrics that have most."}, top(10, b.value(metrics.SeriesCount, by("source", "feed", "metric")))))
	b.add(8, 8, b.stacked(text{"Series folded", "Observations of each bar that went into a series called overflow because of metrics.series_limit. Sums stay exact."},
		b.orNone(b.flow(metrics.SeriesOverflow, by("source", "feed", "metric"))).as("{{source}} {{feed}} {{metric}}")).
		Thresholds(never(1)).ThresholdsStyle(dashed()))

	b.row("Notifications and credentials")
	b.add(6, 8, b.stacked(text{"Notifications", "Notifications per minute by what became of them; forged ones came without our secret."}, b.flow(metrics.Notifications, by("source", "result"))))
	b.add(6, 8, b.series(text{"Last notification", "How long ago a notification was last accepted. A subscription that lives and is silent proves nothing: compare the newest call."},
		b.age(metrics.SubscriptionLastNotification, by("source"))))
	b.add(6, 8, b.number(text{"Subscription ends", "Time until the subscription ends. It is renewed long before."}, b.ahead(metrics.SubscriptionExpiry, by("source"))).
		Thresholds(below(3600, 600)))
	b.add(6, 8, b.number(text{"Credentials expire", "Time until the certificate or token of authority of a source expires; of those that say so."}, b.ahead(metrics.CredentialExpiry, by("source"))).
		Thresholds(below(30*86400, 7*86400)))

	b.row("Log records and spans")
	b.add(6, 8, b.series(text{"Outbox", "Log records and spans that wait to be sent."}, b.value(metrics.OutboxRecords, nil).as("log records"), b.value(metrics.OutboxSpans, nil).as("spans")).Decimals(0))
	b.add(6, 8, b.series(text{"Age of the outbox", "How long the oldest waiting log record or span waits; 0 while none does."},
		b.orNone(b.age(metrics.OutboxOldest, nil)).as("oldest")).Thresholds(above(300, 3600)).ThresholdsStyle(dashed()))
	b.add(6, 8, b.stacked(text{"Log records by result", "Log records per minute: sent, refused by the endpoint and set aside, or skipped."}, b.flow(metrics.OTLPRecords, by("result"))))
	b.add(6, 8, b.stacked(text{"Spans by result", "Spans per minute: sent, refused by the endpoint and set aside, or skipped."}, b.flow(metrics.OTLPSpans, by("result"))))

	b.row("Replicas")
	// With one process all is read by that.
	unowned := b.value(metrics.FeedOwned, perFeed())
	unowned.expr, unowned.by = "sum (1 - "+unowned.expr+")", nil
	b.add(4, 8, b.number(text{"Feeds without an owner", "Feeds that no replica reads now. A move takes up to 15 seconds."}, unowned).Decimals(0).Thresholds(never(1)))
	owned := nonzero(b.value(metrics.FeedOwned, by("source", "feed", "instance")))
	b.add(8, 8, b.table(text{"Who reads what", "The replica that reads each feed now."}, owned.as("Owned")))
	b.add(12, 8, lanes(text{"Moves", "Who read each feed when: where one lane ends and another one of the same feed begins, it moved."}, owned.as("{{source}} {{feed}}: {{instance}}")).
		ColorScheme(fixed("blue")))

	b.row("Ledger and process")
	b.add(8, 8, b.series(text{"Size of the ledger", "The ledger's files, the write-ahead log included, and the room that is left where they are."},
		b.value(metrics.LedgerSize, by("instance")), b.value(metrics.LedgerFree, by("instance"))))
	b.add(8, 8, b.series(text{"Commits", "Time that a commit took, median and 95th percentile."},
		b.spread(metrics.CommitDuration, by("instance"))...))
	b.add(8, 8, b.series(text{"Age of the configuration", "How long ago it was last loaded."}, b.age(metrics.ReloadSuccess, by("instance"))))
	version := b.value(buildInfo, by("instance", "version", "goversion"))
	b.add(8, 8, b.table(text{"Version", "What runs, where it is scraped."}, version.as("Processes")))
	b.add(8, 8, b.series(text{"Ledger removed or replaced", "1 from when that was noticed until the exporter is started again; it reads nothing meanwhile."},
		b.value(metrics.LedgerReplaced, by("instance"))).Thresholds(above(1, 1)))
	age := b.age(metrics.LedgerCreated, by("instance"))
	b.add(8, 8, b.series(text{"Age of the ledger", "How long ago it was made: its counters have counted since then."}, age))
	return b
}

func perFeed() []string { return by("source", "feed") }

// inUse is what waits in a queue of the outbox as a share of its limit.
func (b *board) inUse(waiting *metrics.Def) query {
	return share(b.value(waiting, by("job", "instance")), b.value(metrics.OutboxLimit, by("job", "instance")))
}
