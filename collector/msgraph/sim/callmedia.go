package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// carrying is what media a session carries: as Graph says it, and the label of the
// richest of them.
type carrying struct {
	weight     int
	modalities []string
	label      string
	lines      []line
}

// line is a kind of medium: its label of Graph's and ours.
type line struct {
	wire, label string
	// oneWay says that only one end sends.
	oneWay bool
	// codec is for audio or for video; empty for neither.
	codec string
	class []class
	bad   []class
}

var (
	mainAudio = line{wire: "main-audio", label: "audio", codec: "audio", class: audioClasses, bad: badAudioClasses}
	mainVideo = line{wire: "main-video", label: "video", codec: "video", class: videoClasses(700), bad: badVideoClasses(700)}
	panorama  = line{wire: "panoramic-video", label: "video", codec: "video", oneWay: true, class: videoClasses(700), bad: badVideoClasses(700)}
	sharing   = line{
		wire: "applicationsharing-video", label: "screen_share", codec: "video", oneWay: true, class: videoClasses(200), bad: badVideoClasses(200),
	}
	dataLine = line{wire: "data", label: "data", class: unmeasured, bad: unmeasured}
	// strange is a label that nobody has heard of.
	strange = line{wire: "hologram", label: "other", oneWay: true, class: unmeasured, bad: unmeasured}
)

// carryings begin with that of telephones.
var carryings = []carrying{
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

// medium is a line of a segment with its streams.
type medium struct {
	line    *line
	streams []stream
}

// stream is one way of a medium.
type stream struct {
	toCallee bool
	// network and platform are its sender's, as labels.
	network, platform string
	verdict           string
	measures
	// style varies how it is written.
	style int
}

// measure draws the media of a session's segments. What failed before media flowed
// has none, mostly, and some clients never report.
func (p *plan) measure(s *session, index int, again bool) {
	d := p.source.world.Draws(p.place, drawSession|1<<18|uint64(index))
	if s.failure != nil && s.failure.stage.result == cdr.SessionSetupFailed && d.Below(4) != 0 || d.Below(25) == 0 {
		return
	}
	purpose := drawQuality | uint64(index)<<1
	if again {
		purpose++
	}
	q := p.source.world.Draws(p.place, purpose)
	bypass := p.bypass(&d)
	for i := range s.segments {
		part := &s.segments[i]
		part.media = make([]medium, len(s.carries.lines))
		for k := range part.media {
			part.media[k] = p.medium(s, &s.carries.lines[k], bypass, &d, &q)
		}
	}
}

// bypass is whether a session's streams bypass: as the trunk is set for routed calls, and
// nobody says of some.
func (p *plan) bypass(d *simulator.Draws) cdr.Bool {
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

// medium draws one medium of a segment: its streams from what the session is, what was
// measured of them from q.
func (p *plan) medium(s *session, l *line, bypass cdr.Bool, d, q *simulator.Draws) medium {
	m := medium{line: l, streams: make([]stream, 0, 2)}
	for _, toCallee := range []bool{true, false} {
		if l.oneWay && !toCallee {
			break
		}
		sender := &s.callee
		if toCallee {
			sender = &s.caller
		}
		classes := l.class
		if p.bad && sender.access.label != "wired" {
			classes = l.bad
		}
		one := stream{toCallee: toCallee, network: sender.access.label, platform: sender.platform(), style: d.Below(8)}
		c := &classes[weighted(len(classes), func(i int) int { return classes[i].weight }, q)]
		one.measures, one.verdict = c.draw(q), c.verdict
		if one.bypass = bypass; d.Below(20) == 0 {
			one.bypass = cdr.Unsaid
		}
		m.streams = append(m.streams, one)
	}
	return m
}
