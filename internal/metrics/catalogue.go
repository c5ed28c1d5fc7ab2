package metrics

// The bucket bounds of contract 3.
var (
	durationBounds = []float64{1, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400}
	setupBounds    = []float64{0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 90}
	delayBounds    = []float64{10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 259200}
	requestBounds  = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}
	commitBounds   = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}

	micros = int64(1e6)
)

// The metrics that come from records.
var (
	Calls = &Def{
		Name: "cdr_calls_total", OTel: "cdr.calls", Unit: "{call}", Kind: Counter, Base: RecordBase,
		Help:   "Call records, each counted once.",
		Labels: labels("direction", "call_type*", "outcome", "trunk*", "late"),
	}
	CallFailures = &Def{
		Name: "cdr_call_failures_total", OTel: "cdr.call.failures", Unit: "{call}", Kind: Counter, Base: RecordBase,
		Help:   "Calls that neither a person nor voicemail answered; alert on outcome failed, not on the plain rate.",
		Labels: labels("direction", "trunk*", "outcome", "sip_code*", "sub_code*", "reason*", "fault_domain", "late"), Exemplars: true,
		Declared: []Change{{Kind: "counter", Labels: "direction,trunk,outcome,sip_code,sub_code,reason,late"}},
	}
	CallDuration = &Def{
		Name: "cdr_call_duration_seconds", OTel: "cdr.call.duration", Unit: "s", Kind: Histogram, Base: RecordBase,
		Help:   "Durations of connected calls, as the provider measures them.",
		Labels: labels("direction", "call_type*", "trunk*"), Bounds: durationBounds, Scale: micros, Exemplars: true,
	}
	ConnectedSeconds = &Def{
		Name: "cdr_call_connected_seconds_total", OTel: "cdr.call.connected", Unit: "s", Kind: Seconds, Base: RecordBase,
		Help:   "Connected time of calls, by the other party's country.",
		Labels: labels("direction", "call_type*", "trunk*", "country*"), Scale: micros,
	}
	CallSetup = &Def{
		Name: "cdr_call_setup_seconds", OTel: "cdr.call.setup", Unit: "s", Kind: Histogram, Base: RecordBase,
		Help:   "Invite to start of connected calls: time to answer outbound, time to forward inbound.",
		Labels: labels("direction", "trunk*"), Bounds: setupBounds, Scale: micros,
	}
	CallCharges = &Def{
		Name: "cdr_call_charges_total", OTel: "cdr.call.charges", Unit: "{currency}", Kind: Money, Base: RecordBase,
		Help:   "Money charged for calls by component, as first known.",
		Labels: labels("direction", "call_type*", "currency", "component", "country*"),
	}
	ChargeCorrections = &Def{
		Name: "cdr_call_charge_corrections_total", OTel: "cdr.call.charge.corrections", Unit: "{currency}", Kind: Money, Base: RecordBase,
		Help:   "Later changes of charges: debit costs more, credit less. Net is charges plus debit minus credit.",
		Labels: labels("direction", "call_type*", "currency", "component", "country*", "sign"),
	}
	OutcomeChanges = &Def{
		Name: "cdr_call_outcome_changes_total", OTel: "cdr.call.outcome.changes", Unit: "{call}", Kind: Counter, Base: RecordBase,
		Help:   "Calls whose outcome the provider changed after they were counted.",
		Labels: labels("from", "to"),
	}
	MediaBypassCalls = &Def{
		Name: "cdr_media_bypass_calls_total", OTel: "cdr.media_bypass_calls", Unit: "{call}", Kind: Counter, Base: RecordBase,
		Help:   "Calls that say whether media bypassed the provider's processors.",
		Labels: labels("trunk*", "media_bypass"),
	}
	MediaBypassRatio = &Def{
		Name: "cdr_media_bypass_ratio", OTel: "cdr.media_bypass_ratio", Unit: "1", Kind: Gauge, Base: RecordBase,
		Help:   "Share of calls with media bypass among those that say, first seen in the trailing window.",
		Labels: labels("trunk*"), Optional: true,
	}
	PeakConcurrency = &Def{
		Name: "cdr_call_peak_concurrency", OTel: "cdr.call.peak_concurrency", Unit: "{call}", Kind: Gauge, Base: RecordBase,
		Help:   "Most calls connected at once in the hour that ends late_after before the watermark.",
		Labels: labels("trunk*"), Optional: true,
	}
	// The ledger keeps the last attempts under RecentAttempts; the other three are shown from the same (recent.go).
	RecentAttempts = &Def{
		Name: "cdr_recent_attempts", OTel: "cdr.recent.attempts", Unit: "{call}", Kind: Gauge, Base: RecordBase,
		Help:   "How many of the last 64 attempts there were, in the order in which they were first seen.",
		Labels: labels("direction", "trunk*"), Optional: true,
	}
	RecentFaults = &Def{
		Name: "cdr_recent_faults", OTel: "cdr.recent.faults", Unit: "{call}", Kind: Gauge, Base: RecordBase,
		Help:   "How many of the last 64 attempts ended with outcome failed; absent where records don't say why a call didn't connect.",
		Labels: labels("direction", "trunk*"), Optional: true,
	}
	RecentConnected = &Def{
		Name: "cdr_recent_connected", OTel: "cdr.recent.connected", Unit: "{call}", Kind: Gauge, Base: RecordBase,
		Help:   "How many of the last 64 attempts a person or voicemail answered.",
		Labels: labels("direction", "trunk*"), Optional: true,
	}
	RecentNewest = &Def{
		Name: "cdr_recent_newest_timestamp_seconds", OTel: "cdr.recent.newest.timestamp", Unit: "s", Kind: Gauge, Base: RecordBase,
		Help:   "Latest start of the last 64 attempts.",
		Labels: labels("direction", "trunk*"), Optional: true,
	}
	CallsByLocation = &Def{
		Name: "cdr_calls_by_location_total", OTel: "cdr.calls_by_location", Unit: "{call}", Kind: Counter, Base: RecordBase,
		Help:   "Calls by where media and signalling went.",
		Labels: labels("media_location*", "signaling_location*"),
	}
	CallsByCountry = &Def{
		Name: "cdr_calls_by_country_total", OTel: "cdr.calls_by_country", Unit: "{call}", Kind: Counter, Base: RecordBase,
		Help:   "Connected calls by the other party's country: toll fraud is many short calls.",
		Labels: labels("direction", "country*"),
	}
	EmergencyCalls = &Def{
		Name: "cdr_emergency_calls_total", OTel: "cdr.emergency_calls", Unit: "{call}", Kind: Counter, Base: RecordBase,
		Help:   "Outbound calls to emergency services; test is true for a test number. Records lag: this is no emergency notification.",
		Labels: labels("outcome", "test"),
	}
	Recordings = &Def{
		Name: "cdr_recordings_total", OTel: "cdr.recordings", Unit: "{recording}", Kind: Counter, Base: RecordBase,
		Help:   "Recordings attached to calls.",
		Labels: labels("type*"),
	}
	CallLegs = &Def{
		Name: "cdr_call_legs_total", OTel: "cdr.call.legs", Unit: "{leg}", Kind: Counter, Base: RecordBase,
		Help:   "Legs of calls, where the provider tells them.",
		Labels: labels("leg_type*", "outcome"),
	}
)

// Catalogue are the metrics that come from records, sorted by name. The ledger
// keeps them.
func Catalogue() []*Def {
	return []*Def{
		CallCharges, ChargeCorrections, ConnectedSeconds, CallDuration, CallFailures, CallLegs, OutcomeChanges, PeakConcurrency,
		CallSetup, CallsByCountry, CallsByLocation, Calls, EmergencyCalls, MediaBypassCalls, MediaBypassRatio, MediaConcealed, MediaJitter,
		MediaPacketLoss, MediaRoundTrip, MediaStreams, Ratings, RecentAttempts, RecentConnected, RecentFaults, RecentNewest,
		Recordings, SessionFailures, Sessions,
	}
}
