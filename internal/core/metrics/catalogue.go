package metrics

// The bucket bounds of docs/metrics.md.
var (
	durationBounds = []float64{1, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400}
	setupBounds    = []float64{0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 90}
	delayBounds    = []float64{10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 259200}
	requestBounds  = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}
	waitBounds     = []float64{5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600}
	commitBounds   = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}
)

// The metrics that come from records. The labels follow the help text in ofRecords; a name that
// ends in `*` is an open label.
var (
	Calls = ofRecords(Counter, "cdr_calls_total", "cdr.calls", "{call}",
		"Calls, each counted once.", "direction", "call_type*", "outcome", "trunk*", "late").withOperatorLabels()
	CallFailures = ofRecords(Counter, "cdr_call_failures_total", "cdr.call.failures", "{call}",
		"Calls that neither a person nor voicemail nor a machine answered. Alert on outcome failed, not on "+
			"the plain rate.",
		"direction", "trunk*", "outcome", "sip_code*", "sub_code*", "reason*", "fault_domain", "late").
		withExemplars().withOperatorLabels()
	CallDuration = ofRecords(Histogram, "cdr_call_duration_seconds", "cdr.call.duration", "s",
		"How long people talked in answered calls, as the provider measures it.", "direction", "call_type*", "trunk*").
		inBuckets(durationBounds, micros).withExemplars()
	ConnectedSeconds = ofRecords(Seconds, "cdr_call_connected_seconds_total", "cdr.call.connected", "s",
		"Connected time of calls, including voicemail and machines, by the other party's country.", "direction",
		"call_type*", "trunk*", "country*").withOperatorLabels()
	CallSetup = ofRecords(Histogram, "cdr_call_setup_seconds", "cdr.call.setup", "s",
		"Invite to answer of connected calls: time to answer outbound, time to forward inbound.", "direction",
		"trunk*").inBuckets(setupBounds, micros)
	CallCharges = ofRecords(Money, "cdr_call_charges_total", "cdr.call.charges", "{currency}",
		"Money charged for calls by component, as first known.", "direction", "call_type*", "currency", "component",
		"country*").withOperatorLabels()
	ChargeCorrections = ofRecords(Money, "cdr_call_charge_corrections_total", "cdr.call.charge.corrections",
		"{currency}",
		"Later changes of charges: debit costs more, credit costs less. Net is charges plus debit minus credit.",
		"direction", "call_type*", "currency", "component", "country*", "sign").withOperatorLabels()
	OutcomeChanges = ofRecords(Counter, "cdr_call_outcome_changes_total", "cdr.call.outcome.changes", "{call}",
		"Calls whose outcome the provider changed after they were counted.", "from", "to")
	MediaBypassCalls = ofRecords(Counter, "cdr_media_bypass_calls_total", "cdr.media_bypass_calls", "{call}",
		"Calls whose records say whether media bypassed the provider's processors.", "trunk*", "media_bypass")
	MediaBypassRatio = ofRecords(Gauge, "cdr_media_bypass_ratio", "cdr.media_bypass_ratio", "1",
		"Share of calls with media bypass, among calls that record it and were first seen in the trailing window.",
		"trunk*")
	PeakConcurrency = ofRecords(Gauge, "cdr_call_peak_concurrency", "cdr.call.peak_concurrency", "{call}",
		"Most calls connected at once in the hour that ends late_after before the watermark.", "trunk*")
	// The ledger keeps the last attempts under RecentAttempts; the other three gauges come from the
	// same value (lastattempts.go).
	RecentAttempts = ofRecords(Gauge, "cdr_recent_attempts", "cdr.recent.attempts", "{call}",
		"Number of kept attempts: the last 64, by their start.", "direction", "trunk*")
	RecentFaults = ofRecords(Gauge, "cdr_recent_faults", "cdr.recent.faults", "{call}",
		"Number of the last 64 attempts with outcome failed; absent if records don't say why a call didn't connect.",
		"direction", "trunk*")
	RecentConnected = ofRecords(Gauge, "cdr_recent_connected", "cdr.recent.connected", "{call}",
		"Number of the last 64 attempts that a person, voicemail or a machine answered.", "direction", "trunk*")
	RecentNewest = ofRecords(Gauge, "cdr_recent_newest_timestamp_seconds", "cdr.recent.newest.timestamp", "s",
		"Latest start of the last 64 attempts.", "direction", "trunk*")
	CallsByLocation = ofRecords(Counter, "cdr_calls_by_location_total", "cdr.calls_by_location", "{call}",
		"Calls by the locations of media and signalling.", "media_location*", "signaling_location*")
	CallsByCountry = ofRecords(Counter, "cdr_calls_by_country_total", "cdr.calls_by_country", "{call}",
		"Call records by the other party's country and kind of number, and whether they connected; shows fraud.",
		"direction", "country*", "number_class", "connected")
	EmergencyCalls = ofRecords(Counter, "cdr_emergency_calls_total", "cdr.emergency_calls", "{call}",
		"Outbound calls to emergency services; test is true for a test number. Records come late, so don't "+
			"use this as an emergency notification.", "outcome", "test")
	Recordings = ofRecords(Counter, "cdr_recordings_total", "cdr.recordings", "{recording}",
		"Recordings attached to calls.", "type*")
	CallLegs = ofRecords(Counter, "cdr_call_legs_total", "cdr.call.legs", "{leg}",
		"Legs: attempts to connect a call to one party.", "direction", "trunk*", "leg_type*", "outcome")
	TrunkSeconds = ofRecords(Seconds, "cdr_trunk_connected_seconds_total", "cdr.trunk_connected", "s",
		"Time in which calls occupied a trunk, which its carrier bills.", "trunk*", "direction")
	QueueCalls = ofRecords(Counter, "cdr_queue_calls_total", "cdr.queue_calls", "{visit}",
		"Callers' visits to queues, each counted once, by how it ended. They aren't counted as calls.", "queue*",
		"result")
	QueueWait = ofRecords(Histogram, "cdr_queue_wait_seconds", "cdr.queue_wait", "s",
		"How long callers waited in a queue until the answer or until they left, if known.", "queue*", "result").
		inBuckets(waitBounds, micros)
)

// The bucket bounds for media. Ratios are kept in billionths (counting.md 24).
var (
	jitterBounds    = []float64{0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5}
	roundTripBounds = []float64{0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2}
	lossBounds      = []float64{0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5}
	mosBounds       = []float64{2, 2.5, 3, 3.3, 3.6, 3.8, 4, 4.2, 4.3, 4.4}
	concealedBounds = []float64{0.005, 0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.5}
)

// The metrics of sessions and of the quality of their media.
var (
	Sessions = ofRecords(Counter, "cdr_sessions_total", "cdr.sessions", "{session}",
		"Sessions of calls, each counted once; dropped means failed in mid-call.", "result", "media")
	SessionFailures = ofRecords(Counter, "cdr_session_failures_total", "cdr.session.failures", "{session}",
		"Failed sessions by stage and reason.", "stage", "reason*")
	MediaStreams = ofRecords(Counter, "cdr_media_streams_total", "cdr.media.streams", "{stream}",
		"Media streams by the provider's published classification; poor judges the network, not what people heard.",
		"media", "media_direction", "network*", "platform*", "verdict").withStreamLabels()
	MediaJitter = ofRecords(Histogram, "cdr_media_jitter_seconds", "cdr.media.jitter", "s",
		"Average jitter of media streams.", "media", "media_direction", "network*").withStreamLabels().
		inBuckets(jitterBounds, micros)
	MediaRoundTrip = ofRecords(Histogram, "cdr_media_round_trip_seconds", "cdr.media.round_trip", "s",
		"Average round trip time of media streams.", "media", "media_direction", "network*").withStreamLabels().
		inBuckets(roundTripBounds, micros)
	MediaPacketLoss = ofRecords(Histogram, "cdr_media_packet_loss_ratio", "cdr.media.packet_loss.ratio", "1",
		"Average share of lost packets of media streams.", "media", "media_direction", "network*").withStreamLabels().
		inBuckets(lossBounds, billionths)
	MediaConcealed = ofRecords(Histogram, "cdr_media_concealed_ratio", "cdr.media.concealed.ratio", "1",
		"Average share of audio that was concealed to replace lost packets.", "media", "media_direction", "network*").
		withStreamLabels().inBuckets(concealedBounds, billionths)
	MediaMOS = ofRecords(Histogram, "cdr_media_mos", "cdr.media.mos", "1",
		"Mean opinion score of media streams as the system estimates it, from 1 (bad) to 5.",
		"media", "media_direction", "network*").withStreamLabels().inBuckets(mosBounds, micros)
	Ratings = ofRecords(Counter, "cdr_ratings_total", "cdr.ratings", "{rating}",
		"Ratings of calls by their users.", "rating*")
)
