package main

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// fastRouting is Direct Routing's rate when the rules are faster, in calls per second: enough to
// judge each trunk within half a minute.
const fastRouting = 3.0

// paced are the settings of a demo for alerting rules that are speed times as fast. Calls are
// shorter by the same factor and published within seconds, and Direct Routing has more calls.
func paced(speed int) demo.Settings {
	if speed <= 1 {
		return demo.Settings{}
	}
	return demo.Settings{RoutingRate: fastRouting, Change: func(world *simulator.Settings) {
		for _, kinds := range [][]simulator.Kind{world.Mix.Kinds, world.Mix.Incident} {
			for i := range kinds {
				shorten(&kinds[i], time.Duration(speed), i)
			}
		}
		world.Delays = []simulator.Delay{{Weight: 1, Max: 3 * time.Second}}
	}}
}

// shorten makes a kind of calls shorter. Connected calls last some minutes divided by the speed,
// each kind differently.
func shorten(k *simulator.Kind, speed time.Duration, number int) {
	k.Ring = max(k.Ring/speed, time.Second)
	if k.Outcome.Connected() && !k.Instant {
		long := time.Duration(120+40*(number%5)) * time.Second
		k.Fixed = max((long / speed).Truncate(time.Second), time.Second)
	}
}
