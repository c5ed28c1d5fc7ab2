package demo

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	msgraph "github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	ringcentral "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	wavix "github.com/cdr-exporter/cdr-exporter/collector/wavix/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The demo's traffic in calls per second, enough to watch calls arrive. Wavix has the
// least, since it is read by whole days.
const (
	pstnRate     = 0.5
	routingRate  = 1.0
	meetingRate  = 0.03
	officeRate   = 0.8
	placedRate   = 0.1
	receivedRate = 0.1
)

// recorded is the share of the Direct Routing calls that have call records too.
const recorded = 0.02

// limit is RingCentral's limit of requests per minute, above what the demo's intervals need.
const limit = 5000

// begin is the start of the first simulated calls, fixed so that a kept ledger sees the same
// calls again.
var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Providers are the simulated providers.
type Providers struct {
	Tenant  *msgraph.Server
	Office  *ringcentral.Server
	Carrier *wavix.Server
	// The tenant's and the office's calls; the carrier knows its own.
	PSTN, DirectRouting, Log *simulator.World
	Records                  *msgraph.CallRecords

	settings Settings
}

// Start starts all providers. An error leaves none running.
func Start(s Settings) (*Providers, error) {
	p := &Providers{settings: s}
	for _, start := range []func() error{p.startTenant, p.startOffice, p.startCarrier} {
		if err := start(); err != nil {
			p.Close()
			return nil, fmt.Errorf("start the simulated providers: %w", err)
		}
	}
	return p, nil
}

func (p *Providers) startTenant() (err error) {
	if p.PSTN, err = simulator.NewWorld(p.settings.paced(simulator.Live(1, ordinary(msgraph.PSTNMix()), begin, pstnRate))); err != nil {
		return err
	}
	p.DirectRouting, err = simulator.NewWorld(p.settings.paced(simulator.Live(2, ordinary(msgraph.DirectRoutingMix()), begin, p.settings.routing())))
	if err != nil {
		return err
	}
	if p.Records, err = meetings(p.DirectRouting); err != nil {
		return err
	}
	p.Tenant, err = msgraph.Start(msgraph.Settings{PSTN: p.PSTN, DirectRouting: p.DirectRouting, CallRecords: p.Records})
	return err
}

// ordinary leaves out the kinds of calls whose values no mapping knows: who sees the exporter for the first time isn't to read of them.
func ordinary(mix *simulator.Mix) *simulator.Mix {
	mix.Kinds = slices.DeleteFunc(mix.Kinds, func(k simulator.Kind) bool {
		return k.Outcome == cdr.Unknown || k.Direction == cdr.DirectionUnknown
	})
	return mix
}

// meetings are the tenant's call records: meetings and peer-to-peer calls, at the same rate at
// any hour, and some of the Direct Routing calls.
func meetings(routed *simulator.World) (*msgraph.CallRecords, error) {
	settings := msgraph.LiveCalls(6, begin, meetingRate)
	settings.Hours = [24]int{}
	for i := range settings.Mix.Kinds {
		// Failed sessions are rare; some should be seen within minutes.
		if k := &settings.Mix.Kinds[i]; k.Outcome == cdr.NotConnected {
			k.Weight *= 3
		}
	}
	calls, err := simulator.NewWorld(settings)
	if err != nil {
		return nil, err
	}
	return msgraph.NewCallRecords(msgraph.CallRecordSettings{
		Calls: calls, Routed: routed, RoutedShare: recorded, Versions: msgraph.QuickVersions(),
	}), nil
}

func (p *Providers) startOffice() (err error) {
	if p.Log, err = simulator.NewWorld(p.settings.paced(ringcentral.Live(3, ordinary(ringcentral.PublishedMix()), begin, officeRate))); err != nil {
		return err
	}
	p.Office, err = ringcentral.Start(ringcentral.Settings{Account: p.Log, Heavy: limit, Auth: limit, Gzip: true})
	return err
}

func (p *Providers) startCarrier() error {
	placed, err := simulator.NewWorld(p.settings.paced(simulator.Live(4, ordinary(wavix.PlacedMix()), begin, placedRate)))
	if err != nil {
		return err
	}
	received, err := simulator.NewWorld(p.settings.paced(simulator.Live(5, ordinary(wavix.ReceivedMix()), begin, receivedRate)))
	if err != nil {
		return err
	}
	p.Carrier, err = wavix.Start(wavix.Settings{Placed: placed, Received: received})
	return err
}

// writeCAs writes the certificates of the providers' authorities into a folder.
func (p *Providers) writeCAs(folder string) error {
	return errors.Join(
		p.Tenant.WriteCA(filepath.Join(folder, "msgraph-ca.pem")),
		p.Office.WriteCA(filepath.Join(folder, "ringcentral-ca.pem")),
		p.Carrier.WriteCA(filepath.Join(folder, "wavix-ca.pem")),
	)
}

// Close stops all providers.
func (p *Providers) Close() {
	if p.Tenant != nil {
		p.Tenant.Close()
	}
	if p.Office != nil {
		p.Office.Close()
	}
	if p.Carrier != nil {
		p.Carrier.Close()
	}
}
