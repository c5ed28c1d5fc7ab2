package wavix

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/collector/wavix/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// counted is what came of reads, each record once by its key.
type counted struct {
	*book

	failed  map[string]bool
	metrics simulator.Tables
}

func newCounted() *counted {
	c := &counted{book: newBook(), failed: map[string]bool{}, metrics: simulator.Tables{}}
	c.book.count = c.count
	return c
}

// read reads a range, again if it fails.
func (c *counted) read(t *testing.T, source *collector.Source, from, to time.Time) {
	t.Helper()
	for tries := 1; ; tries++ {
		err := c.book.read(t.Context(), source.Feeds[0].Reader, from, to)
		if err == nil {
			return
		}
		what, todo := source.Advise(err)
		if tries == 3 {
			t.Fatalf("%s: %s", what, todo)
		}
		t.Logf("%s: %s", what, todo)
	}
}

func (c *counted) count(r *cdr.Record) {
	m := c.metrics
	m.Count("cdr_calls_total", r.Direction, r.CallType, r.Outcome, r.Trunk)
	switch {
	case r.Outcome.Connected():
		m.Add("cdr_call_connected_seconds_total", r.Duration.Microseconds(), r.Direction, r.CallType, r.Trunk, r.Country)
	case r.Parent != "" && c.failed[r.Parent]: // guarantee 3
		c.failed[r.ID] = true
	default:
		c.failed[r.ID] = true
		m.Count("cdr_call_failures_total", r.Direction, r.Trunk, r.Outcome, "", "")
	}
	for i := range r.Charges {
		if r.Charges[i].Amount.Sign() > 0 { // a negative first amount is a credit, no charge
			m.Add("cdr_call_charges_total", int64(math.Round(r.Charges[i].Amount.Float()*1e6)),
				r.Direction, r.CallType, "USD", r.Charges[i].Component, r.Country)
		}
	}
	if r.Emergency != cdr.NoEmergency {
		m.Count("cdr_emergency_calls_total", r.Outcome, r.Emergency == cdr.EmergencyTest)
	}
}

func (c *counted) want(t *testing.T, want simulator.Totals) {
	t.Helper()
	if records := c.metrics.Sum("cdr_calls_total"); records != int64(want.Records)*1_000_000 || want.Records == 0 {
		t.Errorf("%d records, want %d", records/1_000_000, want.Records)
	}
	if len(c.invalid) != want.Invalid {
		t.Errorf("%d invalid rows, want %d", len(c.invalid), want.Invalid)
	}
	for _, metric := range []string{
		"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total", "cdr_emergency_calls_total", "cdr_call_charges_total",
	} {
		providertest.WantSame(t, metric, c.metrics[metric], want.Metrics[metric])
	}
}

// simulated is a world of a day of an account, and a source that reads it.
type simulated struct {
	settings sim.Settings
	format   string
	auth     string
}

var (
	simBegin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	simEnd   = simBegin.Add(24 * time.Hour)
)

func (s simulated) start(t *testing.T, at time.Time) (*sim.Server, *collector.Source) {
	t.Helper()
	world := func(seed uint64, mix *simulator.Mix) *simulator.World {
		settings := simulator.Historical(seed, mix, simBegin, simEnd, 600)
		settings.Malformed, settings.NoID, settings.Duplicated = 0.02, 0.05, 0.05
		settings.Delays, settings.MaxLate = simulator.UsualDelays(), 40*time.Hour
		made := simulator.NewWorld(settings)
		return made
	}
	s.settings.Placed, s.settings.Received, s.settings.At = world(1, sim.PlacedMix()), world(2, sim.ReceivedMix()), at
	server, err := sim.Start(s.settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	c := &Config{
		BaseURL: server.BaseURL(), APIKey: config.NewSecret(server.APIKey), Auth: s.auth, Format: s.format, Currency: "USD",
		CallLog: new(CallLog), ActiveCalls: new(config.ActiveCalls),
	}
	c.CallLog.SetDefaults()
	source, err := Provider().Open(c, collector.SourceSettings{
		Settings:         httpclient.Settings{TLS: promconfig.TLSConfig{CA: string(server.CA())}, RequestsPerMinute: 60_000},
		EmergencyNumbers: []string{"911", "933", "112", "999"}, Now: server.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return server, source
}

// TestAgainstTheSimulator reads each generation in each format from the simulated Wavix,
// some through its faults, and wants its totals, which come from how the calls were made.
func TestAgainstTheSimulator(t *testing.T) {
	east, west := time.FixedZone("", 14*3600), time.FixedZone("", -12*3600)
	for _, test := range []struct {
		name  string
		fault bool
		simulated
	}{
		{"A json", false, simulated{sim.Settings{Generation: sim.GenerationA, Order: sim.Descending}, formatJSON, authQuery}},
		{"A stream", false, simulated{sim.Settings{Generation: sim.GenerationA, Timezone: east}, formatStream, authQuery}},
		{"A csv", true, simulated{sim.Settings{Generation: sim.GenerationA, MaxPerPage: 50}, formatCSV, authQuery}},
		{"B json", true, simulated{sim.Settings{Generation: sim.GenerationB, Order: sim.Shuffled, MaxPerPage: 50}, formatJSON, authBearer}},
		{"B stream", false, simulated{sim.Settings{Generation: sim.GenerationB}, formatStream, authBearer}},
		{"C json", false, simulated{sim.Settings{Generation: sim.GenerationC, Timezone: west}, formatJSON, authBearer}},
		{"C stream", true, simulated{sim.Settings{Generation: sim.GenerationC}, formatStream, authBearer}},
		{"C csv", false, simulated{sim.Settings{Generation: sim.GenerationC, KeepOldPaths: true}, formatCSV, authBearer}},
		{"D json", false, simulated{sim.Settings{Generation: sim.GenerationD, KeepOldPaths: true}, formatJSON, authBearer}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			faults := simulator.NewFaults(simulator.FaultSettings{Seed: 3})
			if test.fault {
				faults.Once(sim.EndpointExport, sim.NoFinalNewline)
				for _, endpoint := range []string{sim.EndpointList, sim.EndpointExport, sim.EndpointCSV} {
					faults.Once(endpoint, simulator.NoFault, simulator.CutChunked, simulator.HTMLOK)
					faults.Rate(endpoint, 0.2, sim.Harmless()...)
					faults.Rate(endpoint, 0.05, sim.Harmful()...)
				}
			}
			test.settings.Faults = faults
			server, source := test.start(t, simEnd.Add(30*24*time.Hour))
			got := newCounted()
			got.read(t, source, simBegin, simEnd)
			got.want(t, server.Totals(simulator.Once(server.Pause())))
			if test.fault && faults.Counts("")[simulator.CutChunked] == 0 {
				t.Error("no answer was cut: the faults didn't happen")
			}
			if test.fault && test.format == formatStream && faults.Counts(sim.EndpointExport)[sim.NoFinalNewline] == 0 {
				t.Error("no stream ended without a newline")
			}
		})
	}
}

// TestLiveAgainstTheSimulator reads what is new each minute, and now and then all, as
// calls are published late, from days of another time zone.
func TestLiveAgainstTheSimulator(t *testing.T) {
	for _, order := range []sim.Order{sim.Ascending, sim.Descending, sim.Shuffled} {
		for _, format := range formats {
			t.Run(fmt.Sprint(order, " ", format), func(t *testing.T) {
				t.Parallel()
				s := simulated{sim.Settings{Generation: sim.GenerationA, Order: order, Timezone: time.FixedZone("", 3*3600), MaxPerPage: 50}, format, authQuery}
				server, source := s.start(t, simBegin.Add(9*time.Hour))
				got := newCounted()
				poll := func(reach time.Duration) {
					got.read(t, source, server.Now().Add(-reach), server.Now())
				}
				poll(9 * time.Minute)
				asked := server.Requests().Count("")[0]
				for range 12 {
					server.Advance(time.Minute)
					poll(9 * time.Minute)
				}
				t.Logf("%d requests in 12 minutes", server.Requests().Count("")[0]-asked)
				poll(2 * time.Hour)
				for range 4 {
					server.Advance(18 * time.Hour)
					poll(9 * time.Minute)
					poll(60 * time.Hour)
				}
				got.wantRecords(t, server.Totals(simulator.Once(server.Pause())))
			})
		}
	}
}

// wantRecords compares what doesn't change with a record's version.
func (c *counted) wantRecords(t *testing.T, want simulator.Totals) {
	t.Helper()
	calls := func(all simulator.Tables) map[string]int64 {
		sums := map[string]int64{}
		for key, n := range all["cdr_calls_total"] {
			labels := strings.Split(key, "|")
			sums[labels[0]+labels[1]+labels[3]] += n // but for the outcome
		}
		return sums
	}
	providertest.WantSame(t, "calls", calls(c.metrics), calls(want.Metrics))
	const emergency = "cdr_emergency_calls_total"
	providertest.WantSame(t, emergency, c.metrics[emergency], want.Metrics[emergency])
	if len(c.invalid) != want.Invalid || want.Records == 0 {
		t.Errorf("%d invalid rows, want %d; %d records", len(c.invalid), want.Invalid, want.Records)
	}
}

// TestActiveCallsOfTheSimulator: those that ended a while ago aren't counted.
func TestActiveCallsOfTheSimulator(t *testing.T) {
	for generation, auth := range map[sim.Generation]string{sim.GenerationA: authQuery, sim.GenerationC: authBearer} {
		t.Run(fmt.Sprint(generation), func(t *testing.T) {
			server, source := simulated{sim.Settings{Generation: generation, Linger: 10 * time.Minute}, formatJSON, auth}.start(t, simBegin.Add(12*time.Hour))
			active, err := source.Feeds[1].ActiveCalls(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			want := server.Active(server.Pause())
			for _, direction := range []cdr.Direction{cdr.Inbound, cdr.Outbound} {
				if got := active[direction]; got != want[direction] || got == 0 {
					t.Errorf("%s: %d, want %d", direction, got, want[direction])
				}
			}
		})
	}
}
