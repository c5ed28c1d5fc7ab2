package sim

import (
	_ "embed" // embeds the tables

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The tables of traffic mixes.
var (
	//go:embed mix.yaml
	commonTable string
	//go:embed placed.yaml
	placedTable string
	//go:embed received.yaml
	receivedTable string
)

// PlacedMix is the traffic of type placed.
func PlacedMix() *simulator.Mix { return mix(Placed, placedTable) }

// ReceivedMix is the traffic of type received.
func ReceivedMix() *simulator.Mix { return mix(Received, receivedTable) }

// mix reads a mix: the part that both types share, and a table.
func mix(name, table string) *simulator.Mix {
	m := simulator.ReadMix[struct{}](nil, commonTable, table)
	m.Mask = '5' // a digit: Wavix masks nothing
	m.Name, m.NoCurrency, m.MoneyUnit, m.Components = "wavix "+name, "USD", 10, [2]string{"usage", "forwarding"}
	// Wavix's records don't have users.
	m.Users = []simulator.User{{
		ID: "5a5a0000-0000-4000-8000-000000000001", Principal: "alex.example@wave.example",
		Name: "Alex Example",
	}}
	return m
}
