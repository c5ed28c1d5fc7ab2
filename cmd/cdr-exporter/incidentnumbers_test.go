package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestIncidentNumbers: --numbers=keep shows whole numbers, and the report says so; otherwise the
// configuration decides.
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
	text := fmt.Sprintf("storage: {path: ledger}\nsources:\n  - name: contoso\n    tls_config: {ca_file: "+
		"ca.pem}\n    msgraph: "+
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
		{
			[]string{"--numbers=drop"},
			regexp.MustCompile(`"calls"`), regexp.MustCompile(`"callee"`),
			`"numbers": "drop"`,
		},
	} {
		out, _ := c.run(exitDone, "incident", append(tc.args, "--from=3h", "--output=json")...)
		if !tc.want.MatchString(out) || tc.others != nil && tc.others.MatchString(out) || !regexp.MustCompile(tc.says).
			MatchString(out) {
			t.Errorf("%v: %s", tc.args, out)
		}
	}
	c.callers(t)
}

// callers: who made the outbound calls, redacted as configured; those to one country add up to what
// the report of the same time says of it.
func (c *commandLine) callers(t *testing.T) {
	t.Helper()
	span := []string{
		"--from=" + time.Now().Add(-3*time.Hour).Format(time.RFC3339),
		"--to=" + time.Now().Add(-time.Hour).Format(time.RFC3339), "--output=json",
	}
	var sums []struct {
		Direction, Country string
		Connected          int
		Minutes            string
	}
	out, _ := c.run(exitDone, "report", append(span, "--by=direction,country")...)
	if err := json.Unmarshal([]byte(out), &sums); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, s := range sums {
		if s.Direction != "outbound" || s.Connected == 0 || s.Country == "" {
			continue
		}
		var incident struct {
			Callers []struct {
				Country, Caller, User string
				Class                 string `json:"number_class"`
				Connected             int
			}
		}
		out, _ := c.run(exitDone, "incident", append(span, "--country="+strings.ToLower(s.Country))...)
		if err := json.Unmarshal([]byte(out), &incident); err != nil {
			t.Fatal(err)
		}
		connected := 0
		for _, by := range incident.Callers {
			connected += by.Connected
			if by.Country != s.Country || by.Class == "" || by.Caller == "" || regexp.MustCompile(`\d{4}$`).
				MatchString(by.Caller) || strings.Contains(by.User, "@") {
				t.Errorf("%+v isn't of %s, or isn't redacted", by, s.Country)
			}
		}
		if len(incident.Callers) < 20 && connected != s.Connected || connected == 0 {
			t.Errorf("the callers of %s connected %d times, want %d", s.Country, connected, s.Connected)
		}
		if checked++; checked == 2 {
			return
		}
	}
	t.Error("no two countries were called")
}
