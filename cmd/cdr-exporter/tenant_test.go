package main_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The feeds' names.
const (
	pstn          = "pstn"
	directRouting = "direct_routing"
)

// tenant is a simulated tenant with a folder for the configuration and ledger of
// an exporter that reads it.
type tenant struct {
	*sim.Server
	t      testing.TB
	worlds map[string]*simulator.World // by feed
	vault  *vault
	folder string
}

// newTenant starts a tenant. Its worlds are those in the settings.
func newTenant(t testing.TB, s sim.Settings) *tenant {
	t.Helper()
	if s.ClientSecret == "" {
		s.ClientSecret = "hush~" + strings.ReplaceAll(t.Name(), "/", "~")
	}
	server, err := sim.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	n := &tenant{Server: server, t: t, worlds: make(map[string]*simulator.World), vault: newVault(t), folder: t.TempDir()}
	t.Cleanup(n.searchLedger)
	for feed, world := range map[string]*simulator.World{pstn: s.PSTN, directRouting: s.DirectRouting} {
		if world != nil {
			n.worlds[feed] = world
			n.vault.hidePeople(world.Mix())
		}
	}
	n.keep("secret", n.ClientSecret())
	if err := server.WriteCA(n.path("ca.pem")); err != nil {
		t.Fatal(err)
	}
	return n
}

// path is that of a file in the tenant's folder.
func (n *tenant) path(name string) string { return filepath.Join(n.folder, name) }

// ledger is the exporter's storage.path.
func (n *tenant) ledger() string { return n.path("ledger") }

// searchLedger searches all that an exporter has kept, unless it kept nothing.
func (n *tenant) searchLedger() {
	if _, err := os.Stat(n.ledger()); errors.Is(err, fs.ErrNotExist) {
		return
	}
	n.vault.searchFolder(n.ledger())
	n.vault.searchOutbox(n.ledger())
}

// write writes a file into the tenant's folder.
func (n *tenant) write(name, text string) string {
	n.t.Helper()
	if err := os.WriteFile(n.path(name), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return n.path(name)
}

// keep writes a file that holds a secret.
func (n *tenant) keep(name, secret string) {
	n.t.Helper()
	n.vault.hide("the secret in "+name, secret)
	n.write(name, secret)
}

// source is a source of the configuration, whose zero value has usual settings.
type source struct {
	Name, RenamedFrom, History string
	TenantID                   string
	Credential                 string // one line
	PSTN, DirectRouting        string // the feed's settings; "-": none
}

// settings are a configuration.
type settings struct {
	ZeroFor string
	Storage string
	OTLP    string // the block's content in braces; empty: none
	Metrics string // more keys of the metrics, each with a comma before it
	More    string // further top level keys
	Sources []source
}

var configuration = template.Must(template.New("config").Parse(`storage: {path: {{.Storage}}}
metrics: {zero_for: {{.ZeroFor}}{{.Metrics}}}
{{if .OTLP}}otlp: {{.OTLP}}
{{end}}{{.More}}
sources:{{range .Sources}}
  - name: {{.Name}}
    {{if .RenamedFrom}}renamed_from: {{.RenamedFrom}}
    {{end}}history: {{.History}}
    requests_per_minute: 1000000
    tls_config: {ca_file: ca.pem}
    msgraph:
      tenant_id: {{.TenantID}}
      client_id: {{$.Tenant.ClientID}}
      {{.Credential}}
      login_url: {{$.Tenant.LoginURL}}
      graph_url: {{$.Tenant.GraphURL}}
      {{if ne .PSTN "-"}}pstn: {{.PSTN}}
      {{end}}{{if ne .DirectRouting "-"}}direct_routing: {{.DirectRouting}}
      {{end}}{{end}}
`))

// configure writes the configuration file and returns its name.
func (n *tenant) configure(s settings) string {
	n.t.Helper()
	set(&s.ZeroFor, "0s")
	set(&s.Storage, "ledger")
	if s.Sources == nil {
		s.Sources = []source{{}}
	}
	for i := range s.Sources {
		c := &s.Sources[i]
		set(&c.Name, "contoso")
		set(&c.History, "72h")
		set(&c.TenantID, n.TenantID())
		set(&c.Credential, "client_secret_file: secret")
		set(&c.PSTN, "{interval: 1s, lookback: 48h}")
		set(&c.DirectRouting, "{interval: 1s, lookback: 48h}")
	}
	var text strings.Builder
	if err := configuration.Execute(&text, struct {
		settings
		Tenant *tenant
	}{s, n}); err != nil {
		n.t.Fatal(err)
	}
	return n.write("config.yaml", text.String())
}

func set(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// start starts an exporter that reads the tenant.
func (n *tenant) start(s settings, args ...string) *exporter {
	n.t.Helper()
	return start(n.t, n.vault, launch{config: n.configure(s), args: args})
}

// world makes a world or fails the test.
func world(t testing.TB, s simulator.Settings) *simulator.World {
	t.Helper()
	w, err := simulator.NewWorld(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// past is a world of calls that have all been published for good, within the
// last 72 hours.
func past(seed uint64, mix *simulator.Mix, calls int) simulator.Settings {
	now := time.Now()
	return simulator.Historical(seed, mix, now.Add(-70*time.Hour), now.Add(-48*time.Hour), calls)
}

// unfolding is a world of which a part was published by now, and all is after two
// days: it is read while the tenant's time is moved ahead.
func unfolding(seed uint64, mix *simulator.Mix, calls int) simulator.Settings {
	now := time.Now()
	return simulator.Historical(seed, mix, now.Add(-60*time.Hour), now.Add(-10*time.Hour), calls)
}

// bustling is a world whose calls are published while one looks, for so long, and
// never change: so it doesn't matter when each is met. All is published after ten
// hours.
func bustling(seed uint64, mix *simulator.Mix, calls int, d time.Duration) simulator.Settings {
	now := time.Now()
	s := simulator.Historical(seed, mix, now.Add(-2*time.Minute), now.Add(d), calls)
	s.Revised = 0
	s.Delays = []simulator.Delay{{Weight: 1, Max: 20 * time.Second}}
	return s
}
