package main_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The feeds' names.
const (
	pstn          = "pstn"
	directRouting = "direct_routing"
)

// tenant is a simulated tenant, and the site of an exporter that reads it.
type tenant struct {
	*sim.Server
	*site
	worlds map[string]*simulator.World // by feed
}

// newTenant starts a tenant with a separate site, with the worlds in the settings.
func newTenant(t testing.TB, s sim.Settings) *tenant {
	t.Helper()
	return tenantAt(t, newSite(t), s)
}

// tenantAt starts a tenant for a site.
func tenantAt(t testing.TB, at *site, s sim.Settings) *tenant {
	t.Helper()
	s.ClientSecret = cmp.Or(s.ClientSecret, secretFor(t, "hush"))
	server, err := sim.Start(s)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	n := &tenant{Server: server, site: at, worlds: make(map[string]*simulator.World)}
	for feed, world := range map[string]*simulator.World{pstn: s.PSTN, directRouting: s.DirectRouting} {
		if world != nil {
			n.worlds[feed] = world
			n.vault.hidePeople(world.Mix())
		}
	}
	n.keep("secret", n.ClientSecret)
	require.NoError(t, server.WriteCA(n.path("ca.pem")))
	return n
}

func (n *tenant) source() string   { return "contoso" }
func (n *tenant) feeds() []string  { return slices.Sorted(maps.Keys(n.worlds)) }
func (n *tenant) server() provider { return n.Server }
func (n *tenant) item() string     { return n.itemOf(source{}) }

func (n *tenant) tables(feed string, at ...time.Time) tables {
	return view(n.worlds[feed], at...).Metrics
}

func (n *tenant) tally(feed string, at ...time.Time) tally { return tallyOf(n.worlds[feed], at...) }

// active says that Graph doesn't tell calls in progress.
func (n *tenant) active(time.Time) map[cdr.Direction]int { return nil }

func (n *tenant) answered() int {
	return answers(n.Requests(), sim.EndpointPSTN, sim.EndpointDirectRouting)
}

// source is a source of the configuration, whose zero value has usual settings.
type source struct {
	Name, RenamedFrom, History string
	TenantID                   string
	Credential                 string // one line
	PSTN, DirectRouting        string // the feed's settings; "-": none
	CallRecords                string // the same; empty: none
}

var tenantItem = template.Must(template.New("tenant").Parse(`  - name: {{.Name}}
    {{if .RenamedFrom}}renamed_from: {{.RenamedFrom}}
    {{end}}history: {{.History}}
    requests_per_minute: 1000000
    tls_config: {ca_file: ca.pem}
    msgraph:
      tenant_id: {{.TenantID}}
      client_id: ` + sim.ClientID + `
      {{.Credential}}
      login_url: {{.Tenant.BaseURL}}
      graph_url: {{.Tenant.BaseURL}}
      {{if ne .PSTN "-"}}pstn: {{.PSTN}}
      {{end}}{{if ne .DirectRouting "-"}}direct_routing: {{.DirectRouting}}
      {{end}}{{if .CallRecords}}call_records: {{.CallRecords}}
      {{end}}
`))

// itemOf is a source that reads the tenant, an item of YAML.
func (n *tenant) itemOf(c source) string {
	n.t.Helper()
	c.Name = cmp.Or(c.Name, "contoso")
	c.History = cmp.Or(c.History, "72h")
	c.TenantID = cmp.Or(c.TenantID, sim.TenantID)
	c.Credential = cmp.Or(c.Credential, "client_secret_file: secret")
	c.PSTN = cmp.Or(c.PSTN, "{interval: 1s, lookback: 48h}")
	c.DirectRouting = cmp.Or(c.DirectRouting, "{interval: 1s, lookback: 48h}")
	var text strings.Builder
	if err := tenantItem.Execute(&text, struct {
		source
		Tenant *tenant
	}{c, n}); err != nil {
		n.t.Fatal(err)
	}
	return text.String()
}

// configure writes the configuration file and returns its name.
func (n *tenant) configure(s settings) string {
	n.t.Helper()
	if s.Sources == nil {
		s.Sources = []source{{}}
	}
	items := make([]string, len(s.Sources))
	for i, c := range s.Sources {
		items[i] = n.itemOf(c)
	}
	return n.configureSources(s, items...)
}

// start starts an exporter that reads the tenant.
func (n *tenant) start(s settings, args ...string) *exporter {
	n.t.Helper()
	return start(n.t, n.vault, launch{config: n.configure(s), args: args})
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

// bustling is a world whose calls are published during the test, for d, and never change, so it
// doesn't matter when each is read. All are published after ten hours.
func bustling(seed uint64, mix *simulator.Mix, calls int, d time.Duration) simulator.Settings {
	now := time.Now()
	s := simulator.Historical(seed, mix, now.Add(-2*time.Minute), now.Add(d), calls)
	s.Revised = 0
	s.Delays = []simulator.Delay{{Weight: 1, Max: 20 * time.Second}}
	return s
}
