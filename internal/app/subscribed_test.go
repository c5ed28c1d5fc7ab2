package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// A reload gives a tenant a webhook: the exporter subscribes over TLS, is told of calls
// whose list isn't due for hours, and counts them. The next process goes on with the same
// subscription.
func TestTenantNotifies(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	world := simulator.NewWorld(sim.LiveCalls(3, time.Now().Add(-10*time.Minute), 2))
	records := sim.NewCallRecords(sim.CallRecordSettings{Calls: world, Versions: sim.QuickVersions()})
	server, err := sim.Start(sim.Settings{
		CallRecords: records, WebhookCAs: writeCertificate(t, folder),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	if err := server.WriteCA(filepath.Join(folder, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	settings := Settings{
		ConfigFile: filepath.Join(folder, "config.yaml"), ListenAddresses: []string{"127.0.0.1:0"},
		WebhookAddresses: []string{"127.0.0.1:0"}, WebhookConfigFile: filepath.Join(folder, "web.yml"),
	}
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := func(feeds string) {
		write(settings.ConfigFile, fmt.Sprintf("storage: {path: data}\nmetrics: {zero_for: 0s}\nsources:\n  - name: contoso\n    history: 1m\n"+
			"    requests_per_minute: 60000\n    tls_config: {ca_file: ca.pem}\n"+
			"    msgraph: {tenant_id: %s, client_id: %s, client_secret: %s, login_url: %q, graph_url: %q, %s}\n",
			sim.TenantID, sim.ClientID, server.ClientSecret, server.BaseURL(), server.BaseURL(), feeds))
	}
	write(settings.WebhookConfigFile, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n")
	config("pstn: ")
	a := startWith(t, settings)
	settings.WebhookAddresses = []string{a.WebhookAddr()}
	config(fmt.Sprintf("call_records: {interval: 6h, webhook: {public_url: %q}}", "https://"+a.WebhookAddr()+"/webhooks/contoso"))
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	awaitNotified(t, a, server)
	subscriptions := server.Subscriptions()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	awaitNotified(t, startWith(t, settings), server)
	if again := server.Subscriptions(); len(subscriptions) != 1 || len(again) != 1 || again[0].ID != subscriptions[0].ID {
		t.Errorf("subscribed as %v, then as %v", subscriptions, again)
	}
}

// awaitNotified waits until notifications have brought calls.
func awaitNotified(t *testing.T, a *App, server *sim.Server) {
	t.Helper()
	before := server.Notified().Delivered
	await(t, "notifications were taken", func() bool { return server.Notified().Delivered > before+5 })
	counted := func(line string) bool {
		_, body := ask(t, a, http.MethodGet, "/metrics")
		return strings.Contains(body, line) && !strings.Contains(body, line+" 0\n")
	}
	await(t, "records were counted", func() bool {
		return counted(`cdr_exporter_rows_total{feed="call_records",result="new",source="contoso"}`)
	})
	if !counted(`cdr_notifications_total{result="accepted",source="contoso"}`) || !counted(`cdr_subscription_expiry_timestamp_seconds{source="contoso"}`) {
		t.Error("the notifications or the subscription aren't shown")
	}
}
