package sim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// content is what media a session carries: as Graph says it, and the label of the richest of them.
type content struct {
	simulator.Weight
	modalities []string
	label      string
	lines      []line
}

// line is a kind of medium: Graph's label and ours.
type line struct {
	wire, label string
	// oneWay says that only one end sends.
	oneWay bool
	// codec is audio, video or empty.
	codec string
	// classes are the kinds of quality.
	classes []class
}

var (
	mainAudio = line{"main-audio", "audio", false, "audio", audioClasses}
	mainVideo = line{"main-video", "video", false, "video", videoClasses(700)}
	panorama  = line{"panoramic-video", "video", true, "video", videoClasses(700)}
	sharing   = line{"applicationsharing-video", "screen_share", true, "video", videoClasses(200)}
	dataLine  = line{"data", "data", false, "", unmeasured}
	// strange is a label that the documentation doesn't have.
	strange = line{"hologram", "other", true, "", unmeasured}
)

// contents begin with that of telephones.
var contents = []content{
	{50, []string{"audio"}, "audio", []line{mainAudio}},
	{20, []string{"audio", "video"}, "video", []line{mainAudio, mainVideo}},
	{8, []string{"audio", "screenSharing"}, "screen_share", []line{mainAudio, sharing}},
	{5, []string{"videoBasedScreenSharing", "audio", "video"}, "video", []line{mainAudio, mainVideo, sharing}},
	{2, []string{"audio", "video"}, "video", []line{mainAudio, mainVideo, panorama}},
	{2, []string{"audio", "data"}, "audio", []line{mainAudio, dataLine}},
	{1, []string{"data"}, "data", []line{dataLine}},
	{1, []string{"videoBasedScreenSharing"}, "screen_share", []line{sharing}},
	{1, []string{}, "other", nil},
	{1, []string{"audio", "unknownFutureValue"}, "audio", []line{mainAudio, strange}},
}

// stream is one way of a medium: what was measured, and the labels that it counts as.
type stream struct {
	measures
	medium, way, network, platform, verdict string

	bypass     cdr.Bool
	codec      string
	direction  string
	start, end time.Time
	style      int
}

// object renders microsoft.graph.callRecords.mediaStream: durations are ISO 8601, ratios from 0 to 1, and one member is a percentage. What isn't
// known is null, or missing in the odd styles.
func (x *stream) object() simulator.Object {
	o := simulator.NewObject(
		"streamId", strconv.Itoa(1_504_545_584+x.style), "streamDirection", x.direction,
		"startDateTime", formatTime(x.start, x.style), "endDateTime", formatTime(x.end, x.style), "averageBandwidthEstimate", nil)
	for _, member := range []struct {
		name  string
		value any
	}{
		{"averageJitter", duration(x.jitter, 1, x.style)},
		{"maxJitter", duration(x.jitter, 3, x.style)},
		{"averageRoundTripTime", duration(x.roundTrip, 1, x.style)},
		{"maxRoundTripTime", duration(x.roundTrip, 2, x.style)},
		{"averagePacketLossRate", ratio(x.loss, 1)},
		{"maxPacketLossRate", ratio(x.loss, 2)},
		{"averageRatioOfConcealedSamples", ratio(x.concealed, 1)},
		{"maxRatioOfConcealedSamples", ratio(x.concealed, 2)},
		{"packetUtilization", number(x.packets, 1)},
		{"postForwardErrorCorrectionPacketLossRate", ratio(x.lossLeft, 1)},
		{"averageVideoFrameLossPercentage", number(x.frameLoss, 100)},
		{"averageVideoFrameRate", number(x.frameRate, 100)},
		// These two are much like the ones above, and not the ones of the published rules.
		{"averageVideoPacketLossRate", ratio(x.lossLeft, 1)},
		{"averageReceivedFrameRate", number(x.frameRate, 50)},
		{"averageFreezeDuration", duration(x.lossLeft, 1, x.style)},
		{"wasMediaBypassed", truth(x.bypass)},
	} {
		if member.value != nil || x.style%2 == 0 {
			o.Set(member.name, member.value)
		}
	}
	switch x.codec {
	case "audio":
		o.Set("audioCodec", [...]string{"satin", "silkWide", "g722", "pcmu", "opus", "satinFullband", "silk", "unknown"}[x.style])
		o.Set("isAudioForwardErrorCorrectionUsed", x.style%2 == 0)
	case "video":
		o.Set("videoCodec", [...]string{"h264", "av1", "h264uc", "unknown"}[x.style%4])
	}
	return o
}

// number is n of so many parts of one.
func number(n cdr.Int, parts float64) any {
	if !n.Known {
		return nil
	}
	return json.Number(strconv.FormatFloat(float64(n.Value)/parts, 'f', -1, 64))
}

// ratio is a multiple of a ratio of millionths, at most 1.
func ratio(n cdr.Int, multiple int64) any {
	n.Value = min(n.Value*multiple, 1_000_000)
	return number(n, 1_000_000)
}

// duration is a multiple of a duration in microseconds in one of the forms of ISO 8601: PT0.016S, PT1M2.5S where it fits, P0DT0H0M0.016S.
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

// measures are what was measured of a stream, in whole numbers: durations in microseconds, ratios in millionths, percentages and frame rates in
// hundredths.
type measures struct {
	jitter, roundTrip, loss, concealed, lossLeft, frameLoss, frameRate, packets cdr.Int
}

// drawMedia draws the media of a session's segments. What failed before media flowed mostly has none, and some clients never report.
func (p *recordPlan) drawMedia(s *session, index int, remeasured bool) {
	d := p.source.world.Draws(p.place, drawSession|1<<18|uint64(index))
	if s.failure != nil && s.failure.stage.result == cdr.SessionSetupFailed && d.Below(4) != 0 || d.Below(25) == 0 {
		return
	}
	purpose := drawQuality | uint64(index)<<1
	if remeasured {
		purpose++
	}
	quality := p.source.world.Draws(p.place, purpose)
	bypass := p.drawBypass(&d)
	for _, part := range s.segments {
		for i := range s.content.lines {
			m := medium{line: &s.content.lines[i]}
			m.streams = append(m.streams, p.drawStream(s, m.line, true, bypass, &d, &quality))
			if !m.line.oneWay {
				m.streams = append(m.streams, p.drawStream(s, m.line, false, bypass, &d, &quality))
			}
			part.media = append(part.media, m)
		}
	}
}

// drawBypass draws whether a session's streams bypass: as the trunk is set for routed calls, and unknown for some.
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

// drawStream draws one way of a medium. What the session is comes from d, what was measured from quality.
func (p *recordPlan) drawStream(s *session, l *line, toCallee bool, bypass cdr.Bool, d, quality *simulator.Draws) *stream {
	sender, direction, label := &s.callee, "calleeToCaller", "callee_to_caller"
	if toCallee {
		sender, direction, label = &s.caller, "callerToCallee", "caller_to_callee"
	}
	style := d.Below(8)
	c := simulator.Pick(quality, l.classes)
	if d.Below(20) == 0 {
		bypass = cdr.Unsaid
	}
	return &stream{
		measures: c.draw(quality), direction: direction, codec: l.codec, start: s.start, end: s.end, style: style, bypass: bypass,
		medium: l.label, way: label, network: sender.network.label(), platform: sender.platform(), verdict: c.verdict,
	}
}

// class is a kind of quality: the ranges of its measures, and the verdict that the published rules give them, written down and not computed. The zero
// range is an unknown measure.
type class struct {
	simulator.Weight
	verdict string
	// packets, jitter, roundTrip, loss and concealed are of audio, the others of video.
	packets, jitter, roundTrip, loss, concealed span
	frameLoss, frameRate, lossLeft              span
}

// The verdicts.
const (
	good         = "good"
	poor         = "poor"
	unclassified = "unclassified"
)

func (c *class) draw(d *simulator.Draws) measures {
	from := func(s span) cdr.Int {
		if s == (span{}) {
			return cdr.Int{}
		}
		return cdr.KnownInt(int64(d.Between(int(s.low), int(s.high))))
	}
	return measures{
		jitter: from(c.jitter), roundTrip: from(c.roundTrip), loss: from(c.loss), concealed: from(c.concealed), packets: from(c.packets),
		frameLoss: from(c.frameLoss), frameRate: from(c.frameRate), lossLeft: from(c.lossLeft),
	}
}

// The usual ranges of audio, and those that are past a bound of the rules.
var (
	packets, fewPackets          = span{501, 60_000}, span{0, 500}
	jitter, muchJitter           = span{0, 25_000}, span{30_001, 250_000}
	roundTrip, longRoundTrip     = span{5_000, 300_000}, span{500_001, 2_500_000}
	loss, heavyLoss, concealment = span{0, 30_000}, span{100_001, 900_000}, span{0, 50_000}
)

// The classes of audio: poor with more than 500 packets and jitter over 30 ms, a round trip over 500 ms or more than a tenth lost (Stream
// classification in Call Quality Dashboard).
var audioClasses = []class{
	{Weight: 760, verdict: good, packets: packets, jitter: jitter, roundTrip: roundTrip, loss: loss, concealed: concealment},
	{Weight: 30, verdict: poor, packets: packets, jitter: muchJitter, roundTrip: roundTrip, loss: loss, concealed: concealment},
	{Weight: 20, verdict: poor, packets: packets, jitter: jitter, roundTrip: longRoundTrip, loss: loss, concealed: concealment},
	{Weight: 20, verdict: poor, packets: span{501, 501}, loss: heavyLoss},
	// Past a bound, with too few packets to be poor.
	{Weight: 15, verdict: good, packets: fewPackets, jitter: muchJitter, roundTrip: roundTrip, loss: loss, concealed: concealment},
	// Exactly at the bounds.
	{Weight: 15, verdict: good, packets: packets, jitter: span{30_000, 30_000}, roundTrip: span{500_000, 500_000}, loss: span{100_000, 100_000}},
	// Muted, or without a report, or past a bound for nobody knows how many packets.
	{Weight: 15, verdict: unclassified, packets: packets},
	{Weight: 15, verdict: unclassified},
	{Weight: 8, verdict: unclassified, jitter: jitter, roundTrip: longRoundTrip, loss: loss},
}

// unmeasured are the classes of media without rules.
var unmeasured = []class{{Weight: 1, verdict: unclassified, packets: packets}}

// videoClasses are those of video whose frame rate is to be at least bound: poor with more than half of the frames lost; if that isn't known, with a
// rate below the bound; if that isn't either, with more than 15 % of packets lost after correction.
func videoClasses(bound int64) []class {
	fast, slow, littleLossLeft, muchLossLeft := span{bound, 3_000}, span{0, bound - 1}, span{0, 150_000}, span{150_001, 500_000}
	return []class{
		{Weight: 400, verdict: good, packets: packets, jitter: jitter, frameLoss: span{0, 2_000}, frameRate: fast, lossLeft: littleLossLeft},
		// The rate is too low and the loss too high, but the frames came; a percentage below one isn't a ratio.
		{Weight: 15, verdict: good, packets: packets, frameLoss: span{51, 99}, frameRate: slow, lossLeft: muchLossLeft},
		{Weight: 8, verdict: good, packets: packets, frameLoss: span{5_000, 5_000}},
		{Weight: 60, verdict: good, packets: packets, frameRate: fast, lossLeft: muchLossLeft},
		{Weight: 20, verdict: good, packets: packets, lossLeft: littleLossLeft},
		{Weight: 30, verdict: poor, packets: packets, frameLoss: span{5_001, 10_000}, frameRate: fast},
		{Weight: 20, verdict: poor, packets: packets, frameRate: slow, lossLeft: littleLossLeft},
		{Weight: 8, verdict: poor, packets: packets, lossLeft: muchLossLeft},
		{Weight: 25, verdict: unclassified, packets: packets},
		{Weight: 10, verdict: unclassified},
	}
}
