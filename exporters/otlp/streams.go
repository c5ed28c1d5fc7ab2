package otlp

import (
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mostStreams limits a session's streams in its log record, poor ones first: stores limit the size
// of a record, and a long session has a stream for each time that somebody shared a screen.
const mostStreams = 16

// badness orders verdicts: poor, good, unclassified.
var badness = map[cdr.Verdict]int{cdr.Poor: 0, cdr.Good: 1, cdr.Unclassified: 2}

// appendStreams appends the worst verdict of a session's streams with the rule that gave it, the
// number of streams, and the streams as maps.
func appendStreams(b []byte, all []cdr.Stream) []byte {
	if len(all) == 0 {
		return b
	}
	worst := make([]*cdr.Stream, len(all))
	for i := range all {
		worst[i] = &all[i]
	}
	slices.SortStableFunc(worst, func(x, y *cdr.Stream) int {
		return cmp.Compare(badness[x.Verdict()], badness[y.Verdict()])
	})
	verdict, rule := worst[0].Judge()
	b = appendPairs(b, "cdr.session.verdict", verdict.String(), "cdr.session.rule", rule)
	b = appendInt(b, common("cdr.session.streams"), int64(len(all)))
	return appendAttribute(b, common("cdr.streams"), func(b []byte) []byte {
		return appendMessage(b, anyArray, func(b []byte) []byte {
			for _, s := range worst[:min(len(worst), mostStreams)] {
				b = appendMessage(b, arrayValues, func(b []byte) []byte {
					return appendMessage(b, anyMap, func(b []byte) []byte {
						return appendAttributesAs(b, mapValues, func(b []byte) []byte { return appendStream(b, s) })
					})
				})
			}
			return b
		})
	})
}

// appendStream appends the known values of a stream. Jitter and round trip are in seconds.
func appendStream(b []byte, s *cdr.Stream) []byte {
	verdict, rule := s.Judge()
	b = appendPairs(b, "media", s.Media, "direction", s.Direction(), "verdict", verdict.String(), "rule", rule,
		"network", s.Network, "platform", s.Platform)
	for _, measure := range [...]struct {
		name  string
		known bool
		value float64
	}{
		{"jitter", s.Jitter.Known, s.Jitter.Value.Seconds()},
		{"round_trip", s.RoundTrip.Known, s.RoundTrip.Value.Seconds()},
		{"packet_loss", s.Loss.Known, s.Loss.Value},
		{"concealed", s.Concealed.Known, s.Concealed.Value},
		{"mos", s.MOS.Known, s.MOS.Value},
		{"video_frame_loss", s.VideoFrameLoss.Known, s.VideoFrameLoss.Value},
		{"video_packet_loss", s.VideoLoss.Known, s.VideoLoss.Value},
		{"frame_rate", s.FrameRate.Known, s.FrameRate.Value},
	} {
		if measure.known {
			b = appendDouble(b, common(measure.name), measure.value)
		}
	}
	return appendExtra(b, "", s.Extra)
}
