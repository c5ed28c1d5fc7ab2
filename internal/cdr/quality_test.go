package cdr

import (
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	ms := func(n int) Length { return KnownLength(time.Duration(n) * time.Millisecond) }
	many, few := KnownInt(501), KnownInt(500)
	for _, c := range []struct {
		name  string
		media string
		q     Quality
		want  Verdict
	}{
		{"audio without a measure", "audio", Quality{Packets: many}, Unclassified},
		{
			"audio at every bound", "audio",
			Quality{Packets: many, RoundTrip: ms(500), Jitter: ms(30), Loss: KnownFloat(0.1)},
			Good,
		},
		{"audio past the bound of the round trip", "audio", Quality{Packets: many, RoundTrip: ms(501)}, Poor},
		{"audio past the bound of jitter", "audio", Quality{Packets: many, Jitter: ms(31)}, Poor},
		{"audio past the bound of loss", "audio", Quality{Packets: many, Loss: KnownFloat(0.11)}, Poor},
		{"audio of few packets", "audio", Quality{Packets: few, Loss: KnownFloat(0.5)}, Good},
		{"bad audio of nobody knows how many packets", "audio", Quality{Loss: KnownFloat(0.5)}, Unclassified},
		{"good audio of nobody knows how many packets", "audio", Quality{Loss: KnownFloat(0.01)}, Good},
		{
			"audio isn't judged by what was concealed", "audio",
			Quality{Packets: many, Concealed: KnownFloat(0.5), Loss: KnownFloat(0)},
			Good,
		},
		{"video without a measure", "video", Quality{Loss: KnownFloat(1)}, Unclassified},
		{"video by lost frames first", "video", Quality{
			VideoFrameLoss: KnownFloat(0.5), FrameRate: KnownFloat(1),
			VideoLoss: KnownFloat(1),
		}, Good},
		{"video with half of the frames lost and more", "video", Quality{VideoFrameLoss: KnownFloat(0.51)}, Poor},
		{"video by its frame rate next", "video", Quality{FrameRate: KnownFloat(6.9), VideoLoss: KnownFloat(0)}, Poor},
		{"video at seven frames a second", "video", Quality{FrameRate: KnownFloat(7)}, Good},
		{"video by lost packets last", "video", Quality{VideoLoss: KnownFloat(0.16)}, Poor},
		{"a shared screen at two frames a second", "screen_share", Quality{FrameRate: KnownFloat(2)}, Good},
		{"a shared screen below", "screen_share", Quality{FrameRate: KnownFloat(1.9)}, Poor},
		{"data has no rules", "data", Quality{Packets: many, Loss: KnownFloat(1)}, Unclassified},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Stream{Media: c.media, Quality: c.q}
			if got := s.Verdict(); got != c.want {
				t.Errorf("the verdict is %s, want %s", got, c.want)
			}
		})
	}
}

// The rule is the measure that made a stream poor; nothing else has one.
func TestJudge(t *testing.T) {
	ms := func(n int) Length { return KnownLength(time.Duration(n) * time.Millisecond) }
	many := KnownInt(501)
	for _, c := range []struct {
		rule  string
		media string
		q     Quality
	}{
		{"", "audio", Quality{Packets: many, Jitter: ms(30)}},
		{"", "audio", Quality{Packets: KnownInt(500), Jitter: ms(31)}},
		{"round_trip", "audio", Quality{Packets: many, RoundTrip: ms(501), Loss: KnownFloat(0.11), Jitter: ms(31)}},
		{"packet_loss", "audio", Quality{Packets: many, Loss: KnownFloat(0.11), Jitter: ms(31)}},
		{"jitter", "audio", Quality{Packets: many, Jitter: ms(31)}},
		{"", "video", Quality{VideoFrameLoss: KnownFloat(0.5)}},
		{"video_frame_loss", "video", Quality{VideoFrameLoss: KnownFloat(0.51)}},
		{"frame_rate", "screen_share", Quality{FrameRate: KnownFloat(1.9)}},
		{"video_packet_loss", "video", Quality{VideoLoss: KnownFloat(0.16)}},
	} {
		s := Stream{Media: c.media, Quality: c.q}
		if verdict, rule := s.Judge(); rule != c.rule || (verdict == Poor) != (rule != "") {
			t.Errorf("%s %+v is %s by %q, want %q", c.media, c.q, verdict, rule, c.rule)
		}
	}
}
