package sim

import (
	"cmp"
	_ "embed" // of the table
	"sync"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// parts are what sessions are made of.
type parts struct {
	// Devices are those of users.
	Devices []device
	// Networks are how users are connected, ServiceNetworks how telephones and services are.
	Networks        []network
	ServiceNetworks []network `yaml:"service_networks"`
	// Failures are the ways in which a session fails, by the names that shapes have for them.
	Failures map[string][]failure
	// Contents begin with that of telephones.
	Contents []content
	// Classes are there for the contents that refer to them.
	Classes map[string][]class
}

//go:embed mixes/sessions.yaml
var sessionTable string

var sessionParts = sync.OnceValue(func() *parts {
	var p parts
	simulator.ReadTable(sessionTable, &p)
	return &p
})

// device is a client's platform, in Graph's spelling and in the label's.
type device struct {
	simulator.Weight
	Wire, Label, Family string
}

// network is how an end was connected; without a type the network comes as null.
type network struct {
	simulator.Weight
	Wire string
}

func (n network) label() string { return cmp.Or(n.Wire, "unknown") }

// failure is a way in which a session fails.
type failure struct {
	simulator.Weight
	// Stage is Graph's word for when it failed, Label ours; Dropped says that the session was up.
	Stage, Label string
	Dropped      bool
	// Reason is Graph's text, Slug the label: both empty for most.
	Reason, Slug string
}

// content is what media a session carries: as Graph says it, and the label of the richest of them.
type content struct {
	simulator.Weight
	Modalities []string
	Label      string
	Lines      []line
}

// line is a kind of medium: Graph's label and ours.
type line struct {
	Wire, Label string
	// OneWay says that only one end sends.
	OneWay bool `yaml:"one_way"`
	// Codec is audio, video or empty.
	Codec string
	// Classes are the kinds of quality.
	Classes []class
}

// class is a kind of quality: the range of each measure, nil for one that isn't known, and the verdict of the published rules.
type class struct {
	simulator.Weight
	Verdict             string
	perMeasure[*[2]int] `yaml:",inline"`
}

// perMeasure has something of each measure: durations in microseconds, ratios in millionths, percentages and frame rates in hundredths. Those of
// frames and LossLeft are of video.
type perMeasure[T any] struct {
	Jitter, Loss, Concealed, Packets T
	RoundTrip                        T `yaml:"round_trip"`
	FrameLoss                        T `yaml:"frame_loss"`
	FrameRate                        T `yaml:"frame_rate"`
	LossLeft                         T `yaml:"loss_left"`
}
