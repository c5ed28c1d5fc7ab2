package sim_test

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// An account with a thousand rows on the first of March, of which a late reader must
// have counted all that are calls.
func Example() {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	account, err := simulator.NewWorld(sim.Historical(1, sim.Mix(), from, from.Add(24*time.Hour), 1000))
	if err != nil {
		panic(err)
	}
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	faults.Rate(sim.EndpointCallLog, 0.1, simulator.Transient()...)
	server, err := sim.Start(sim.Settings{
		Account: account, Faults: faults, Clock: simulator.NewManualClock(from.Add(10 * 24 * time.Hour)),
	})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	// Here the exporter would read server.BaseURL(), with server.JWT().
	totals := account.Totals(server.Pause())
	fmt.Println(totals.Records, "calls in", len(totals.Calls), "series,", totals.Recordings["automatic"], "automatic recordings")
	// Output: 947 calls in 35 series, 78 automatic recordings
}
