package main_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestFirstHistory (counting.md 20): nothing of a feed is shown until its
// first history was read to its end, and then all at once, across restarts too;
// another feed doesn't wait for it.
func TestFirstHistory(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 73})
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, past(73, sim.PSTNMix(), 1_000)),
		DirectRouting: world(t, past(74, sim.DirectRoutingMix(), 1_000)),
		PageSize:      100, Faults: faults,
	})
	var open atomic.Bool
	faults.Hook(func(r simulator.Request) simulator.Fault {
		if r.Endpoint == sim.EndpointPSTN && r.Continued && !open.Load() {
			return simulator.Unavailable
		}
		return simulator.NoFault
	})
	now := n.Pause()
	want := view(n.worlds[pstn], now).Metrics
	hidden := func(m families) error {
		return asError(diff(m.tables("contoso", pstn), tables{}))
	}
	for range 2 {
		x := n.start(settings{}).serving()
		x.countsFeed(n, n.source(), directRouting, now)
		eventually(t, "read a part of the history", func() error {
			x.running()
			m := x.scrape()
			if err := hidden(m); err != nil {
				t.Fatalf("a part of the history is shown: %v", err)
			}
			if m.sum("cdr_exporter_rows_total", "feed="+pstn, "result=new", "result=duplicate") == 0 &&
				x.feed("contoso", pstn).Records == 0 {
				return errors.New("nothing was read")
			}
			return nil
		})
		x.kill()
	}
	x := n.start(settings{}).serving()
	x.countsFeed(n, n.source(), directRouting, now)
	open.Store(true)
	eventually(t, "show the history", func() error {
		x.running()
		m := x.scrape()
		switch err := hidden(m); {
		case err == nil:
			return errors.New("it is still hidden")
		case diff(m.tables("contoso", pstn), want) != "":
			t.Fatalf("the history isn't shown all at once: %s", diff(m.tables("contoso", pstn), want))
		}
		return nil
	})
	x.stop()
}
