package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// history is how far back the demo reads, short enough to be read within seconds. The tenant's
// is shorter, since call records are read one by one, but over two hours, which the rules
// need to see since when its counters count.
const (
	history       = 3 * time.Hour
	tenantHistory = 130 * time.Minute
)

// Settle is the settle time of call records: the simulated ones are complete within three minutes.
const Settle = 4 * time.Minute

// configuration is an ordinary configuration with short intervals.
var configuration = template.Must(template.New("demo").Parse(`storage: {path: {{printf "%q" .Storage}}}
metrics: {zero_for: 10s}
sources:
  - name: contoso
    history: {{.TenantHistory}}
    requests_per_minute: 60000
    tls_config: {ca_file: msgraph-ca.pem}
    msgraph:
      tenant_id: {{.Tenant.TenantID}}
      client_id: {{.Tenant.ClientID}}
      client_secret: {{.Tenant.ClientSecret}}
      login_url: {{.Tenant.LoginURL}}
      graph_url: {{.Tenant.GraphURL}}
      pstn: {interval: 5s, lookback: 1h, late_after: 10m}
      direct_routing: {interval: 2s, lookback: 1h, late_after: 10m}
      call_records:
        interval: 5s
        lookback: 1h
        late_after: 10m
        settle: {{.Settle}}
        webhook: {public_url: "http://{{.Hook}}/webhooks/contoso"}
  - name: acme
    history: {{.History}}
    tls_config: {ca_file: ringcentral-ca.pem}
    ringcentral:
      base_url: {{.Office.BaseURL}}
      client_id: {{.Office.ClientID}}
      client_secret: {{.Office.ClientSecret}}
      jwt: {{.Office.JWT}}
      call_log: {interval: 2s, lookback: 6h, late_after: 10m}
      active_calls: {interval: 2s}
  - name: wave
    history: {{.History}}
    requests_per_minute: 6000
    tls_config: {ca_file: wavix-ca.pem}
    wavix:
      base_url: {{.Carrier.BaseURL}}
      api_key: {{.Carrier.APIKey}}
      call_log: {interval: 5s, lookback: 1h, late_after: 10m}
      active_calls: {interval: 2s}
`))

// Configure writes a configuration that reads the providers, and the files that it names, to a
// folder. Storage is the folder of the ledger, hook the address of the listener for notifications.
func (p *Providers) Configure(folder, storage, hook string) (string, error) {
	if err := p.writeCAs(folder); err != nil {
		return "", err
	}
	storage, err := filepath.Abs(storage)
	if err != nil {
		return "", fmt.Errorf("resolve the ledger's folder: %w", err)
	}
	var text strings.Builder
	err = configuration.Execute(&text, struct {
		*Providers
		Storage, Hook                  string
		History, TenantHistory, Settle time.Duration
	}{p, storage, hook, history, tenantHistory, Settle})
	if err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	file := filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	return file, nil
}
