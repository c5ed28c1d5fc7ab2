package callrecords

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mediaName maps Graph's modality to a value of the label `media`.
type mediaName struct{ modality, label string }

// mediaNames are sorted, the richest medium first.
var mediaNames = []mediaName{
	{"video", "video"},
	{"screenSharing", "screen_share"},
	{"videoBasedScreenSharing", "screen_share"},
	{"audio", "audio"},
	{"data", "data"},
	{futureValue, "other"},
}

func (m *mapper) richestMedia(modalities []string) string {
	best := len(mediaNames) - 1
	for _, raw := range modalities {
		i := slices.IndexFunc(mediaNames, func(name mediaName) bool { return name.modality == raw })
		if i < 0 {
			m.reportUnmapped("modality", raw)
			continue
		}
		best = min(best, i)
	}
	return mediaNames[best].label
}

// addStreams adds a segment's streams to the call and to its session, and whether the media
// bypassed Microsoft.
func (m *mapper) addStreams(r *cdr.Record, one *cdr.Session, s *session, part *segment) {
	caller, callee := cmp.Or(part.Caller, s.Caller), cmp.Or(part.Callee, s.Callee) // a segment may not have them
	for i := range part.Media {
		medium := &part.Media[i]
		for k := range medium.Streams {
			raw := &medium.Streams[k]
			mapped, ends := m.mapStream(caller, callee, medium, raw)
			r.Streams = append(r.Streams, mapped)
			mapped.Extra = ends
			one.Streams = append(one.Streams, mapped)
			if raw.MediaBypassed != nil && r.MediaBypass != cdr.True {
				r.MediaBypass = cdr.KnownBool(*raw.MediaBypassed)
			}
		}
	}
}

// mapStream maps a stream, and returns what else is known of its ends.
func (m *mapper) mapStream(
	caller, callee *endpoint, medium *media, raw *stream,
) (one cdr.Stream, ends []cdr.Attr) {
	one = cdr.Stream{Media: streamMedia(medium.Label, raw), Quality: m.quality(raw)}
	sender, network, from, to := callee, medium.CalleeNetwork, medium.CalleeDevice, medium.CallerDevice
	switch raw.Direction {
	case "callerToCallee":
		one.ToCallee = true
		sender, network, from, to = caller, medium.CallerNetwork, medium.CallerDevice, medium.CalleeDevice
	case "calleeToCaller":
	default:
		m.reportUnmapped("streamDirection", raw.Direction)
		one.NoSender, sender, network, from, to = true, nil, nil, nil, nil
	}
	one.Network, one.Platform, one.Sender = m.connectionType(network), m.senderPlatform(sender), senderAddress(network)
	return one, streamEnds(sender, network, from, to)
}

// senderAddress is a sender's subnet, or else its address; zero if neither can be read.
func senderAddress(n *network) netip.Addr {
	if n == nil {
		return netip.Addr{}
	}
	if subnet, err := netip.ParseAddr(n.Subnet); err == nil {
		return subnet.Unmap()
	}
	address, _ := netip.ParseAddr(n.Address) // an error gives the zero address
	return address.Unmap()
}

// streamEnds has the other properties of a stream's sender, and the loudspeaker of its receiver.
func streamEnds(sender *endpoint, network *network, from, to *device) (all []cdr.Attr) {
	add := func(key, text string, class cdr.Privacy) {
		if text != "" && text != "unknown" && text != futureValue {
			all = append(all, cdr.Text(key, text, class))
		}
	}
	if sender != nil && sender.UserAgent != nil {
		add("client_version", sender.UserAgent.Version, cdr.Plain)
	}
	if network != nil {
		add("address", network.Address, cdr.Address)
		add("subnet", network.Subnet, cdr.Address)
		add("wifi_band", strings.TrimPrefix(network.WiFiBand, "frequency"), cdr.Plain)
		if network.WiFiSignal != nil {
			all = append(all, cdr.Whole("wifi_signal", *network.WiFiSignal))
		}
	}
	if from != nil {
		add("capture_device", from.Capture, cdr.User)
	}
	if to != nil {
		add("render_device", to.Render, cdr.User)
	}
	return all
}

// streamMedia returns a stream's label `media`. It comes from Graph's label of the medium, such as
// main-audio or applicationsharing-video, or else from the codec.
func streamMedia(label string, s *stream) string {
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

// connectionType returns a sender's label `network`.
func (m *mapper) connectionType(n *network) string {
	if n == nil {
		return "unknown"
	}
	switch n.ConnectionType {
	case "wired", "wifi", "mobile", "tunnel":
		return n.ConnectionType
	case "", "unknown", futureValue:
	default:
		m.reportUnmapped("connectionType", n.ConnectionType)
	}
	return "unknown"
}

// quality reads the measures, whose units differ: ratios, a percentage and ISO 8601 durations.
func (m *mapper) quality(raw *stream) cdr.Quality {
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

// span reads a duration, which may be absent.
func (m *mapper) span(field, raw string) cdr.Length {
	if raw == "" {
		return cdr.Length{}
	}
	span, err := parseISO(raw)
	if err != nil {
		m.reportUnmapped(field, raw)
		return cdr.Length{}
	}
	return cdr.KnownLength(span)
}
