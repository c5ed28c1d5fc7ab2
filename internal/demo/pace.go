package demo

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Settings change the demo. The zero value is the demo itself.
type Settings struct {
	// Pace divides the length of calls, for tests of alerting rules that are as much faster. Calls are
	// then published within seconds, at the same rate at any hour, no trunk fails by itself, and
	// Direct Routing has more calls. 0 and 1: normal pace.
	Pace int
}

// pacedRate is Direct Routing's rate at another pace, in calls per second: enough to
// judge each trunk within half a minute.
const pacedRate = 3.0

// routing is the rate of Direct Routing in calls per second.
func (s Settings) routing() float64 {
	if s.Pace > 1 {
		return pacedRate
	}
	return routingRate
}

// paced applies the pace to a world, whose mix must not be shared.
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

// shorten makes a kind of calls shorter. Connected ones last some minutes divided by the pace,
// each kind differently.
func shorten(k *simulator.Kind, pace time.Duration, number int) {
	k.Ring = max(k.Ring/pace, time.Second)
	if k.Outcome.Connected() && !k.Instant {
		long := time.Duration(120+40*(number%5)) * time.Second
		k.Fixed = max((long / pace).Truncate(time.Second), time.Second)
	}
}
