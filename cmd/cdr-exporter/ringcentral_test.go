package main_test

import (
	"fmt"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
)

// TestRingCentralViews: in the simple view, without legs and money, and without the time of a change,
// calls and recordings are the same. Visits to queues that legs tell of are counted once, by the
// queue's name, over a kill, and calls are the same as without them.
func TestRingCentralViews(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	queues := newOffice(t, at, rcsim.Settings{Account: world(t, unfoldingLog(202, rcsim.Mix(), 500))})
	simple := *queues
	simple.name, simple.View = "simple", "simple"
	queues.CallLog += ", queues: true"
	queues.visits = true
	seen := []time.Time{queues.Pause()}
	config := at.configureSources(settings{}, queues.item(), simple.item())
	for range 2 {
		x := start(t, at.vault, launch{config: config}).ready()
		for range 2 {
			x.counts(queues, seen...)
			x.counts(&simple, seen...)
			queues.Advance(12 * time.Hour)
			seen = append(seen, queues.Visible())
		}
		x.kill()
	}
	x := start(t, at.vault, launch{config: config}).ready()
	x.counts(queues, seen...)
	x.counts(&simple, seen...)
	x.stop()
}

// TestLimits: with the limits that the providers have, of which the
// minute is shortened, everything is counted, and no limit is ever overrun.
func TestLimits(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{
		seed: 203, calls: 500, era: unfoldingEra,
		graph:       sim.Settings{Gzip: true},
		ringcentral: rcsim.Settings{Heavy: 10, Auth: 5, Window: 2 * time.Second},
		wavix:       wavixsim.Settings{RequestsPerMinute: 900},
	})
	e.carrier.perMinute = 900
	e.hold()
	x := e.start(settings{}).ready()
	x.unfold(e)
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			eventually(t, "catch up with "+p.source()+"/"+feed, func() error {
				if f := x.feed(p.source(), feed); f.State != "ok" {
					return fmt.Errorf("it is %q: %s", f.State, f.LastError)
				}
				return nil
			})
		}
	}
	x.stop()
	if n := e.office.Requests().Count("")[429]; n != 0 {
		t.Errorf("RingCentral throttled %d requests", n)
	}
	for _, endpoint := range []string{wavixsim.EndpointList, wavixsim.EndpointCalls} {
		if n := e.carrier.Requests().Count(endpoint)[429]; n != 0 {
			t.Errorf("Wavix throttled %d requests for %s", n, endpoint)
		}
	}
}
