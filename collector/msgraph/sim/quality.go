package sim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// stream is one direction of a medium: its measures, and the labels that it counts with.
type stream struct {
	perMeasure[cdr.Int]
	medium, way, network, platform, verdict string

	bypass     cdr.Bool
	codec      string
	direction  string
	start, end time.Time
	style      int
}

// object renders microsoft.graph.callRecords.mediaStream. Durations are ISO 8601, ratios are from 0
// to 1, and one member is a percentage. Unknown members are null, or missing in the odd styles.
func (x *stream) object() simulator.Object {
	o := simulator.NewObject(
		"streamId", strconv.Itoa(1_504_545_584+x.style), "streamDirection", x.direction,
		"startDateTime", formatTime(x.start, x.style), "endDateTime", formatTime(x.end, x.style),
		"averageBandwidthEstimate", nil)
	for _, member := range []struct {
		name  string
		value any
	}{
		{"averageJitter", duration(x.Jitter, 1, x.style)},
		{"maxJitter", duration(x.Jitter, 3, x.style)},
		{"averageRoundTripTime", duration(x.RoundTrip, 1, x.style)},
		{"maxRoundTripTime", duration(x.RoundTrip, 2, x.style)},
		{"averagePacketLossRate", ratio(x.Loss, 1)},
		{"maxPacketLossRate", ratio(x.Loss, 2)},
		{"averageRatioOfConcealedSamples", ratio(x.Concealed, 1)},
		{"maxRatioOfConcealedSamples", ratio(x.Concealed, 2)},
		{"packetUtilization", number(x.Packets, 1)},
		{"postForwardErrorCorrectionPacketLossRate", ratio(x.LossLeft, 1)},
		{"averageVideoFrameLossPercentage", number(x.FrameLoss, 100)},
		{"averageVideoFrameRate", number(x.FrameRate, 100)},
		// These two look like the ones above, but the published rules don't use them.
		{"averageVideoPacketLossRate", ratio(x.LossLeft, 1)},
		{"averageReceivedFrameRate", number(x.FrameRate, 50)},
		{"averageFreezeDuration", duration(x.LossLeft, 1, x.style)},
		{"wasMediaBypassed", truth(x.bypass)},
	} {
		if member.value != nil || x.style%2 == 0 {
			o.Set(member.name, member.value)
		}
	}
	switch x.codec {
	case "audio":
		o.Set("audioCodec", [...]string{
			"satin", "silkWide", "g722", "pcmu", "opus", "satinFullband", "silk",
			"unknown",
		}[x.style])
		o.Set("isAudioForwardErrorCorrectionUsed", x.style%2 == 0)
	case "video":
		o.Set("videoCodec", [...]string{"h264", "av1", "h264uc", "unknown"}[x.style%4])
	}
	return o
}

// number is n divided by parts.
func number(n cdr.Int, parts float64) any {
	if !n.Known {
		return nil
	}
	return json.Number(strconv.FormatFloat(float64(n.Value)/parts, 'f', -1, 64))
}

// ratio is a multiple of a ratio in millionths, at most 1.
func ratio(n cdr.Int, multiple int64) any {
	n.Value = min(n.Value*multiple, 1_000_000)
	return number(n, 1_000_000)
}

// duration is a multiple of a duration in microseconds, in one of the forms of ISO 8601: PT0.016S,
// PT1M2.5S where it fits, P0DT0H0M0.016S.
func duration(n cdr.Int, multiple int64, style int) any {
	if !n.Known {
		return nil
	}
	const minute = 60_000_000
	micros := n.Value * multiple
	seconds := strconv.FormatFloat(float64(micros%minute)/1e6, 'f', -1, 64)
	switch {
	case style == 7:
		return fmt.Sprintf("P0DT0H%dM%sS", micros/minute, seconds)
	case micros >= minute:
		return fmt.Sprintf("PT%dM%sS", micros/minute, seconds)
	}
	return "PT" + seconds + "S"
}

// drawMedia draws the media of a session's segments. A session that failed before media flowed
// mostly has none, and some clients never report.
func (p *recordPlan) drawMedia(s *session, index int, remeasured bool) {
	d := p.source.world.Draws(p.place, drawSession|1<<18|uint64(index))
	if s.failure != nil && !s.failure.Dropped && d.Below(4) != 0 || d.Below(25) == 0 {
		return
	}
	purpose := drawQuality | uint64(index)<<1
	if remeasured {
		purpose++
	}
	quality := p.source.world.Draws(p.place, purpose)
	bypass := p.drawBypass(&d)
	for _, part := range s.segments {
		for i := range s.content.Lines {
			m := medium{line: &s.content.Lines[i]}
			m.streams = append(m.streams, p.drawStream(s, m.line, true, bypass, &d, &quality))
			if !m.line.OneWay {
				m.streams = append(m.streams, p.drawStream(s, m.line, false, bypass, &d, &quality))
			}
			part.media = append(part.media, m)
		}
	}
}

// drawBypass draws whether a session's streams bypass Microsoft. For routed calls it follows the
// trunk's setting; for some sessions it is unknown.
func (p *recordPlan) drawBypass(d *simulator.Draws) cdr.Bool {
	n := d.Below(10)
	switch {
	case n == 0:
		return cdr.Unsaid
	case p.source.routed:
		return p.call.Trunk.Bypass
	case p.shape.phone:
		return cdr.KnownBool(n < 5)
	}
	return cdr.False
}

// drawStream draws one direction of a medium: the session's properties with d, the measures with
// quality.
func (p *recordPlan) drawStream(
	s *session, l *line, toCallee bool, bypass cdr.Bool, d, quality *simulator.Draws,
) *stream {
	sender, direction, label := &s.callee, "calleeToCaller", "callee_to_caller"
	if toCallee {
		sender, direction, label = &s.caller, "callerToCallee", "caller_to_callee"
	}
	style := d.Below(8)
	c := simulator.Pick(quality, l.Classes)
	if d.Below(20) == 0 {
		bypass = cdr.Unsaid
	}
	return &stream{
		perMeasure: c.draw(quality), direction: direction, codec: l.Codec, start: s.start, end: s.end, style: style,
		bypass: bypass,
		medium: l.Label, way: label, network: sender.network.label(), platform: sender.platform(), verdict: c.Verdict,
	}
}

func (c *class) draw(d *simulator.Draws) perMeasure[cdr.Int] {
	from := func(r *[2]int) cdr.Int {
		if r == nil {
			return cdr.Int{}
		}
		return cdr.KnownInt(int64(d.Between(r[0], r[1])))
	}
	return perMeasure[cdr.Int]{
		Jitter: from(c.Jitter), RoundTrip: from(c.RoundTrip), Loss: from(c.Loss), Concealed: from(c.Concealed),
		Packets:   from(c.Packets),
		FrameLoss: from(c.FrameLoss), FrameRate: from(c.FrameRate), LossLeft: from(c.LossLeft),
	}
}
