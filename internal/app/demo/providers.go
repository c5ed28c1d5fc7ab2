// Package demo runs simulated providers with endless calls: a Teams tenant, a RingCentral account, a
// Wavix account, and an Asterisk that writes files. It writes an ordinary configuration that reads
// them, for the demo command and tools/stack. Every run has the same calls at the same times, so that
// a ledger can be kept.
package demo

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	asterisk "github.com/cdr-exporter/cdr-exporter/collector/declared/sim"
	wavix "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	msgraph "github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	ringcentral "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
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
	// PBX is there once the demo is configured: it writes files.
	PBX *asterisk.Asterisk
}

// Settings change the demo, for tests of alerting rules. The zero value is the demo itself.
type Settings struct {
	// RoutingRate is Direct Routing's rate in calls per second; 0: the demo's.
	RoutingRate float64
	// Change, if set, changes a world of calls before it starts.
	Change func(world *simulator.Settings)
}

// Start starts all providers. An error leaves none running.
func Start(s Settings) (*Providers, error) {
	world := func(settings simulator.Settings) *simulator.World {
		healthy(settings.Mix)
		if s.Change != nil {
			s.Change(&settings)
		}
		return simulator.NewWorld(settings)
	}
	p := &Providers{
		PSTN:          world(simulator.Live(1, msgraph.PSTNMix(), begin, pstnRate)),
		DirectRouting: world(simulator.Live(2, msgraph.DirectRoutingMix(), begin, cmp.Or(s.RoutingRate, routingRate))),
		Log:           world(ringcentral.Live(3, ringcentral.PublishedMix(), begin, officeRate)),
	}
	placed := world(simulator.Live(4, wavix.PlacedMix(), begin, placedRate))
	received := world(simulator.Live(5, wavix.ReceivedMix(), begin, receivedRate))
	p.Records = msgraph.NewCallRecords(msgraph.CallRecordSettings{
		Calls: simulator.NewWorld(meetings()), Routed: p.DirectRouting, RoutedShare: recorded,
		Versions: msgraph.QuickVersions(),
	})
	var err error
	p.Tenant, err = msgraph.Start(msgraph.Settings{
		PSTN: p.PSTN, DirectRouting: p.DirectRouting,
		CallRecords: p.Records,
	})
	if err == nil {
		p.Office, err = ringcentral.Start(ringcentral.Settings{Account: p.Log, Heavy: limit, Auth: limit})
	}
	if err == nil {
		p.Carrier, err = wavix.Start(wavix.Settings{Placed: placed, Received: received})
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("start the simulated providers: %w", err)
	}
	return p, nil
}

// healthy leaves out the kinds of calls whose values no mapping knows: who sees the exporter for the first time isn't
// to read of them. It makes faults rarer than the error budget allows, so that a trunk that fails stands out.
func healthy(mix *simulator.Mix) {
	mix.Kinds = slices.DeleteFunc(mix.Kinds, func(k simulator.Kind) bool {
		return k.Outcome == cdr.Unknown || k.Direction == cdr.DirectionUnknown
	})
	for i := range mix.Kinds {
		if k := &mix.Kinds[i]; k.Outcome == cdr.Failed || k.Wire == wavix.ForwardedInVain {
			k.Weight = 1
		} else {
			k.Weight *= 4
		}
	}
}

// meetings are the tenant's meetings and peer-to-peer calls.
func meetings() simulator.Settings {
	world := msgraph.LiveCalls(6, begin, meetingRate)
	for i := range world.Mix.Kinds {
		// Failed sessions are rare; some should be seen within minutes.
		if k := &world.Mix.Kinds[i]; k.Outcome == cdr.NotConnected {
			k.Weight *= 3
		}
	}
	return world
}

// Trunk is the one that Outage lets fail.
const Trunk = "sbc1.example.com"

// outageName is a file of the ledger's folder with the beginning of its outage: a later run has the
// same calls, of which the same ones must fail.
const outageName = "demo-outage"

// Outage lets Trunk fail for some minutes and says when: soon if the folder has no ledger, else when
// it failed for that ledger; zero if it never did.
func (p *Providers) Outage(storage string) (from, to time.Time, err error) {
	file := filepath.Join(storage, outageName)
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		if from, err = time.Parse(time.RFC3339, string(text)); err != nil {
			return from, to, fmt.Errorf("read the time of the demo's outage: %w; remove %s", err, storage)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return from, to, fmt.Errorf("read the time of the demo's outage: %w", err)
	default:
		if _, err := os.Stat(filepath.Join(storage, "ledger.db")); err == nil {
			return from, to, nil
		}
		from = p.Tenant.Now().Add(20 * time.Second).Truncate(time.Second)
		err := os.MkdirAll(storage, 0o750)
		if err == nil {
			err = os.WriteFile(file, []byte(from.UTC().Format(time.RFC3339)), 0o600)
		}
		if err != nil {
			return from, to, fmt.Errorf("keep the time of the demo's outage: %w", err)
		}
	}
	to = from.Add(5 * time.Minute)
	p.DirectRouting.FailPart(Trunk, 1, from, to)
	return from, to, nil
}

// Pause stops the publication of all calls until Resume.
func (p *Providers) Pause() {
	p.Tenant.Pause()
	p.Office.Pause()
	p.Carrier.Pause()
	p.PBX.Pause()
}

// Resume publishes the calls that Pause held back.
func (p *Providers) Resume() {
	p.Tenant.Resume()
	p.Office.Resume()
	p.Carrier.Resume()
	p.PBX.Resume()
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
	if p.PBX != nil {
		p.PBX.Close()
	}
}
