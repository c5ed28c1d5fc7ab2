package cdr

import "time"

// Quality is the measurements of a stream. Ratios are from 0 to 1.
type Quality struct {
	Jitter, RoundTrip Length
	// Loss is the share of lost packets, Concealed the share of audio that was synthesized for
	// them.
	Loss, Concealed Float
	// MOS is the mean opinion score as the system estimates it, from 1 to 5.
	MOS Float
	// Packets is the number of packets sent.
	Packets Int
	// VideoFrameLoss is the share of lost video frames, VideoLoss the share of packets lost after
	// error correction.
	VideoFrameLoss, VideoLoss Float
	// FrameRate is in frames a second.
	FrameRate Float
}

// Verdict is the published classification of a stream. Poor judges the network, not what people
// heard.
type Verdict uint8

// The verdicts.
const (
	Unclassified Verdict = iota // a measure that the rules need is missing
	Good
	Poor
)

var verdicts = [...]string{"unclassified", "good", "poor"}

// String is the label value.
func (v Verdict) String() string { return verdicts[v] }

// The thresholds beyond which a stream is poor, from Microsoft's "Stream classification in Call
// Quality Dashboard".
const (
	poorRoundTrip   = 500 * time.Millisecond
	poorJitter      = 30 * time.Millisecond
	poorLoss        = 0.1
	poorPackets     = 500
	poorFrameLoss   = 0.5
	poorVideoLoss   = 0.15
	poorVideoRate   = 7
	poorScreenShare = 2
)

// Verdict classifies a stream by the published rules, which know audio, video and screen sharing.
func (s *Stream) Verdict() Verdict {
	verdict, _ := s.Judge()
	return verdict
}

// Judge is Verdict plus the measure that makes a stream poor, or empty.
func (s *Stream) Judge() (verdict Verdict, rule string) {
	switch s.Media {
	case "audio":
		verdict, rule = s.audio()
	case "video":
		verdict, rule = s.video(poorVideoRate)
	case "screen_share":
		verdict, rule = s.video(poorScreenShare)
	}
	if verdict != Poor {
		rule = ""
	}
	return verdict, rule
}

// audio is poor if one measure exceeds its threshold and the number of packets is large enough to
// mean something.
func (q *Quality) audio() (verdict Verdict, rule string) {
	if !q.RoundTrip.Known && !q.Loss.Known && !q.Jitter.Known {
		return Unclassified, ""
	}
	switch {
	case q.RoundTrip.Value > poorRoundTrip:
		rule = "round_trip"
	case q.Loss.Value > poorLoss:
		rule = "packet_loss"
	case q.Jitter.Value > poorJitter:
		rule = "jitter"
	default:
		return Good, ""
	}
	if !q.Packets.Known {
		return Unclassified, ""
	}
	return poorIf(q.Packets.Value > poorPackets), rule
}

// video is judged by the first measure that is known.
func (q *Quality) video(rate float64) (verdict Verdict, rule string) {
	switch {
	case q.VideoFrameLoss.Known:
		return poorIf(q.VideoFrameLoss.Value > poorFrameLoss), "video_frame_loss"
	case q.FrameRate.Known:
		return poorIf(q.FrameRate.Value < rate), "frame_rate"
	case q.VideoLoss.Known:
		return poorIf(q.VideoLoss.Value > poorVideoLoss), "video_packet_loss"
	}
	return Unclassified, ""
}

func poorIf(poor bool) Verdict {
	if poor {
		return Poor
	}
	return Good
}
