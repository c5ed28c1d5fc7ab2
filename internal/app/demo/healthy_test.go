package demo

import (
	"testing"

	wavix "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	msgraph "github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	ringcentral "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestHealthy: apart from its outage the demo stays within the error budget, so that a yellow row means something.
func TestHealthy(t *testing.T) {
	for name, mix := range map[string]*simulator.Mix{
		"direct routing": msgraph.DirectRoutingMix(), "call log": ringcentral.PublishedMix(),
		"placed": wavix.PlacedMix(), "received": wavix.ReceivedMix(),
	} {
		t.Run(name, func(t *testing.T) {
			healthy(mix)
			var all, faults simulator.Weight
			for _, k := range mix.Kinds {
				all += k.Weight
				if k.Outcome == cdr.Failed || k.Wire == wavix.ForwardedInVain {
					faults += k.Weight
				}
			}
			if share, budget := float64(faults)/float64(all), thresholds.Default().ErrorBudget; share > budget {
				t.Errorf("%.1f %% of the calls fail, more than the budget of %.1f %%", 100*share, 100*budget)
			}
		})
	}
}
