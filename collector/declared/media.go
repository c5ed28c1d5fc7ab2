package declared

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Media describes the audio of a call in one stream.
type Media struct {
	Jitter    language.Value `yaml:"jitter"`
	RoundTrip language.Value `yaml:"round_trip"`
	Loss      language.Value `yaml:"loss"`
	MOS       language.Value `yaml:"mos"`
	Packets   language.Value `yaml:"packets"`
	Direction language.Value `yaml:"direction"`
}

// mediaList is several streams, or a single one without a list.
type mediaList []Media

// DecodeNode implements config.NodeDecoder.
func (l *mediaList) DecodeNode(n *config.Node) {
	if n.IsMap() {
		*l = make([]Media, 1)
		n.Decode(&(*l)[0])
	} else {
		n.Decode((*[]Media)(l))
	}
}

// streamDirections are the listeners of a stream: true is the callee.
var streamDirections = map[string]bool{"to_callee": true, "to_caller": false}

// Validate implements config.Validator.
func (m *Media) Validate(r *config.Report) {
	if !m.Jitter.IsSet() && !m.RoundTrip.IsSet() && !m.Loss.IsSet() && !m.MOS.IsSet() {
		r.Problemf("", "has no measure; set at least one of jitter, round_trip, loss and mos")
	}
	language.ValidateWords(r, "direction", &m.Direction, streamDirections, "to_callee or to_caller")
}

// usualPacket is how much audio a packet has, if the row doesn't have the number of packets: a
// measure over few packets means nothing.
const usualPacket = 20 * time.Millisecond

// media adds the streams for which the row has values. They count with the first final version of
// the row.
func (p *mapping) media() {
	r := p.record
	for i := range p.feed.Record.Media {
		m := &p.feed.Record.Media[i]
		s := cdr.Stream{Media: "audio", Network: "unknown", Platform: "unknown"}
		s.Jitter.Value, s.Jitter.Known = read(p, "media.jitter", &m.Jitter, (*language.Result).Measured)
		s.RoundTrip.Value, s.RoundTrip.Known = read(p, "media.round_trip", &m.RoundTrip, (*language.Result).Measured)
		s.Loss.Value, s.Loss.Known = read(p, "media.loss", &m.Loss, (*language.Result).Share)
		s.MOS.Value, s.MOS.Known = read(p, "media.mos", &m.MOS, (*language.Result).Score)
		if !s.Jitter.Known && !s.RoundTrip.Known && !s.Loss.Known && !s.MOS.Known {
			continue
		}
		s.Packets.Value, s.Packets.Known = p.integer("media.packets", &m.Packets, 64, "isn't a whole number")
		if !s.Packets.Known || s.Packets.Value < 0 {
			connected, known := r.ConnectedTime()
			s.Packets = cdr.Int{Value: int64(connected / usualPacket), Known: known}
		}
		toCallee, found := readWord(p, "media.direction", &m.Direction, streamDirections,
			"is neither to_callee nor to_caller")
		s.ToCallee, s.NoSender = toCallee, !found
		r.Streams = append(r.Streams, s)
	}
	r.Settled = len(r.Streams) > 0
}
