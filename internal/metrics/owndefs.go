package metrics

// The exporter's own metrics. They live as long as the process.
var (
	Polls = &Def{
		Name: "cdr_exporter_polls_total", OTel: "cdr.exporter.polls", Unit: "{poll}", Kind: Counter, Base: SourceFeed,
		Help: "Reads of a feed by result.", Labels: labels("result"), Zeros: []string{"ok", "error"},
	}
	APIRequests = &Def{
		Name: "cdr_exporter_api_requests_total", OTel: "cdr.exporter.api.requests", Unit: "{request}", Kind: Counter, Base: SourceFeed,
		Help: "Requests to the provider by HTTP status, or error without one.", Labels: labels("code"),
	}
	APIRequestDuration = &Def{
		Name: "cdr_exporter_api_request_duration_seconds", OTel: "cdr.exporter.api.request.duration", Unit: "s", Kind: Histogram, Base: SourceFeed,
		Help: "Time from a request to the provider to the end of its answer's header.", Bounds: requestBounds, Scale: micros,
	}
	APIThrottled = &Def{
		Name: "cdr_exporter_api_throttled_seconds_total", OTel: "cdr.exporter.api.throttled", Unit: "s", Kind: Seconds, Base: SourceFeed,
		Help: "Time that requests waited for the provider's limits.", Scale: micros,
	}
	Rows = &Def{
		Name: "cdr_exporter_rows_total", OTel: "cdr.exporter.rows", Unit: "{row}", Kind: Counter, Base: SourceFeed,
		Help: "Rows read by what became of them.", Labels: labels("result"),
		Zeros: []string{"new", "duplicate", "revised", "invalid", "ignored", "too_old"},
	}
	RecordDelay = &Def{
		Name: "cdr_exporter_record_delay_seconds", OTel: "cdr.exporter.record.delay", Unit: "s", Kind: Histogram, Base: SourceFeed,
		Help: "Time from a call's end until its record was first seen.", Bounds: delayBounds, Scale: micros,
	}
	Watermark = &Def{
		Name: "cdr_exporter_watermark_timestamp_seconds", OTel: "cdr.exporter.watermark.timestamp", Unit: "s", Kind: Gauge, Base: SourceFeed,
		Help: "Every call that started before this time has been looked for at least once.",
	}
	NewestCall = &Def{
		Name: "cdr_exporter_newest_call_timestamp_seconds", OTel: "cdr.exporter.newest_call.timestamp", Unit: "s", Kind: Gauge, Base: SourceFeed,
		Help: "Latest start of a call that was counted; 0 until the first.",
	}
	LastSuccess = &Def{
		Name: "cdr_exporter_last_success_timestamp_seconds", OTel: "cdr.exporter.last_success.timestamp", Unit: "s", Kind: Gauge, Base: SourceFeed,
		Help: "When the feed was last read without an error; 0 until the first time.",
	}
	CatchingUp = &Def{
		Name: "cdr_exporter_catching_up", OTel: "cdr.exporter.catching_up", Kind: Gauge, Base: SourceFeed,
		Help: "1 while the watermark is more than 10 minutes and 3 intervals behind.",
	}
	Unreadable = &Def{
		Name: "cdr_exporter_unreadable_seconds", OTel: "cdr.exporter.unreadable", Unit: "s", Kind: Gauge, Base: SourceFeed,
		Help: "How much time couldn't be read: what the provider no longer keeps, and what it can't give while it gives other spans.",
	}
	Tasks = &Def{
		Name: "cdr_exporter_tasks", OTel: "cdr.exporter.tasks", Unit: "{task}", Kind: Gauge, Base: SourceFeed,
		Help: "What waits to be fetched or read again, and what was set aside because it failed while others didn't.", Labels: labels("state"),
		Zeros: []string{"waiting", "set_aside"},
	}
	ClockOffset = &Def{
		Name: "cdr_exporter_clock_offset_seconds", OTel: "cdr.exporter.clock.offset", Unit: "s", Kind: Gauge, Base: SourceFeed,
		Help: "The provider's clock minus ours, by its Date header.",
	}
	FeedOwned = &Def{
		Name: "cdr_exporter_feed_owned", OTel: "cdr.exporter.feed_owned", Kind: Gauge, Base: SourceFeed,
		Help: "1 if this process reads the feed, 0 if another replica is to.",
	}
	CredentialExpiry = &Def{
		Name: "cdr_exporter_credential_expiry_timestamp_seconds", OTel: "cdr.exporter.credential.expiry.timestamp", Unit: "s", Kind: Gauge, Base: SourceOnly,
		Help: "When the source's certificate or token of authority expires.", Optional: true,
	}
	OTLPRecords = &Def{
		Name: "cdr_exporter_otlp_records_total", OTel: "cdr.exporter.otlp.records", Unit: "{record}", Kind: Counter,
		Help: "Log records by what became of them at the OTLP endpoint.", Labels: labels("result"),
		Zeros: []string{"sent", "rejected", "skipped"},
	}
	OutboxRecords = &Def{
		Name: "cdr_exporter_otlp_outbox_records", OTel: "cdr.exporter.otlp.outbox.records", Unit: "{record}", Kind: Gauge,
		Help: "Log records that wait to be sent.",
	}
	OutboxLimit = &Def{
		Name: "cdr_exporter_otlp_outbox_limit_records", OTel: "cdr.exporter.otlp.outbox.limit.records", Unit: "{record}", Kind: Gauge,
		Help: "How many log records may wait (otlp.outbox_limit); 0 while none are sent.",
	}
	OutboxOldest = &Def{
		Name: "cdr_exporter_otlp_outbox_oldest_timestamp_seconds", OTel: "cdr.exporter.otlp.outbox.oldest.timestamp", Unit: "s", Kind: Gauge,
		Help: "When the oldest waiting log record was counted; absent while the outbox is empty.", Optional: true,
	}
	SeriesCount = &Def{
		Name: "cdr_exporter_series", OTel: "cdr.exporter.series", Unit: "{series}", Kind: Gauge, Base: SourceFeed,
		Help: "Series that the ledger keeps by metric.", Labels: labels("metric"), Optional: true,
	}
	SeriesOverflow = &Def{
		Name: "cdr_exporter_series_overflow_total", OTel: "cdr.exporter.series_overflow", Unit: "{observation}", Kind: Counter, Base: SourceFeed,
		Help: "Observations folded into an overflow series because of metrics.series_limit.", Labels: labels("metric"),
	}
	CommitDuration = &Def{
		Name: "cdr_exporter_ledger_commit_duration_seconds", OTel: "cdr.exporter.ledger.commit.duration", Unit: "s", Kind: Histogram,
		Help: "Time that a commit of the ledger took.", Bounds: commitBounds, Scale: micros,
	}
	LedgerSize = &Def{
		Name: "cdr_exporter_ledger_size_bytes", OTel: "cdr.exporter.ledger.size", Unit: "By", Kind: Gauge,
		Help: "Size of the ledger's files, the write-ahead log included.",
	}
	LedgerFree = &Def{
		Name: "cdr_exporter_ledger_free_bytes", OTel: "cdr.exporter.ledger.free", Unit: "By", Kind: Gauge,
		Help: "Free space where the ledger's files are; absent where the system doesn't say.", Optional: true,
	}
	ActiveCalls = &Def{
		Name: "cdr_active_calls", OTel: "cdr.active_calls", Unit: "{call}", Kind: Gauge, Base: RecordBase,
		Help: "Calls in progress, as of the last read; absent after three failed reads.", Labels: labels("direction"), Optional: true,
	}
	ProviderRecords = &Def{
		Name: "cdr_exporter_provider_records", OTel: "cdr.exporter.provider.records", Unit: "{record}", Kind: Gauge, Base: SourceFeed,
		Help: "Records of a day (UTC) by the provider's own total, when the day was last read completely.", Labels: labels("day"), Optional: true,
	}
	ReconciliationDifference = &Def{
		Name: "cdr_exporter_reconciliation_difference", OTel: "cdr.exporter.reconciliation.difference", Unit: "{record}", Kind: Gauge, Base: SourceFeed,
		Help: "Distinct records read of a day (UTC) minus the provider's own total for the same query.", Labels: labels("day"), Optional: true,
	}
	SubscriptionExpiry = &Def{
		Name: "cdr_subscription_expiry_timestamp_seconds", OTel: "cdr.subscription.expiry.timestamp", Unit: "s", Kind: Gauge, Base: SourceOnly,
		Help: "When the source's subscription to notifications ends; absent while there is none.", Optional: true,
	}
	SubscriptionLastNotification = &Def{
		Name: "cdr_subscription_last_notification_timestamp_seconds", OTel: "cdr.subscription.last_notification.timestamp", Unit: "s", Kind: Gauge, Base: SourceOnly,
		Help: "When a notification was last accepted; absent until the first.", Optional: true,
	}
	Notifications = &Def{
		Name: "cdr_notifications_total", OTel: "cdr.notifications", Unit: "{notification}", Kind: Counter, Base: SourceOnly,
		Help: "Notifications received, not requests, by what became of them.", Labels: labels("result"),
		Zeros: []string{"accepted", "duplicate", "forged", "invalid"},
	}
	UnmappedValues = &Def{
		Name: "cdr_exporter_unmapped_values_total", OTel: "cdr.exporter.unmapped_values", Unit: "{value}", Kind: Counter, Base: SourceFeed,
		Help: "Values of the provider's that the mapping doesn't know, by field.", Labels: labels("field"),
		Zeros: []string{""}, // which fields there are is the provider's to say
	}
	ReloadSuccessful = &Def{
		Name: "cdr_exporter_config_last_reload_successful", OTel: "cdr.exporter.config.last_reload.successful", Kind: Gauge,
		Help: "1 if the last load of the configuration succeeded.",
	}
	ReloadSuccess = &Def{
		Name: "cdr_exporter_config_last_reload_success_timestamp_seconds", OTel: "cdr.exporter.config.last_reload.success.timestamp", Unit: "s", Kind: Gauge,
		Help: "When the configuration was last loaded.",
	}
)

// OwnCatalogue are the exporter's own metrics.
func OwnCatalogue() []*Def {
	return []*Def{
		Polls, APIRequests, APIRequestDuration, APIThrottled, Rows, RecordDelay, Watermark, NewestCall, LastSuccess,
		CatchingUp, Unreadable, Tasks, ClockOffset, FeedOwned, CredentialExpiry, OTLPRecords, OutboxRecords, OutboxLimit, OutboxOldest, SeriesCount,
		SeriesOverflow, CommitDuration, LedgerSize, LedgerFree, SubscriptionExpiry, SubscriptionLastNotification, Notifications,
		UnmappedValues, ActiveCalls, ProviderRecords, ReconciliationDifference, ReloadSuccessful, ReloadSuccess,
	}
}
