package msgraph

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// counted is what came of a read, each record once by its key. Labels are kept as they
// are: those hold, unlike a record's other strings.
type counted struct {
	seen      map[string]bool
	twins     map[string]int
	calls     map[simulator.CallKey]int
	failures  map[simulator.FailureKey]int
	connected map[simulator.ConnectedKey]time.Duration
	charges   map[simulator.ChargeKey]cdr.Money
	emergency map[simulator.EmergencyKey]int
	locations map[simulator.LocationKey]int
	bypass    map[simulator.MediaBypassKey]int
	setup     time.Duration
	invalid   map[string]bool
}

func newCounted() *counted {
	return &counted{
		seen: map[string]bool{}, twins: map[string]int{}, calls: map[simulator.CallKey]int{}, failures: map[simulator.FailureKey]int{},
		connected: map[simulator.ConnectedKey]time.Duration{}, charges: map[simulator.ChargeKey]cdr.Money{},
		emergency: map[simulator.EmergencyKey]int{}, locations: map[simulator.LocationKey]int{},
		bypass: map[simulator.MediaBypassKey]int{}, invalid: map[string]bool{},
	}
}

func (c *counted) take(b *collector.Page) error {
	for _, r := range b.Records {
		key := r.ID
		if key == "" { // counting.md 18
			key = r.Synthetic + strconv.Itoa(c.twins[r.Synthetic])
			c.twins[strings.Clone(r.Synthetic)]++
		}
		if !c.seen[key] {
			c.seen[strings.Clone(key)] = true
			c.count(r)
		}
	}
	for _, bad := range b.Invalid {
		c.invalid[string(bad.Content)] = true
	}
	return nil
}

func (c *counted) count(r *cdr.Record) {
	c.calls[simulator.CallKey{Direction: r.Direction, CallType: r.CallType, Outcome: r.Outcome, Trunk: r.Trunk}]++
	if r.Outcome.Connected() {
		c.connected[simulator.ConnectedKey{Direction: r.Direction, CallType: r.CallType, Trunk: r.Trunk, Country: r.Country}] += r.Duration
	} else {
		c.failures[simulator.FailureKey{
			Direction: r.Direction, Trunk: r.Trunk, Outcome: r.Outcome, SIPCode: digits(r.SIPCode), SubCode: digits(r.SubCode),
		}]++
	}
	for i := range r.Charges {
		if r.Charges[i].Amount.Sign() <= 0 {
			continue // a negative first amount is a credit, no charge
		}
		key := simulator.ChargeKey{
			Direction: r.Direction, CallType: r.CallType, Country: r.Country,
			Currency: cmp.Or(r.Charges[i].Currency, noCurrency), Component: r.Charges[i].Component,
		}
		sum := c.charges[key]
		c.charges[key] = sum.Add(&r.Charges[i].Amount)
	}
	if r.Emergency != cdr.NoEmergency {
		c.emergency[simulator.EmergencyKey{Outcome: r.Outcome, Test: r.Emergency == cdr.EmergencyTest}]++
	}
	if r.MediaLocation != "" || r.SignalLocation != "" {
		c.locations[simulator.LocationKey{Media: r.MediaLocation, Signaling: r.SignalLocation}]++
	}
	if r.MediaBypass.Known() {
		c.bypass[simulator.MediaBypassKey{Trunk: r.Trunk, Bypass: r.MediaBypass}]++
	}
	if setup, ok := r.Setup(); ok {
		c.setup += setup
	}
}

func digits(c cdr.Int) string {
	if !c.Known {
		return ""
	}
	return strconv.FormatInt(c.Value, 10)
}

// TestAgainstTheSimulator reads both feeds from the simulated Microsoft through its faults,
// and wants its totals, which come from how the calls were made.
func TestAgainstTheSimulator(t *testing.T) {
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	end := begin.Add(24 * time.Hour)
	world := func(seed uint64, mix *simulator.Mix) *simulator.World {
		settings := simulator.Historical(seed, mix, begin, end, 3000)
		settings.Malformed, settings.NoID, settings.Duplicated = 0.02, 0.02, 0.05
		made, err := simulator.NewWorld(settings)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	worlds := map[string]*simulator.World{"pstn": world(1, sim.PSTNMix()), "direct_routing": world(2, sim.DirectRoutingMix())}
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 3, RetryAfter: time.Second})
	for _, endpoint := range []string{sim.EndpointPSTN, sim.EndpointDirectRouting} {
		faults.Once(endpoint, simulator.NoFault, simulator.CutChunked, simulator.ThrottleSeconds, sim.ExpiredToken, simulator.HTMLOK)
		faults.Rate(endpoint, 0.5, sim.Harmless()...)
	}
	server, err := sim.Start(sim.Settings{
		PSTN: worlds["pstn"], DirectRouting: worlds["direct_routing"], Faults: faults, Gzip: true,
		Clock: simulator.NewManualClock(end.Add(30 * 24 * time.Hour)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	at := server.Pause()

	c := &Config{
		TenantID: server.TenantID(), ClientID: server.ClientID(), ClientSecret: config.NewSecret(server.ClientSecret()),
		Cloud: cloudGlobal, GraphURL: server.GraphURL(), LoginURL: server.LoginURL(), PSTN: new(PSTN), DirectRouting: new(DirectRouting),
	}
	source, err := Open(c, collector.SourceSettings{
		TLS: promconfig.TLSConfig{CA: string(server.CA())}, RequestsPerMinute: 60_000,
		EmergencyNumbers: []string{"911", "933", "112", "999"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	for _, feed := range source.Feeds {
		t.Run(feed.Name, func(t *testing.T) {
			t.Parallel()
			got := newCounted()
			if err := readPages(t.Context(), feed.Reader, begin, end, got.take); err != nil {
				what, todo := source.Advise(err)
				t.Fatalf("%s: %s", what, todo)
			}
			got.want(t, worlds[feed.Name].Totals(at))
			if faults.Counts(feed.Name)[simulator.CutChunked] == 0 {
				t.Error("no page was cut: the faults didn't happen")
			}
		})
	}
}

func (c *counted) want(t *testing.T, want simulator.Totals) {
	t.Helper()
	if len(c.seen) != want.Records || want.Records == 0 {
		t.Errorf("%d records, want %d", len(c.seen), want.Records)
	}
	if len(c.invalid) != want.Invalid {
		t.Errorf("%d invalid rows, want %d", len(c.invalid), want.Invalid)
	}
	wantSame(t, "calls", c.calls, want.Calls)
	wantSame(t, "failures", c.failures, want.Failures)
	wantSame(t, "connected", c.connected, want.Connected)
	wantSame(t, "emergency", c.emergency, want.Emergency)
	wantSame(t, "locations", c.locations, want.Locations)
	wantSame(t, "bypass", c.bypass, want.MediaBypass)

	charges := map[simulator.ChargeKey]string{}
	for key, sum := range c.charges {
		charges[key] = strconv.FormatFloat(sum.Float(), 'f', 4, 64)
	}
	wantCharges := map[simulator.ChargeKey]string{}
	for key, sum := range want.Charges {
		wantCharges[key] = strconv.FormatFloat(sum.Float(), 'f', 4, 64)
	}
	wantSame(t, "charges", charges, wantCharges)
	var setup time.Duration
	for _, span := range want.Setup {
		setup += span.Sum
	}
	if c.setup != setup {
		t.Errorf("setup takes %s together, want %s", c.setup, setup)
	}
}

// wantSame compares maps and shows what differs.
func wantSame[K, V comparable](t *testing.T, what string, got, want map[K]V) {
	t.Helper()
	all := maps.Clone(want)
	if all == nil {
		all = map[K]V{}
	}
	maps.Copy(all, got)
	for key := range all {
		if got[key] != want[key] {
			t.Errorf("%s: %+v is %v, want %v", what, key, got[key], want[key])
		}
	}
}
