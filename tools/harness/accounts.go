// Package harness is what chaos, compare, the simulation and the tests that kill the binary share: the
// comparison of the exporter's metrics and log records with the simulators' totals. For chaos and the
// simulation it also has simulated accounts of several providers with a configuration that reads them.
package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	wavix "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	msgraph "github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	ringcentral "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Settings describe the accounts.
type Settings struct {
	// Seed decides on every call.
	Seed uint64
	// From is when the first calls start, PerSecond how many start in each second on one feed; some
	// feeds have more.
	From      time.Time
	PerSecond float64
	// Late is the longest time from a call's end to its publication.
	Late time.Duration
	// Faults are the faults of all accounts.
	Faults *simulator.Faults
}

// Accounts are simulated providers whose calls never end: a tenant of Microsoft Teams, an account
// and an extension of RingCentral, and an account of Wavix.
type Accounts struct {
	Tenant  *msgraph.Server
	Office  *ringcentral.Server
	Carrier *wavix.Server

	totals map[string]func(simulator.View) simulator.Totals // by SOURCE/FEED
}

// Start starts the accounts. After an error nothing stays open.
func Start(s Settings) (*Accounts, error) {
	pstn := s.world(simulator.Live(s.Seed*10+1, msgraph.PSTNMix(), s.From, 2*s.PerSecond))
	routing := s.world(simulator.Live(s.Seed*10+2, msgraph.DirectRoutingMix(), s.From, 6*s.PerSecond))
	log := s.world(ringcentral.Live(s.Seed*10+3, ringcentral.Mix(), s.From, 4*s.PerSecond))
	own := s.world(ringcentral.Live(s.Seed*10+6, ringcentral.ExtensionMix(), s.From, 2*s.PerSecond))
	placed := s.world(simulator.Live(s.Seed*10+4, wavix.PlacedMix(), s.From, s.PerSecond))
	received := s.world(simulator.Live(s.Seed*10+5, wavix.ReceivedMix(), s.From, s.PerSecond))
	const page, unlimited = 200, 10_000
	a, errs := new(Accounts), [3]error{}
	a.Tenant, errs[0] = msgraph.Start(msgraph.Settings{
		PSTN: pstn, DirectRouting: routing, Faults: s.Faults, PageSize: page,
	})
	a.Office, errs[1] = ringcentral.Start(ringcentral.Settings{
		Account: log, Extension: own, Faults: s.Faults, Heavy: unlimited, Auth: unlimited,
	})
	a.Carrier, errs[2] = wavix.Start(wavix.Settings{
		Placed: placed, Received: received, Faults: s.Faults, MaxPerPage: page,
	})
	if err := errors.Join(errs[:]...); err != nil {
		a.Close()
		return nil, err
	}
	a.totals = map[string]func(simulator.View) simulator.Totals{
		"contoso/pstn": pstn.Totals, "contoso/direct_routing": routing.Totals, "acme/call_log": log.Totals,
		"desk/call_log": own.Totals, "wave/call_log": a.Carrier.Totals,
	}
	return a, nil
}

// world is a world whose calls last for seconds. They never change, so it doesn't matter when they
// are read.
func (s *Settings) world(w simulator.Settings) *simulator.World {
	w.Revised, w.MaxLate = 0, s.Late+8*time.Second
	w.Delays = []simulator.Delay{{Weight: 9, Max: s.Late / 6}, {Weight: 1, Max: s.Late}}
	for _, kinds := range [][]simulator.Kind{w.Mix.Kinds, w.Mix.Incident} {
		for i := range kinds {
			k := &kinds[i]
			k.Ring, k.Fixed = min(k.Ring, 2*time.Second), min(k.Fixed, 5*time.Second)
			if k.Outcome.Connected() && !k.Instant {
				k.Fixed = time.Duration(1+i%5) * time.Second
			}
		}
	}
	return simulator.NewWorld(w)
}

// Close stops all accounts.
func (a *Accounts) Close() {
	if a.Tenant != nil {
		a.Tenant.Close()
	}
	if a.Office != nil {
		a.Office.Close()
	}
	if a.Carrier != nil {
		a.Carrier.Close()
	}
}

// Pace says how often the accounts are read, and when their calls count. Each is a YAML duration.
type Pace struct{ Interval, Lookback, Settle, WholeAfter string }

// configuration reads all feeds.
const configuration = `storage: {%[1]s}
metrics: {zero_for: 0s}
otlp: %[2]s
sources:
  - name: contoso
    requests_per_minute: 1000000
    tls_config: {ca_file: contoso.pem}
    msgraph:
      tenant_id: %[3]s
      client_id: %[4]s
      client_secret: %[5]s
      login_url: %[6]s
      graph_url: %[6]s
      pstn: {interval: %[13]s, lookback: %[14]s}
      direct_routing: {interval: %[13]s, lookback: %[14]s}
  - name: acme
    tls_config: {ca_file: acme.pem}
    ringcentral: {base_url: %[7]s, client_id: %[8]s, client_secret: %[9]s, jwt: %[10]s,
      call_log: {interval: %[13]s, lookback: %[14]s}}
  - name: desk
    tls_config: {ca_file: acme.pem}
    ringcentral: {base_url: %[7]s, client_id: %[8]s, client_secret: %[9]s, jwt: %[10]s, scope: extension,
      call_log: {interval: %[13]s, lookback: %[14]s, settle: %[15]s}}
  - name: wave
    requests_per_minute: 1000000
    tls_config: {ca_file: wave.pem}
    wavix: {base_url: %[11]s, api_key: %[12]s,
      call_log: {interval: %[13]s, lookback: %[14]s, settle: %[15]s, whole_after: %[16]s}}
`

// Configure writes the configuration, and the files that it names, and returns its file. Storage
// and otlp are YAML.
func (a *Accounts) Configure(folder, storage, otlp string, p Pace) (string, error) {
	file := filepath.Join(folder, "config.yaml")
	text := fmt.Sprintf(configuration, storage, otlp, msgraph.TenantID, msgraph.ClientID, a.Tenant.ClientSecret,
		a.Tenant.BaseURL(), a.Office.BaseURL(), ringcentral.ClientID, a.Office.ClientSecret, a.Office.JWT(),
		a.Carrier.BaseURL(), a.Carrier.APIKey, p.Interval, p.Lookback, p.Settle, p.WholeAfter)
	return file, errors.Join(os.WriteFile(file, []byte(text), 0o600),
		a.Tenant.WriteCA(filepath.Join(folder, "contoso.pem")),
		a.Office.WriteCA(filepath.Join(folder, "acme.pem")), a.Carrier.WriteCA(filepath.Join(folder, "wave.pem")))
}
