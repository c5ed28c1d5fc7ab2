package msgraph

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// counted is what came of a read, each record once by its key. Labels are kept as they
// are: those hold, unlike a record's other strings.
type counted struct {
	seen    map[string]bool
	twins   map[string]int
	metrics simulator.Tables
	setup   time.Duration
	invalid map[string]bool
}

func newCounted() *counted {
	return &counted{seen: map[string]bool{}, twins: map[string]int{}, metrics: simulator.Tables{}, invalid: map[string]bool{}}
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
	m := c.metrics
	m.Count("cdr_calls_total", r.Direction, r.CallType, r.Outcome, r.Trunk)
	if r.Outcome.Connected() {
		m.Add("cdr_call_connected_seconds_total", r.Duration.Microseconds(), r.Direction, r.CallType, r.Trunk, r.Country)
	} else {
		m.Count("cdr_call_failures_total", r.Direction, r.Trunk, r.Outcome, digits(r.SIPCode), digits(r.SubCode))
	}
	for i := range r.Charges {
		if r.Charges[i].Amount.Sign() <= 0 {
			continue // a negative first amount is a credit, no charge
		}
		m.Add("cdr_call_charges_total", int64(math.Round(r.Charges[i].Amount.Float()*1e6)),
			r.Direction, r.CallType, cmp.Or(r.Charges[i].Currency, noCurrency), r.Charges[i].Component, r.Country)
	}
	if r.Emergency != cdr.NoEmergency {
		m.Count("cdr_emergency_calls_total", r.Outcome, r.Emergency == cdr.EmergencyTest)
	}
	if r.MediaLocation != "" || r.SignalLocation != "" {
		m.Count("cdr_calls_by_location_total", r.MediaLocation, r.SignalLocation)
	}
	if r.MediaBypass.Known() {
		m.Count("cdr_media_bypass_calls_total", r.Trunk, r.MediaBypass)
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
		made := simulator.NewWorld(settings)
		return made
	}
	worlds := map[string]*simulator.World{"pstn": world(1, sim.PSTNMix()), "direct_routing": world(2, sim.DirectRoutingMix())}
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 3})
	for _, endpoint := range []string{sim.EndpointPSTN, sim.EndpointDirectRouting} {
		faults.Once(endpoint, simulator.NoFault, simulator.CutChunked, simulator.ThrottleSeconds, sim.ExpiredToken, simulator.HTMLOK)
		faults.Rate(endpoint, 0.5, sim.Harmless()...)
	}
	server, err := sim.Start(sim.Settings{
		PSTN: worlds["pstn"], DirectRouting: worlds["direct_routing"], Faults: faults, Gzip: true,
		At: end.Add(30 * 24 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	at := server.Pause()

	c := &Config{
		TenantID: sim.TenantID, ClientID: sim.ClientID, ClientSecret: config.NewSecret(server.ClientSecret),
		Cloud: cloudGlobal, GraphURL: server.BaseURL(), LoginURL: server.BaseURL(), PSTN: new(PSTN), DirectRouting: new(DirectRouting),
	}
	source, err := Provider().Open(c, collector.SourceSettings{
		Settings:         httpclient.Settings{TLS: promconfig.TLSConfig{CA: string(server.CA())}, RequestsPerMinute: 60_000},
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
			if err := providertest.Read(t.Context(), feed.Reader, begin, end, got.take); err != nil {
				what, todo := source.Advise(err)
				t.Fatalf("%s: %s", what, todo)
			}
			got.want(t, worlds[feed.Name].Totals(simulator.Once(at)))
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
	for _, metric := range []string{
		"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total", "cdr_call_charges_total",
		"cdr_emergency_calls_total", "cdr_calls_by_location_total", "cdr_media_bypass_calls_total",
	} {
		providertest.WantSame(t, metric, c.metrics[metric], want.Metrics[metric])
	}
	if setup := want.Metrics.Sum("cdr_call_setup_seconds_sum"); c.setup.Microseconds() != setup {
		t.Errorf("setup takes %s together, want %d µs", c.setup, setup)
	}
}
