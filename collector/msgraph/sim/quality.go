package sim

import (
	"encoding/json"
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
	direction  string
	start, end time.Time
	style      int
}

// object renders microsoft.graph.callRecords.mediaStream. Durations are ISO 8601, ratios are from 0
// to 1, and one member is a percentage. Unknown members are null, or missing in the odd styles.
func (x *stream) object() simulator.Object {
	o := simulator.NewObject(
		"streamId", strconv.Itoa(1_504_545_584+x.style), "streamDirection", x.direction,
		"startDateTime", formatTime(x.start, x.style), "endDateTime", formatTime(x.end, x.style))
	for _, member := range []struct {
		name  string
		value any
	}{
		{"averageJitter", duration(x.Jitter, x.style)},
		{"averageRoundTripTime", duration(x.RoundTrip, x.style)},
		{"averagePacketLossRate", number(x.Loss, 1_000_000)},
		{"averageRatioOfConcealedSamples", number(x.Concealed, 1_000_000)},
		{"packetUtilization", number(x.Packets, 1)},
		{"postForwardErrorCorrectionPacketLossRate", number(x.LossLeft, 1_000_000)},
		{"averageVideoFrameLossPercentage", number(x.FrameLoss, 100)},
		{"averageVideoFrameRate", number(x.FrameRate, 100)},
		{"wasMediaBypassed", truth(x.bypass)},
	} {
		if member.value != nil || x.style%2 == 0 {
			o.Set(member.name, member.value)
		}
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

// duration is a duration in microseconds, in one of the forms of ISO 8601: PT0.016S, P0DT0H0M0.016S.
func duration(n cdr.Int, style int) any {
	if !n.Known {
		return nil
	}
	seconds := strconv.FormatFloat(float64(n.Value)/1e6, 'f', -1, 64)
	if style == 7 {
		return "P0DT0H0M" + seconds + "S"
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
		perMeasure: c.draw(quality), direction: direction, start: s.start, end: s.end, style: style,
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
