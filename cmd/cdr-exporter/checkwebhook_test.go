package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// The address of notifications is tried from here; that nothing answers fails no feed.
func TestCheckSourcesWithAWebhook(t *testing.T) {
	t.Parallel()
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/webhooks/contoso":
			_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
		case "/signin":
			_, _ = io.WriteString(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(listener.Close)
	to := time.Now().Add(-24 * time.Hour)
	tenant, err := sim.Start(sim.Settings{CallRecords: sim.HistoricalCallRecords(7, to.Add(-time.Hour), to, 5)})
	require.NoError(t, err)
	t.Cleanup(tenant.Close)
	for path, want := range map[string]string{
		"/webhooks/contoso": `call_records +ok, the webhook answers at http://127`,
		"/webhooks/other": `call_records +the webhook doesn't answer[^~]*\n  it answers 404[^~]*` +
			`What to do: run the exporter with --webhook.listen-address`,
		"/signin": `\n  something other than the exporter's listener answers there\n`,
	} {
		folder := t.TempDir()
		file := filepath.Join(folder, "config.yaml")
		text := fmt.Sprintf("storage: {path: ledger}\nsources:\n  - name: contoso\n    tls_config: {ca_file: ca.pem}\n"+
			"    msgraph: {tenant_id: %s, client_id: %s, client_secret: %s, login_url: %[4]q, graph_url: %[4]q,\n"+
			"      call_records: {webhook: {public_url: %q}}}\n",
			sim.TenantID, sim.ClientID, tenant.ClientSecret, tenant.BaseURL(), listener.URL+path)
		if err := errors.Join(tenant.WriteCA(filepath.Join(folder, "ca.pem")),
			os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"check", "sources", "--config.file=" + file},
			streams{&out, &errs}); code != exitDone || !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s: exit code %d: %s%s", path, code, &out, &errs)
		}
	}
}
