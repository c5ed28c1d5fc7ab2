package demo

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Settings say how the demo differs from itself. The zero value is the demo.
type Settings struct {
	// Pace is how many times as short as usual calls are, for whoever watches a trunk fail
	// by rules that are as much faster. Then they are published within seconds, as many at
	// any hour, no trunk fails by itself, and Direct Routing has more of them. 0 and 1: as
	// usual.
	Pace int
}

// pacedRate is how many calls a second Direct Routing has at another pace: enough for each
// trunk to be judged within half a minute.
const pacedRate = 3.0

// routing is the rate of Direct Routing.
func (s Settings) routing() float64 {
	if s.Pace > 1 {
		return pacedRate
	}
	return routingRate
}

// paced changes a world, and the mix that it alone has, to the pace.
func (s Settings) paced(world simulator.Settings) simulator.Settings {
	if s.Pace <= 1 {
		return world
	}
	pace := time.Duration(s.Pace)
	for _, kinds := range [][]simulator.Kind{world.Mix.Kinds, world.Mix.Incident} {
		for i := range kinds {
			shorten(&kinds[i], pace, i)
		}
	}
	world.Hours, world.Incidents = [24]int{}, 0
	world.Delays = []simulator.Delay{{Weight: 1, Max: 3 * time.Second}}
	return world
}

// shorten makes a kind of calls shorter. Those that connect last some minutes as it were,
// each kind another time.
func shorten(k *simulator.Kind, pace time.Duration, number int) {
	k.Ring = max(k.Ring/pace, time.Second)
	if k.Outcome.Connected() && !k.Instant {
		long := time.Duration(120+40*(number%5)) * time.Second
		k.Fixed = max((long / pace).Truncate(time.Second), time.Second)
	}
}
