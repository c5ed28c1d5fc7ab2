package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestIncidentNumbers: whole numbers are shown where they are asked for, and the report says so; else as the configuration says.
func TestIncidentNumbers(t *testing.T) {
	world := simulator.NewWorld(simulator.Live(1, sim.DirectRoutingMix(), time.Now().Add(-4*time.Hour), 0.05))
	tenant, err := sim.Start(sim.Settings{DirectRouting: world})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenant.Close)
	folder := t.TempDir()
	if err := tenant.WriteCA(filepath.Join(folder, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	c := &commandLine{t: t, tenant: tenant, file: filepath.Join(folder, "config.yaml")}
	text := fmt.Sprintf("storage: {path: ledger}\nsources:\n  - name: contoso\n    tls_config: {ca_file: ca.pem}\n    msgraph: "+
		"{tenant_id: %s, client_id: %s, client_secret: %s, login_url: %q, graph_url: %q, direct_routing: }\n",
		sim.TenantID, sim.ClientID, tenant.ClientSecret, tenant.BaseURL(), tenant.BaseURL())
	if err := os.WriteFile(c.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	masked, whole := regexp.MustCompile(`"callee": "[^"]*\d{3}\*{4}"`), regexp.MustCompile(`"callee": "\+?\d{7,}"`)
	for _, tc := range []struct {
		args   []string
		want   *regexp.Regexp
		others *regexp.Regexp // nil: Teams masks some numbers itself
		says   string
	}{
		{nil, masked, whole, `"numbers": "configured"`},
		{[]string{"--numbers=keep"}, whole, nil, `"numbers": "keep"`},
		{[]string{"--numbers=drop"}, regexp.MustCompile(`"calls"`), regexp.MustCompile(`"callee"`), `"numbers": "drop"`},
	} {
		out, _ := c.run(exitDone, "incident", append(tc.args, "--from=3h", "--output=json")...)
		if !tc.want.MatchString(out) || tc.others != nil && tc.others.MatchString(out) || !regexp.MustCompile(tc.says).MatchString(out) {
			t.Errorf("%v: %s", tc.args, out)
		}
	}
}
