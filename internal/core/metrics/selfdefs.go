package metrics

// The exporter's own metrics. They live as long as the process.
var (
	Polls = ofSelf(SourceFeed, Counter, "cdr_exporter_polls_total", "cdr.exporter.polls", "{poll}",
		"Reads of a feed by result.", "result").startingAt("ok", "error")
	APIRequests = ofSelf(SourceFeed, Counter, "cdr_exporter_api_requests_total", "cdr.exporter.api.requests",
		"{request}",
		"Requests to the provider by HTTP status, or error without one.", "code")
	APIRequestDuration = ofSelf(SourceFeed, Histogram, "cdr_exporter_api_request_duration_seconds",
		"cdr.exporter.api.request.duration", "s",
		"Time from a request to the provider to the end of its answer's header.").inBuckets(requestBounds, micros)
	APIThrottled = ofSelf(SourceFeed, Seconds, "cdr_exporter_api_throttled_seconds_total", "cdr.exporter.api.throttled",
		"s",
		"Time that requests waited for the provider's limits.")
	Rows = ofSelf(SourceFeed, Counter, "cdr_exporter_rows_total", "cdr.exporter.rows", "{row}",
		"Rows read, by what the exporter did with them.", "result").startingAt("new", "duplicate", "revised", "invalid",
		"ignored", "too_old")
	RecordDelay = ofSelf(SourceFeed, Histogram, "cdr_exporter_record_delay_seconds", "cdr.exporter.record.delay", "s",
		"Time from a call's end, or its start if it didn't connect, until its last record was first seen.").
		inBuckets(delayBounds, micros)
	Watermark = ofSelf(SourceFeed, Gauge, "cdr_exporter_watermark_timestamp_seconds",
		"cdr.exporter.watermark.timestamp", "s",
		"Every call that started before this time was looked for at least once.")
	NewestCall = ofSelf(SourceFeed, Gauge, "cdr_exporter_newest_call_timestamp_seconds",
		"cdr.exporter.newest_call.timestamp", "s",
		"Latest start of a call that was counted; 0 until the first.")
	LastSuccess = ofSelf(SourceFeed, Gauge, "cdr_exporter_last_success_timestamp_seconds",
		"cdr.exporter.last_success.timestamp", "s",
		"When the feed was last read without an error; 0 until the first time.")
	CatchingUp = ofSelf(SourceFeed, Gauge, "cdr_exporter_catching_up", "cdr.exporter.catching_up", "",
		"1 while the watermark is more than 10 minutes and 3 intervals behind.")
	Unreadable = ofSelf(SourceFeed, Gauge, "cdr_exporter_unreadable_seconds", "cdr.exporter.unreadable", "s",
		"Time that couldn't be read: the provider no longer keeps it, or fails on it while it serves other spans.")
	Tasks = ofSelf(SourceFeed, Gauge, "cdr_exporter_tasks", "cdr.exporter.tasks", "{task}",
		"Records and spans that wait to be fetched or read again, and those that were set aside because they "+
			"failed while others didn't.", "state").
		startingAt("waiting", "record_set_aside", "span_set_aside")
	CallsWaiting = ofSelf(SourceFeed, Gauge, "cdr_exporter_calls_waiting", "cdr.exporter.calls_waiting", "{call}",
		"Calls that wait for further legs before they are counted.").optional()
	CallsIncomplete = ofSelf(SourceFeed, Counter, "cdr_exporter_calls_incomplete_total",
		"cdr.exporter.calls_incomplete", "{call}",
		"Calls that were counted with a leg missing or open, because whole_after had passed or too many calls waited.").
		optional()
	ClockOffset = ofSelf(SourceFeed, Gauge, "cdr_exporter_clock_offset_seconds", "cdr.exporter.clock.offset", "s",
		"The provider's clock minus the local one, by its Date header.")
	FeedOwned = ofSelf(SourceFeed, Gauge, "cdr_exporter_feed_owned", "cdr.exporter.feed_owned", "",
		"1 if this process reads the feed, 0 if another replica should.")
	CredentialExpiry = ofSelf(SourceOnly, Gauge, "cdr_exporter_credential_expiry_timestamp_seconds",
		"cdr.exporter.credential.expiry.timestamp", "s",
		"When the source's certificate or its token of authority expires.").optional()
	OTLPRecords = ofSelf(NoBase, Counter, "cdr_exporter_otlp_records_total", "cdr.exporter.otlp.records", "{record}",
		"Log records for the OTLP endpoint, by result.", "result").startingAt("sent", "rejected", "skipped")
	OTLPSpans = ofSelf(NoBase, Counter, "cdr_exporter_otlp_spans_total", "cdr.exporter.otlp.spans", "{span}",
		"Spans for the OTLP endpoint, by result.", "result").startingAt("sent", "rejected", "skipped")
	OutboxRecords = ofSelf(NoBase, Gauge, "cdr_exporter_otlp_outbox_records", "cdr.exporter.otlp.outbox.records",
		"{record}",
		"Log records that wait to be sent.")
	OutboxSpans = ofSelf(NoBase, Gauge, "cdr_exporter_otlp_outbox_spans", "cdr.exporter.otlp.outbox.spans", "{span}",
		"Spans that wait to be sent.")
	OutboxLimit = ofSelf(NoBase, Gauge, "cdr_exporter_otlp_outbox_limit_records",
		"cdr.exporter.otlp.outbox.limit.records", "{record}",
		"Limit of waiting log records, and of waiting spans (otlp.outbox_limit); 0 while none are sent.")
	OutboxOldest = ofSelf(NoBase, Gauge, "cdr_exporter_otlp_outbox_oldest_timestamp_seconds",
		"cdr.exporter.otlp.outbox.oldest.timestamp", "s",
		"When the oldest waiting log record or span was made; absent while none waits.").optional()
	SeriesCount = ofSelf(SourceFeed, Gauge, "cdr_exporter_series", "cdr.exporter.series", "{series}",
		"Series in the ledger by metric.", "metric").optional()
	SeriesOverflow = ofSelf(SourceFeed, Counter, "cdr_exporter_series_overflow_total", "cdr.exporter.series_overflow",
		"{observation}",
		"Observations that were folded into an overflow series (metrics.series_limit), or that didn't fit into a sum.",
		"metric")
	CommitDuration = ofSelf(NoBase, Histogram, "cdr_exporter_ledger_commit_duration_seconds",
		"cdr.exporter.ledger.commit.duration", "s",
		"Duration of the ledger's commits.").inBuckets(commitBounds, micros)
	LedgerSize = ofSelf(NoBase, Gauge, "cdr_exporter_ledger_size_bytes", "cdr.exporter.ledger.size", "By",
		"Size of the ledger's files, including the write-ahead log.")
	LedgerCreated = ofSelf(NoBase, Gauge,
		"cdr_exporter_ledger_created_timestamp_seconds", "cdr.exporter.ledger.created.timestamp", "s",
		"When the ledger was created.")
	LedgerReplaced = ofSelf(NoBase, Gauge, "cdr_exporter_ledger_replaced", "cdr.exporter.ledger.replaced", "",
		"1 if the ledger's files were removed or replaced while they were open; the exporter then reads "+
			"nothing until it is restarted.")
	LedgerFree = ofSelf(NoBase, Gauge, "cdr_exporter_ledger_free_bytes", "cdr.exporter.ledger.free", "By",
		"Free space of the ledger's file system; absent if the system doesn't say.").optional()
	ActiveCalls = ofSelf(RecordBase, Gauge, "cdr_active_calls", "cdr.active_calls", "{call}",
		"Calls in progress, as of the last read; absent after three failed reads, or if one is five minutes overdue.",
		"direction").optional()
	ProviderCharges = ofSelf(SourceFeed, Gauge, "cdr_exporter_provider_charges", "cdr.exporter.provider.charges",
		"{currency}",
		"The provider's own sum of a day's charges (UTC), when the day was last read completely.", "day", "currency").
		optional()
	ProviderRecords = ofSelf(SourceFeed, Gauge, "cdr_exporter_provider_records", "cdr.exporter.provider.records",
		"{record}",
		"The provider's own total of a day's records (UTC), when the day was last read completely.", "day").optional()
	ReconciliationDifference = ofSelf(SourceFeed, Gauge, "cdr_exporter_reconciliation_difference",
		"cdr.exporter.reconciliation.difference", "{record}",
		"Distinct records read of a day (UTC) minus the provider's own total for the same query.", "day").optional()
	ReconciliationCharges = ofSelf(SourceFeed, Gauge, "cdr_exporter_reconciliation_charges_difference",
		"cdr.exporter.reconciliation.charges.difference", "{currency}",
		"Counted charges of a day (UTC) minus the provider's own sum.", "day", "currency").optional()
	AuditDifference = ofSelf(SourceFeed, Gauge, "cdr_exporter_audit_difference_records",
		"cdr.exporter.audit.difference.records", "{record}",
		"Records that the provider lists and that aren't counted (missing), or with another amount (amount), "+
			"by the feed's audits of the last day; absent until the first.", "difference").optional()
	AuditTime = ofSelf(SourceFeed, Gauge, "cdr_exporter_audit_timestamp_seconds", "cdr.exporter.audit.timestamp", "s",
		"When the feed's newest audit began; absent until the first.").optional()
	SubscriptionExpiry = ofSelf(SourceOnly, Gauge, "cdr_subscription_expiry_timestamp_seconds",
		"cdr.subscription.expiry.timestamp", "s",
		"When the source's subscription to notifications ends; absent while there is none.").optional()
	SubscriptionLastNotification = ofSelf(SourceOnly, Gauge, "cdr_subscription_last_notification_timestamp_seconds",
		"cdr.subscription.last_notification.timestamp", "s",
		"When a notification was last accepted; absent until the first.").optional()
	Notifications = ofSelf(SourceOnly, Counter, "cdr_notifications_total", "cdr.notifications", "{notification}",
		"Notifications received (not requests), by result.", "result").startingAt("accepted", "duplicate", "forged",
		"invalid", "refused")
	UnmappedValues = ofSelf(SourceFeed, Counter, "cdr_exporter_unmapped_values_total", "cdr.exporter.unmapped_values",
		"{value}",
		"Provider's values that the mapping doesn't know, by field; each record counts once.", "field").
		startingAt("") // which fields there are is the provider's to say
	ReloadSuccessful = ofSelf(NoBase, Gauge, "cdr_exporter_config_last_reload_successful",
		"cdr.exporter.config.last_reload.successful", "",
		"1 if the last load of the configuration succeeded.")
	ReloadSuccess = ofSelf(NoBase, Gauge, "cdr_exporter_config_last_reload_success_timestamp_seconds",
		"cdr.exporter.config.last_reload.success.timestamp", "s",
		"When the configuration was last loaded.")
)
