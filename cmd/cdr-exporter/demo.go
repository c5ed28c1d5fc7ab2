package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// demo is the exporter with a simulated tenant in the same process.
type demo struct {
	storage string
	web     webFlags
	log     logFlags
}

func newDemo(c *kingpin.CmdClause) command {
	d := &demo{}
	c.Flag("storage.path", "Folder that keeps the demo's ledger; a temporary one if it isn't given.").StringVar(&d.storage)
	d.web.define(c)
	d.log.define(c)
	return d
}

// The demo's traffic: some calls a second, so that one can watch them arrive, and
// a history that is read within seconds.
const (
	demoHistory       = 3 * time.Hour
	demoPSTNRate      = 0.7
	demoDirectRouting = 1.5
)

// demoBegin is where the simulated tenant's calls begin: a fixed time, so that a
// kept ledger meets the same calls again.
var demoBegin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (d *demo) run(ctx context.Context, s streams) error {
	folder, err := os.MkdirTemp("", "cdr-exporter-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder; the system clears it too
	if d.storage == "" {
		d.storage = filepath.Join(folder, "ledger")
	}
	tenant, err := startTenant()
	if err != nil {
		return err
	}
	defer tenant.Close()
	file, err := d.writeConfig(folder, tenant)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, d.web.settings(file, d.log.logger(s)))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "A simulated tenant is being read. Look at http://%s/ (status) and http://%s%s (metrics). Ctrl-C ends it.\n",
		reachable(a.Addr()), reachable(a.Addr()), d.web.telemetryPath)
	return a.Run(ctx)
}

// startTenant starts the simulated Microsoft.
func startTenant() (*sim.Server, error) {
	pstn, err := simulator.NewWorld(simulator.Live(1, sim.PSTNMix(), demoBegin, demoPSTNRate))
	if err != nil {
		return nil, err
	}
	routing, err := simulator.NewWorld(simulator.Live(2, sim.DirectRoutingMix(), demoBegin, demoDirectRouting))
	if err != nil {
		return nil, err
	}
	return sim.Start(sim.Settings{PSTN: pstn, DirectRouting: routing, Gzip: true})
}

// demoConfig is an ordinary configuration.
var demoConfig = template.Must(template.New("demo").Parse(`storage: {path: {{printf "%q" .Storage}}}
metrics: {zero_for: 10s}
sources:
  - name: contoso
    history: {{.History}}
    tls_config: {ca_file: ca.pem}
    msgraph:
      tenant_id: {{.Tenant.TenantID}}
      client_id: {{.Tenant.ClientID}}
      client_secret: {{.Tenant.ClientSecret}}
      login_url: {{.Tenant.LoginURL}}
      graph_url: {{.Tenant.GraphURL}}
      pstn: {interval: 5s, lookback: 1h, late_after: 10m}
      direct_routing: {interval: 2s, lookback: 1h, late_after: 10m}
`))

func (d *demo) writeConfig(folder string, tenant *sim.Server) (string, error) {
	if err := tenant.WriteCA(filepath.Join(folder, "ca.pem")); err != nil {
		return "", err
	}
	storage, err := filepath.Abs(d.storage)
	if err != nil {
		return "", fmt.Errorf("find the ledger's folder: %w", err)
	}
	var text strings.Builder
	if err := demoConfig.Execute(&text, map[string]any{"Storage": storage, "History": demoHistory, "Tenant": tenant}); err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	file := filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	return file, nil
}

// reachable is an address that a browser on this machine can open.
func reachable(address string) string {
	if rest, all := strings.CutPrefix(address, "[::]"); all {
		return "localhost" + rest
	}
	return address
}
