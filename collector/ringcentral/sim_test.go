package ringcentral

import (
	"math"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// counted is what came of a read, each record once by its id, each session once and each
// recording once (counting.md 14).
type counted struct {
	seen, waiting, sessions, recorded map[string]bool
	invalid, ignored                  map[string]bool

	metrics simulator.Tables
}

func newCounted() *counted {
	return &counted{
		seen: map[string]bool{}, waiting: map[string]bool{}, sessions: map[string]bool{}, recorded: map[string]bool{},
		invalid: map[string]bool{}, ignored: map[string]bool{}, metrics: simulator.Tables{},
	}
}

func (c *counted) take(b *collector.Page) error {
	for _, r := range b.Records {
		// The lookback is over, so what isn't final counts as it stands (counting.md 17).
		if r.Provisional {
			c.waiting[r.ID] = true
		}
		if !c.seen[r.ID] {
			c.seen[r.ID] = true
			c.count(r)
		}
	}
	for _, bad := range b.Invalid {
		c.invalid[string(bad.Content)] = true
	}
	for _, bad := range b.Ignored {
		c.ignored[string(bad.Content)] = true
	}
	return nil
}

func (c *counted) count(r *cdr.Record) {
	m := c.metrics
	for i := range r.Charges {
		if r.Charges[i].Amount.Sign() > 0 { // zero makes no series
			m.Add("cdr_call_charges_total", int64(math.Round(r.Charges[i].Amount.Float()*1e6)),
				r.Direction, r.CallType, defaultCurrency, r.Charges[i].Component, r.Country)
		}
	}
	for _, rec := range r.Recordings {
		if !c.recorded[rec.ID] {
			c.recorded[rec.ID] = true
			m.Count("cdr_recordings_total", rec.Type)
		}
	}
	if r.Group != "" {
		if c.sessions[r.Group] {
			return
		}
		c.sessions[r.Group] = true
	}
	m.Count("cdr_calls_total", r.Direction, r.CallType, r.Outcome, r.Trunk)
	if r.Outcome.Connected() {
		m.Add("cdr_call_connected_seconds_total", r.Duration.Microseconds(), r.Direction, r.CallType, "", r.Country)
	} else {
		m.Count("cdr_call_failures_total", r.Direction, "", r.Outcome, "", "")
	}
	if r.Emergency != cdr.NoEmergency {
		m.Count("cdr_emergency_calls_total", r.Outcome, r.Emergency == cdr.EmergencyTest)
	}
	for _, l := range r.Legs {
		m.Count("cdr_call_legs_total", l.Type, l.Outcome)
	}
}

// want compares with the totals; a list comes without faxes.
func (c *counted) want(t *testing.T, want simulator.Totals) {
	t.Helper()
	ignored := 0
	for kind, n := range want.Ignored {
		if noCallActions[strings.ReplaceAll(kind, "_", " ")] {
			ignored += n
		}
	}
	for _, n := range []struct {
		what      string
		got, want int
	}{
		{"records", len(c.seen), want.Records},
		{"invalid rows", len(c.invalid), want.Invalid},
		{"ignored rows", len(c.ignored), ignored},
	} {
		if n.got != n.want || n.want == 0 {
			t.Errorf("%d %s, want %d", n.got, n.what, n.want)
		}
	}
	for _, metric := range []string{
		"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total", "cdr_emergency_calls_total", "cdr_call_legs_total",
		"cdr_recordings_total", "cdr_call_charges_total",
	} {
		providertest.WantSame(t, metric, c.metrics[metric], want.Metrics[metric])
	}
}

var (
	simBegin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	simEnd   = simBegin.Add(3 * 24 * time.Hour)
)

// simWorld is one of the simulator's call logs.
func simWorld(t *testing.T, mix *simulator.Mix) *simulator.World {
	t.Helper()
	settings := sim.Historical(7, mix, simBegin, simEnd, 6000)
	settings.Malformed = 0.02
	world := simulator.NewWorld(settings)
	return world
}

// openSim opens a source that reads a simulated account.
func openSim(t *testing.T, settings sim.Settings, change func(*Config)) (*sim.Server, *collector.Source) {
	t.Helper()
	settings.Heavy, settings.Auth, settings.Gzip = 10_000, 10_000, true // the limits have tests of their own
	server, err := sim.Start(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	c := new(Config)
	c.SetDefaults()
	c.BaseURL, c.ClientID = server.BaseURL(), sim.ClientID
	c.ClientSecret, c.JWT = config.NewSecret(server.ClientSecret), config.NewSecret(server.JWT())
	c.CallLog, c.ActiveCalls = new(CallLog), new(config.ActiveCalls)
	c.CallLog.SetDefaults()
	c.ActiveCalls.SetDefaults()
	change(c)
	source, err := Provider().Open(c, collector.SourceSettings{
		Settings:         httpclient.Settings{TLS: promconfig.TLSConfig{CA: string(server.CA())}},
		EmergencyNumbers: []string{"911", "933", "112", "999"}, Now: server.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return server, source
}

// faultsOf go wrong at an endpoint, in ways that pass and that a right client doesn't
// notice.
func faultsOf(endpoint string) *simulator.Faults {
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 3})
	faults.Once(endpoint, simulator.CutChunked, sim.LostToken, sim.NoRecords)
	faults.Rate(endpoint, 0.5, sim.Harmless()...)
	return faults
}

// TestSimulatedCallLog reads simulated call logs by ranges, through faults, and wants
// exactly their totals.
func TestSimulatedCallLog(t *testing.T) {
	account, extension := simWorld(t, sim.Mix()), simWorld(t, sim.ExtensionMix())
	for _, test := range []struct {
		name   string
		world  *simulator.World
		change func(*Config)
		view   simulator.View
	}{
		{"account", account, func(*Config) {}, simulator.View{}},
		{"extension", extension, func(c *Config) { c.Scope = scopeExtension }, simulator.View{}},
		{"simple", account, func(c *Config) { c.CallLog.View = viewSimple }, simulator.View{Simple: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			faults := faultsOf(sim.EndpointCallLog)
			server, source := openSim(t, sim.Settings{
				Account: account, Extension: extension, Faults: faults, At: simEnd.Add(30 * 24 * time.Hour),
			}, test.change)
			test.view.At = []time.Time{server.Pause()}
			got := newCounted()
			if err := providertest.Read(t.Context(), source.Feeds[0].Reader, simBegin, simEnd, got.take); err != nil {
				what, todo := source.Advise(err)
				t.Fatalf("%s: %s", what, todo)
			}
			got.want(t, test.world.Totals(test.view))
			if faults.Counts(sim.EndpointCallLog)[simulator.CutChunked] == 0 {
				t.Errorf("faults %v", faults.Counts(sim.EndpointCallLog))
			}
		})
	}
}

// TestSimulatedActiveCalls compares the gauges with the calls that are in progress.
func TestSimulatedActiveCalls(t *testing.T) {
	account, extension := simWorld(t, sim.Mix()), simWorld(t, sim.ExtensionMix())
	for _, scope := range []string{scopeAccount, scopeExtension} {
		t.Run(scope, func(t *testing.T) {
			faults := simulator.NewFaults(simulator.FaultSettings{Seed: 3})
			faults.Rate(sim.EndpointActiveCalls, 0.5, sim.Harmless()...)
			server, source := openSim(t, sim.Settings{
				Account: account, Extension: extension, Faults: faults, At: simBegin.Add(36 * time.Hour),
			}, func(c *Config) { c.Scope = scope })
			most := 0
			for range 10 {
				server.Advance(7 * time.Minute)
				active, err := source.Feeds[1].ActiveCalls(t.Context(), false)
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]*simulator.World{scopeAccount: account, scopeExtension: extension}[scope].Active(server.Now().Add(-sim.ActiveLag))
				for _, direction := range []cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal, cdr.DirectionUnknown} {
					if got := active[direction]; got != want[direction] {
						t.Errorf("%v %s calls are active, want %d", got, direction, want[direction])
					}
					most = max(most, want[direction])
				}
			}
			if most < 2 {
				t.Errorf("at most %d calls were active", most)
			}
		})
	}
}

// TestSimulatedRecordings resolves what a read brought.
func TestSimulatedRecordings(t *testing.T) {
	world := simWorld(t, sim.Mix())
	_, source := openSim(t, sim.Settings{Account: world, At: simEnd.Add(30 * 24 * time.Hour)}, func(*Config) {})
	var recordings []string
	err := providertest.Read(t.Context(), source.Feeds[0].Reader, simBegin, simBegin.Add(12*time.Hour), func(b *collector.Page) error {
		for _, r := range b.Records {
			for _, rec := range r.Recordings {
				recordings = append(recordings, rec.ID)
			}
		}
		return nil
	})
	if err != nil || len(recordings) < 10 {
		t.Fatalf("%d recordings, error %v", len(recordings), err)
	}
	for _, id := range recordings[:10] {
		if info, err := source.Feeds[0].Recording(t.Context(), id); err != nil || info.ContentType != "audio/mpeg" || info.Duration <= 0 {
			t.Errorf("%+v, error %v", info, err)
		}
	}
}

// TestSimulatedRefusals: what RingCentral refuses is told apart.
func TestSimulatedRefusals(t *testing.T) {
	nothing := func(*Config) {}
	for _, test := range []struct {
		name        string
		permissions []string
		settings    sim.Settings
		change      func(*Config)
		what, todo  string
	}{
		{"user's permission", []string{sim.ReadCallLog}, sim.Settings{}, nothing, "the user of the JWT lacks the permission FullCompanyCallLog", "Admin Portal"},
		{
			"app's permission",
			[]string{sim.FullCompanyCallLog},
			sim.Settings{Scopes: []string{"ReadAccounts"}},
			nothing,
			"the app lacks the permission ReadCallLog", "Developer Console",
		},
		{
			"wrong client",
			[]string{sim.FullCompanyCallLog},
			sim.Settings{},
			func(c *Config) { c.ClientSecret = config.NewSecret("another") },
			"doesn't know the app, or its secret is wrong", "client_secret",
		},
		{
			"wrong JWT",
			[]string{sim.FullCompanyCallLog},
			sim.Settings{},
			func(c *Config) { c.JWT = config.NewSecret("another") },
			"doesn't take the JWT", "make a JWT credential",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, source := openSim(t, test.settings, test.change)
			server.SetPermissions(test.permissions...)
			_, err := source.Feeds[0].Probe(t.Context())
			what, todo := source.Advise(err)
			if !strings.Contains(what, test.what) || !strings.Contains(todo, test.todo) {
				t.Errorf("of %v it says %q and %q, want %q and %q in it", err, what, todo, test.what, test.todo)
			}
		})
	}
}
