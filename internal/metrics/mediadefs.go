package metrics

// The bucket bounds of contract 3 for media. Ratios are kept in billionths (counting.md 24).
var (
	jitterBounds    = []float64{0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5}
	roundTripBounds = []float64{0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2}
	lossBounds      = []float64{0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5}
	concealedBounds = []float64{0.005, 0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.5}
)

// The metrics of sessions and of what was measured of their media.
var (
	Sessions = ofRecords(Counter, "cdr_sessions_total", "cdr.sessions", "{session}",
		"Sessions of calls, each counted once; dropped ones failed in mid-call.", "result", "media")
	SessionFailures = ofRecords(Counter, "cdr_session_failures_total", "cdr.session.failures", "{session}",
		"Sessions that failed, by where and why.", "stage", "reason*")
	MediaStreams = ofRecords(Counter, "cdr_media_streams_total", "cdr.media.streams", "{stream}",
		"Media streams by what the published classification says of them; poor tells of the network, not of what people heard.",
		"media", "media_direction", "network*", "platform*", "verdict").withStreamLabels()
	MediaJitter = ofRecords(Histogram, "cdr_media_jitter_seconds", "cdr.media.jitter", "s",
		"Average jitter of media streams.", "media", "media_direction", "network*").withStreamLabels().inBuckets(jitterBounds, micros)
	MediaRoundTrip = ofRecords(Histogram, "cdr_media_round_trip_seconds", "cdr.media.round_trip", "s",
		"Average round trip time of media streams.", "media", "media_direction", "network*").withStreamLabels().inBuckets(roundTripBounds, micros)
	MediaPacketLoss = ofRecords(Histogram, "cdr_media_packet_loss_ratio", "cdr.media.packet_loss.ratio", "1",
		"Average share of packets lost of media streams.", "media", "media_direction", "network*").withStreamLabels().inBuckets(lossBounds, billionths)
	MediaConcealed = ofRecords(Histogram, "cdr_media_concealed_ratio", "cdr.media.concealed.ratio", "1",
		"Average share of audio that was made up for lost packets.", "media", "media_direction", "network*").withStreamLabels().inBuckets(concealedBounds, billionths)
	Ratings = ofRecords(Counter, "cdr_ratings_total", "cdr.ratings", "{rating}",
		"Ratings of calls by their users.", "rating*")
)
