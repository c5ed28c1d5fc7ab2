package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	wavix "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	msgraph "github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	ringcentral "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// accounts are the simulated providers, whose calls never end, and the OTLP endpoint.
type accounts struct {
	tenant  *msgraph.Server
	office  *ringcentral.Server
	carrier *wavix.Server
	sink    *otlpsink.Sink
	// books are the totals of each feed, by SOURCE/FEED.
	books map[string]func(simulator.View) simulator.Totals
	// cut says that providers reset all connections.
	cut atomic.Bool
}

// start starts all of them until the fixture is closed.
func (a *accounts) start(b *fixture, seed uint64) error {
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: seed})
	faults.Rate("", 0.01, simulator.Transient()...)
	faults.Hook(func(simulator.Request) simulator.Fault {
		if a.cut.Load() {
			return simulator.Reset
		}
		return simulator.NoFault
	})
	from := time.Now().Add(-time.Minute)
	pstn := world(simulator.Live(seed*10+1, msgraph.PSTNMix(), from, 1))
	routing := world(simulator.Live(seed*10+2, msgraph.DirectRoutingMix(), from, 3))
	log := world(ringcentral.Live(seed*10+3, ringcentral.Mix(), from, 2))
	own := world(ringcentral.Live(seed*10+6, ringcentral.ExtensionMix(), from, 1))
	placed := world(simulator.Live(seed*10+4, wavix.PlacedMix(), from, 0.5))
	received := world(simulator.Live(seed*10+5, wavix.ReceivedMix(), from, 0.5))
	const page, unlimited = 200, 10_000
	var errs [4]error
	a.tenant, errs[0] = msgraph.Start(msgraph.Settings{
		PSTN: pstn, DirectRouting: routing, Faults: faults,
		PageSize: page,
	})
	a.office, errs[1] = ringcentral.Start(ringcentral.Settings{
		Account: log, Extension: own, Faults: faults,
		Heavy: unlimited, Auth: unlimited,
	})
	a.carrier, errs[2] = wavix.Start(wavix.Settings{
		Placed: placed, Received: received, Faults: faults,
		MaxPerPage: page,
	})
	a.sink, errs[3] = otlpsink.Start(otlpsink.Settings{})
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	b.ends = append(b.ends, a.tenant.Close, a.office.Close, a.carrier.Close, a.sink.Close)
	a.books = map[string]func(simulator.View) simulator.Totals{
		"contoso/pstn": pstn.Totals, "contoso/direct_routing": routing.Totals, "acme/call_log": log.Totals,
		"desk/call_log": own.Totals,
		"wave/call_log": a.carrier.Totals,
	}
	return nil
}

// world is a world whose calls last for seconds and are published within 20 s of their start, so
// that all are found soon. They never change, so it doesn't matter when they are found.
func world(s simulator.Settings) *simulator.World {
	s.Revised, s.MaxLate = 0, 20*time.Second
	s.Delays = []simulator.Delay{{Weight: 9, Max: 2 * time.Second}, {Weight: 1, Max: 12 * time.Second}}
	// The leg of a call that was forwarded unanswered is published minutes later, when the call may
	// already be counted.
	s.Mix.Kinds = slices.DeleteFunc(s.Mix.Kinds,
		func(k simulator.Kind) bool { return k.Wire == "forwarded" && !k.Outcome.Connected() })
	for _, kinds := range [][]simulator.Kind{s.Mix.Kinds, s.Mix.Incident} {
		for i := range kinds {
			k := &kinds[i]
			k.Ring, k.Fixed = min(k.Ring, 2*time.Second), min(k.Fixed, 5*time.Second)
			if k.Outcome.Connected() && !k.Instant {
				k.Fixed = time.Duration(1+i%5) * time.Second
			}
		}
	}
	return simulator.NewWorld(s)
}

// fail makes providers and the OTLP endpoint fail at times, until the context ends.
func (a *accounts) fail(ctx context.Context, random *rand.Rand) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		a.cut.Store(random.IntN(5) == 0)
		a.sink.ClearFailures()
		switch random.IntN(5) {
		case 0:
			a.sink.Fail(otlpsink.Reply{Status: 503, Times: 1 + random.IntN(3)})
		case 1:
			a.sink.Fail(otlpsink.Reply{OnlyLogs: true, Status: 503, Accept: true, Times: 1}) // the answer is lost
		case 2:
			a.sink.Fail(otlpsink.Reply{OnlyLogs: true, Drop: true})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	a.cut.Store(false)
	a.sink.ClearFailures()
}

// configuration reads all feeds every second. The last leg of a call is published within four
// seconds of the first one; a call waits for a parent that isn't listed until `whole_after`.
const configuration = `storage: {%s}
metrics: {zero_for: 0s}
otlp: {endpoint: %q, interval: 1s, shutdown_timeout: 2s}
sources:
  - name: contoso
    requests_per_minute: 1000000
    tls_config: {ca_file: contoso.pem}
    msgraph:
      tenant_id: %s
      client_id: %s
      client_secret: %s
      login_url: %s
      graph_url: %[6]s
      pstn: {interval: 1s, lookback: 1h}
      direct_routing: {interval: 1s, lookback: 1h}
  - name: acme
    tls_config: {ca_file: acme.pem}
    ringcentral: {base_url: %s, client_id: %s, client_secret: %s, jwt: %s, call_log: {interval: 1s, lookback: 1h}}
  - name: desk
    tls_config: {ca_file: acme.pem}
    ringcentral: {base_url: %[7]s, client_id: %[8]s, client_secret: %[9]s, jwt: %[10]s, scope: extension,
      call_log: {interval: 1s, lookback: 1h, settle: 8s}}
  - name: wave
    requests_per_minute: 1000000
    tls_config: {ca_file: wave.pem}
    wavix: {base_url: %s, api_key: %s, call_log: {interval: 1s, lookback: 1h, settle: 8s, whole_after: 20s}}
`

// configure writes the configuration, and what it names, and returns the file.
func (a *accounts) configure(folder, storage string) (string, error) {
	file := filepath.Join(folder, "config.yaml")
	text := fmt.Sprintf(configuration, storage, a.sink.URL(), msgraph.TenantID, msgraph.ClientID, a.tenant.ClientSecret,
		a.tenant.BaseURL(),
		a.office.BaseURL(), ringcentral.ClientID, a.office.ClientSecret, a.office.JWT(), a.carrier.BaseURL(),
		a.carrier.APIKey)
	return file, errors.Join(os.WriteFile(file, []byte(text), 0o600),
		a.tenant.WriteCA(filepath.Join(folder, "contoso.pem")),
		a.office.WriteCA(filepath.Join(folder, "acme.pem")), a.carrier.WriteCA(filepath.Join(folder, "wave.pem")))
}
