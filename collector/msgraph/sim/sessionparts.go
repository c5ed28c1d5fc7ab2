package sim

import (
	"cmp"
	_ "embed" // embeds the table
	"sync"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// parts are the values that sessions are drawn from.
type parts struct {
	// Devices are the users' devices.
	Devices []device
	// Networks are how users are connected, ServiceNetworks how telephones and services are.
	Networks        []network
	ServiceNetworks []network `yaml:"service_networks"`
	// Failures are the ways in which a session fails, by the names that shapes use.
	Failures map[string][]failure
	// Contents start with the content of telephones.
	Contents []content
	// Classes are only there for the contents to refer to.
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

// network is an end's connection; without a type the network is null.
type network struct {
	simulator.Weight
	Wire string
}

func (n network) label() string { return cmp.Or(n.Wire, "unknown") }

// failure is a way in which a session fails.
type failure struct {
	simulator.Weight
	// Stage is Graph's word for when it failed, Label ours; Dropped says that the session was
	// connected.
	Stage, Label string
	Dropped      bool
	// Reason is Graph's text, Slug the label; both are usually empty.
	Reason, Slug string
}

// content is the media of a session in Graph's words, and the label of the richest one.
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
	// Classes are its classes of quality.
	Classes []class
}

// class is a class of quality: the range of each measure, nil if unknown, and the verdict of the
// published rules.
type class struct {
	simulator.Weight
	Verdict             string
	perMeasure[*[2]int] `yaml:",inline"`
}

// perMeasure has a value for each measure: durations in microseconds, ratios in millionths,
// percentages and frame rates in hundredths. Only video has the frame measures and LossLeft.
type perMeasure[T any] struct {
	Jitter, Loss, Concealed, Packets T
	RoundTrip                        T `yaml:"round_trip"`
	FrameLoss                        T `yaml:"frame_loss"`
	FrameRate                        T `yaml:"frame_rate"`
	LossLeft                         T `yaml:"loss_left"`
}
