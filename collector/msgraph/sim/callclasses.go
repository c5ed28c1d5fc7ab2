package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// measures are what was measured of a stream, in whole numbers: durations in
// microseconds, ratios in millionths, percentages and frame rates in hundredths.
type measures struct {
	jitter, roundTrip         cdr.Int
	loss, concealed, lossLeft cdr.Int
	frameLoss, frameRate      cdr.Int
	packets                   cdr.Int
	bypass                    cdr.Bool
}

// class is a kind of quality. Its verdict is what the published rules say of it, written
// down with the measures that make it so and not computed from them.
type class struct {
	weight  int
	verdict string
	draw    func(*simulator.Draws) measures
}

// The verdicts.
const (
	good         = "good"
	poor         = "poor"
	unclassified = "unclassified"
)

func between(d *simulator.Draws, low, high int) cdr.Int {
	return cdr.KnownInt(int64(d.Between(low, high)))
}

// fine is audio that nobody complains of.
func fine(d *simulator.Draws) measures {
	m := measures{
		jitter: between(d, 1_000, 25_000), roundTrip: between(d, 5, 300), loss: between(d, 0, 30_000),
		concealed: between(d, 0, 50_000), packets: between(d, 501, 60_000),
	}
	m.roundTrip.Value *= 1000 // whole milliseconds, mostly
	switch d.Below(12) {
	case 0:
		m.loss, m.concealed = cdr.KnownInt(0), cdr.Int{}
	case 1:
		m.jitter = cdr.KnownInt(0)
	}
	return m
}

// with is fine audio with a change.
func with(change func(*measures, *simulator.Draws)) func(*simulator.Draws) measures {
	return func(d *simulator.Draws) measures {
		m := fine(d)
		change(&m, d)
		return m
	}
}

// spoil makes one of the three measures that count pass its bound.
func spoil(m *measures, d *simulator.Draws) {
	switch d.Below(3) {
	case 0:
		m.jitter = between(d, 30_001, 250_000)
	case 1:
		m.roundTrip = between(d, 500_001, 2_500_000)
	default:
		m.loss = between(d, 100_001, 900_000)
	}
}

// The classes of audio: poor with more than 500 packets and jitter over 30 ms, a round
// trip over 500 ms or more than a tenth lost (Stream classification in Call Quality
// Dashboard).
var (
	fineAudio  = class{800, good, fine}
	quietAudio = class{60, good, with(func(m *measures, d *simulator.Draws) { m.packets = between(d, 0, 500) })}
	poorAudio  = class{60, poor, with(spoil)}
	// shortAudio is bad, but too short to be called poor.
	shortAudio = class{25, good, with(func(m *measures, d *simulator.Draws) {
		spoil(m, d)
		m.packets = cdr.KnownInt([]int64{500, 500, 12, 67, 0}[d.Below(5)])
	})}
	// edgeAudio is at the bounds and not past them.
	edgeAudio = class{15, good, with(func(m *measures, _ *simulator.Draws) {
		m.jitter, m.roundTrip, m.loss = cdr.KnownInt(30_000), cdr.KnownInt(500_000), cdr.KnownInt(100_000)
	})}
	// partAudio has one of the measures.
	partAudio = class{40, good, with(func(m *measures, d *simulator.Draws) {
		*m = measures{roundTrip: m.roundTrip, packets: m.packets}
		if d.Below(2) == 0 {
			m.roundTrip, m.jitter = cdr.Int{}, between(d, 1_000, 30_000)
		}
	})}
	partPoorAudio = class{5, poor, with(func(m *measures, d *simulator.Draws) {
		*m = measures{loss: between(d, 100_001, 500_000), packets: cdr.KnownInt(501)}
	})}
	// silentAudio was muted, or its report is missing.
	silentAudio = class{30, unclassified, with(func(m *measures, d *simulator.Draws) {
		*m = measures{packets: between(d, 0, 2_000)}
		if d.Below(2) == 0 {
			m.packets = cdr.Int{}
		}
	})}
	// countlessAudio is bad, and nobody knows for how many packets.
	countlessAudio = class{8, unclassified, with(func(m *measures, d *simulator.Draws) {
		spoil(m, d)
		m.packets = cdr.Int{}
	})}

	audioClasses = []class{
		fineAudio, quietAudio, poorAudio, shortAudio, edgeAudio, partAudio, partPoorAudio, silentAudio, countlessAudio,
	}
	badAudioClasses = []class{{30, good, fine}, {60, poor, with(spoil)}, shortAudio}
)

// unmeasured are the classes of what has no rules.
var unmeasured = []class{{1, unclassified, func(d *simulator.Draws) measures { return measures{packets: between(d, 0, 5_000)} }}}

// moving is video of which all is known but what its class is judged by.
func moving(d *simulator.Draws) measures {
	m := fine(d)
	m.concealed = cdr.Int{}
	return m
}

// seen is video with the measures that it is judged by: the first of these that there is.
func seen(set func(*measures, *simulator.Draws)) func(*simulator.Draws) measures {
	return func(d *simulator.Draws) measures {
		m := moving(d)
		set(&m, d)
		return m
	}
}

// videoClasses are those of video whose frame rate is to be at least bound: poor with
// more than half of the frames lost; if that isn't known, with a rate below the bound;
// if that isn't either, with more than 15 % of packets lost after correction.
func videoClasses(bound int) []class {
	return []class{
		{400, good, seen(func(m *measures, d *simulator.Draws) {
			m.frameLoss, m.frameRate, m.lossLeft = between(d, 0, 2_000), between(d, bound, 3_000), between(d, 0, 50_000)
		})},
		// The rate is too low and the loss too high, but the frames came.
		{15, good, seen(func(m *measures, d *simulator.Draws) {
			m.frameLoss, m.frameRate, m.lossLeft = between(d, 0, 5_000), between(d, 0, bound-1), between(d, 150_001, 500_000)
		})},
		{30, poor, lostFrames(bound)},
		{8, good, seen(func(m *measures, _ *simulator.Draws) { m.frameLoss = cdr.KnownInt(5_000) })},
		// A percentage below one isn't a ratio.
		{20, good, seen(func(m *measures, d *simulator.Draws) { m.frameLoss = between(d, 51, 99) })},
		{60, good, seen(func(m *measures, d *simulator.Draws) {
			m.frameRate, m.lossLeft = between(d, bound, 3_000), between(d, 0, 500_000)
		})},
		{20, poor, slowFrames(bound)},
		{20, good, seen(func(m *measures, d *simulator.Draws) { m.lossLeft = between(d, 0, 150_000) })},
		{8, poor, seen(func(m *measures, d *simulator.Draws) { m.lossLeft = between(d, 150_001, 500_000) })},
		{25, unclassified, moving},
		{10, unclassified, func(*simulator.Draws) measures { return measures{} }},
	}
}

func badVideoClasses(bound int) []class {
	return []class{{2, poor, lostFrames(bound)}, {2, poor, slowFrames(bound)}, {1, unclassified, moving}}
}

func lostFrames(bound int) func(*simulator.Draws) measures {
	return seen(func(m *measures, d *simulator.Draws) {
		m.frameLoss, m.frameRate = between(d, 5_001, 10_000), between(d, bound, 3_000)
	})
}

func slowFrames(bound int) func(*simulator.Draws) measures {
	return seen(func(m *measures, d *simulator.Draws) {
		m.frameRate, m.lossLeft = between(d, 0, bound-1), between(d, 0, 150_000)
	})
}
