package sim_test

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// A tenant with a thousand PSTN calls on the first of March, of which a late reader
// must have counted all.
func Example() {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	pstn, err := simulator.NewWorld(simulator.Historical(1, sim.PSTNMix(), from, from.Add(24*time.Hour), 1000))
	if err != nil {
		panic(err)
	}
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	faults.Rate(sim.EndpointPSTN, 0.1, simulator.Transient()...)
	server, err := sim.Start(sim.Settings{
		PSTN: pstn, Faults: faults, Clock: simulator.NewManualClock(from.Add(10 * 24 * time.Hour)),
	})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	// Here the exporter would read server.GraphURL(), with server.ClientSecret().
	totals := pstn.Totals(server.Pause())
	fmt.Println(totals.Records, "calls in", len(totals.Calls), "series")
	// Output: 1000 calls in 23 series
}
