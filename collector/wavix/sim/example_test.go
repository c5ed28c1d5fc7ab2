package sim_test

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/wavix/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// An account with a thousand calls of each type on the first of March, of which a late
// reader must have counted all.
func Example() {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	world := func(seed uint64, mix *simulator.Mix) *simulator.World {
		w, err := simulator.NewWorld(simulator.Historical(seed, mix, from, from.Add(24*time.Hour), 1000))
		if err != nil {
			panic(err)
		}
		return w
	}
	account, err := sim.NewAccount(sim.AccountSettings{
		Placed: world(1, sim.PlacedMix()), Received: world(2, sim.ReceivedMix()),
	})
	if err != nil {
		panic(err)
	}
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	faults.Rate(sim.EndpointExport, 0.1, sim.Harmful()...)
	server, err := sim.Start(sim.Settings{
		Account: account, Faults: faults, Clock: simulator.NewManualClock(from.Add(10 * 24 * time.Hour)),
	})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	// Here the exporter would read server.BaseURL(), with server.APIKey().
	totals := account.Totals(server.Pause())
	fmt.Println(totals.Records, "calls, of which", totals.Children, "are legs of others")
	fmt.Println(server.DayTotals(from, sim.Placed, server.Visible()), "placed on the day")
	// Output:
	// 2189 calls, of which 161 are legs of others
	// 1161 placed on the day
}
