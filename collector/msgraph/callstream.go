package msgraph

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mediaNames are the label's values by Graph's modality, the richest first.
var mediaNames = []struct{ modality, label string }{
	{"video", "video"},
	{"screenSharing", "screen_share"},
	{"videoBasedScreenSharing", "screen_share"},
	{"audio", "audio"},
	{"data", "data"},
	{futureValue, "other"},
}

// richest is the label of the richest medium of a session.
func (m *callMapper) richest(modalities []string) string {
	best := len(mediaNames)
	for _, raw := range modalities {
		known := false
		for i, name := range mediaNames {
			if name.modality == raw {
				best, known = min(best, i), true
			}
		}
		if !known {
			m.isNew("modality", raw)
		}
	}
	if best == len(mediaNames) {
		return "other"
	}
	return mediaNames[best].label
}

// streams adds a segment's streams to the record, and what they say of media bypass.
func (m *callMapper) streams(r *cdr.Record, s *session, part *segment) {
	ends := part.ends(s)
	for i := range part.Media {
		medium := &part.Media[i]
		for k := range medium.Streams {
			raw := &medium.Streams[k]
			r.Streams = append(r.Streams, m.stream(&ends, medium, raw))
			if raw.MediaBypassed != nil && r.MediaBypass != cdr.True {
				r.MediaBypass = cdr.KnownBool(*raw.MediaBypassed)
			}
		}
	}
}

// stream maps one stream between two ends.
func (m *callMapper) stream(ends *session, medium *media, raw *stream) cdr.Stream {
	one := cdr.Stream{Media: mediaOf(medium.Label, raw), Quality: m.quality(raw)}
	sender, network := ends.Callee, medium.CalleeNetwork
	switch raw.Direction {
	case "callerToCallee":
		one.ToCallee, sender, network = true, ends.Caller, medium.CallerNetwork
	case "calleeToCaller":
	default:
		m.isNew("streamDirection", raw.Direction)
	}
	one.Network, one.Platform = m.networkOf(network), m.platformOf(sender)
	return one
}

// mediaOf is the label of a stream's medium, whose own label says what it is for:
// main-audio, applicationsharing-video. Without one the codec tells.
func mediaOf(label string, s *stream) string {
	label = strings.ToLower(label)
	switch {
	case strings.Contains(label, "audio"):
		return "audio"
	case strings.Contains(label, "sharing"):
		return "screen_share"
	case strings.Contains(label, "video"):
		return "video"
	case strings.Contains(label, "data"):
		return "data"
	case label == "" && s.AudioCodec != "":
		return "audio"
	case label == "" && s.VideoCodec != "":
		return "video"
	}
	return "other"
}

// networkOf is how a sender was connected.
func (m *callMapper) networkOf(n *network) string {
	if n == nil {
		return "unknown"
	}
	switch n.ConnectionType {
	case "wired", "wifi", "mobile", "tunnel":
		return n.ConnectionType
	case "", "unknown", futureValue:
	default:
		m.isNew("connectionType", n.ConnectionType)
	}
	return "unknown"
}

// quality reads the measures. Units differ from field to field: ratios, a percentage and
// ISO 8601 durations.
func (m *callMapper) quality(raw *stream) cdr.Quality {
	q := cdr.Quality{
		Jitter: m.span("averageJitter", raw.Jitter), RoundTrip: m.span("averageRoundTripTime", raw.RoundTrip),
		Loss: raw.Loss.share(1), Concealed: raw.Concealed.share(1),
		VideoFrameLoss: raw.FrameLossPct.share(100), VideoLoss: raw.CorrectedLoss.share(1),
		FrameRate: raw.FrameRate.rate(),
	}
	if raw.Packets != nil && *raw.Packets >= 0 {
		q.Packets = cdr.KnownInt(*raw.Packets)
	}
	return q
}

func (m *callMapper) span(field string, raw *isoSpan) cdr.Span {
	span, err := raw.span()
	if err != nil {
		m.isNew(field, string(*raw))
	}
	return span
}
