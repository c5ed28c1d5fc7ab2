package collector

// FeedProperties say what the records of a feed can show. A provider declares them once; rules, dashboards and docs are
// derived from them.
type FeedProperties struct {
	// Name is the label `feed`. Feeds of several providers that share a name have the same properties.
	Name string
	// Snapshot: the feed shows calls in progress and has no records.
	Snapshot bool
	// Reasons: records say why a call didn't connect, so that NER can be computed.
	Reasons bool
	// SIPCodes: records carry the final SIP response code.
	SIPCodes bool
	// Streams: records say how the media of a call went.
	Streams bool
	// Overlaps: the same calls are in other feeds too, so its calls are never added to theirs.
	Overlaps bool
}
