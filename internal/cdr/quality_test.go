package cdr

import (
	"strings"
	"testing"
	"time"
)

// TestJudge: the verdict of a stream, and the measure that made it poor.
func TestJudge(t *testing.T) {
	ms := func(n int) Length { return KnownLength(time.Duration(n) * time.Millisecond) }
	many, few := KnownInt(501), KnownInt(500)
	for _, c := range []struct {
		name  string
		media string
		q     Quality
		want  string // the verdict, and behind it the measure
	}{
		{"no measure", "audio", Quality{Packets: many}, "unclassified"},
		{
			"at every bound", "audio",
			Quality{Packets: many, RoundTrip: ms(500), Jitter: ms(30), Loss: KnownFloat(0.1)},
			"good",
		},
		{
			"past each bound", "audio",
			Quality{Packets: many, RoundTrip: ms(501), Loss: KnownFloat(0.11), Jitter: ms(31)},
			"poor round_trip",
		},
		{
			"past the bounds of loss and jitter", "audio",
			Quality{Packets: many, Loss: KnownFloat(0.11), Jitter: ms(31)},
			"poor packet_loss",
		},
		{"past the bound of jitter", "audio", Quality{Packets: many, Jitter: ms(31)}, "poor jitter"},
		{"few packets, much jitter", "audio", Quality{Packets: few, Jitter: ms(31)}, "good"},
		{"few packets, much loss", "audio", Quality{Packets: few, Loss: KnownFloat(0.5)}, "good"},
		{"bad, and nobody knows how many packets", "audio", Quality{Loss: KnownFloat(0.5)}, "unclassified"},
		{"good, and nobody knows how many packets", "audio", Quality{Loss: KnownFloat(0.01)}, "good"},
		{
			"what was concealed doesn't count", "audio",
			Quality{Packets: many, Concealed: KnownFloat(0.5), Loss: KnownFloat(0)},
			"good",
		},
		{"no measure of video", "video", Quality{Loss: KnownFloat(1)}, "unclassified"},
		{
			"lost frames first", "video",
			Quality{VideoFrameLoss: KnownFloat(0.5), FrameRate: KnownFloat(1), VideoLoss: KnownFloat(1)},
			"good",
		},
		{"more than half of the frames", "video", Quality{VideoFrameLoss: KnownFloat(0.51)}, "poor video_frame_loss"},
		{"frame rate next", "video", Quality{FrameRate: KnownFloat(6.9), VideoLoss: KnownFloat(0)}, "poor frame_rate"},
		{"seven frames a second", "video", Quality{FrameRate: KnownFloat(7)}, "good"},
		{"lost packets last", "video", Quality{VideoLoss: KnownFloat(0.16)}, "poor video_packet_loss"},
		{"two frames a second", "screen_share", Quality{FrameRate: KnownFloat(2)}, "good"},
		{"fewer than two frames a second", "screen_share", Quality{FrameRate: KnownFloat(1.9)}, "poor frame_rate"},
		{"data has no rules", "data", Quality{Packets: many, Loss: KnownFloat(1)}, "unclassified"},
	} {
		s := Stream{Media: c.media, Quality: c.q}
		verdict, rule := s.Judge()
		if got := strings.TrimSpace(verdict.String() + " " + rule); got != c.want || s.Verdict() != verdict {
			t.Errorf("%s, %s: %s, want %s", c.media, c.name, got, c.want)
		}
	}
}
