package metrics

// The bucket bounds of contract 3 for media. Ratios are kept in billionths
// (counting.md 24).
var (
	jitterBounds    = []float64{0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5}
	roundTripBounds = []float64{0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2}
	lossBounds      = []float64{0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5}
	concealedBounds = []float64{0.005, 0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.5}

	billionths = int64(1e9)
)

// The metrics of sessions and of what was measured of their media.
var (
	Sessions = &Def{
		Name: "cdr_sessions_total", OTel: "cdr.sessions", Unit: "{session}", Kind: Counter, Base: RecordBase,
		Help:   "Sessions of calls, each counted once; dropped ones failed in mid-call.",
		Labels: labels("result", "media"),
	}
	SessionFailures = &Def{
		Name: "cdr_session_failures_total", OTel: "cdr.session.failures", Unit: "{session}", Kind: Counter, Base: RecordBase,
		Help:   "Sessions that failed, by where and why.",
		Labels: labels("stage", "reason*"),
	}
	MediaStreams = &Def{
		Name: "cdr_media_streams_total", OTel: "cdr.media.streams", Unit: "{stream}", Kind: Counter, Base: RecordBase,
		Help:   "Media streams by what the published classification says of them; poor tells of the network, not of what people heard.",
		Labels: labels("media", "media_direction", "network*", "platform*", "verdict"),
	}
	MediaJitter = &Def{
		Name: "cdr_media_jitter_seconds", OTel: "cdr.media.jitter", Unit: "s", Kind: Histogram, Base: RecordBase,
		Help:   "Average jitter of media streams.",
		Labels: labels("media", "media_direction", "network*"), Bounds: jitterBounds, Scale: micros,
	}
	MediaRoundTrip = &Def{
		Name: "cdr_media_round_trip_seconds", OTel: "cdr.media.round_trip", Unit: "s", Kind: Histogram, Base: RecordBase,
		Help:   "Average round trip time of media streams.",
		Labels: labels("media", "media_direction", "network*"), Bounds: roundTripBounds, Scale: micros,
	}
	MediaPacketLoss = &Def{
		Name: "cdr_media_packet_loss_ratio", OTel: "cdr.media.packet_loss.ratio", Unit: "1", Kind: Histogram, Base: RecordBase,
		Help:   "Average share of packets lost of media streams.",
		Labels: labels("media", "media_direction", "network*"), Bounds: lossBounds, Scale: billionths,
	}
	MediaConcealed = &Def{
		Name: "cdr_media_concealed_ratio", OTel: "cdr.media.concealed.ratio", Unit: "1", Kind: Histogram, Base: RecordBase,
		Help:   "Average share of audio that was made up for lost packets.",
		Labels: labels("media", "media_direction", "network*"), Bounds: concealedBounds, Scale: billionths,
	}
	Ratings = &Def{
		Name: "cdr_ratings_total", OTel: "cdr.ratings", Unit: "{rating}", Kind: Counter, Base: RecordBase,
		Help:   "Ratings of calls by their users.",
		Labels: labels("rating*"),
	}
)
