package app

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestReloadReadsOTLPCertificates: the certificates that otlp trusts are read again by a reload of
// a file that didn't change.
func TestReloadReadsOTLPCertificates(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	folder := t.TempDir()
	former, err := simulator.NewAuthority()
	if err == nil {
		err = former.WriteCA(filepath.Join(folder, "ca.pem"))
	}
	require.NoError(t, err)
	reached := make(chan struct{}, 1)
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case reached <- struct{}{}:
		default:
		}
	}))
	renewed, err := simulator.NewAuthority()
	require.NoError(t, err)
	endpoint.TLS = &tls.Config{Certificates: []tls.Certificate{renewed.Certificate}}
	endpoint.StartTLS()
	t.Cleanup(endpoint.Close)
	a := start(t, provider.write(folder, "active_calls: ", "otlp: {endpoint: \""+endpoint.URL+
		"\", interval: 1s, tls_config: {ca_file: ca.pem}}"), provider.provider())
	require.NoError(t, renewed.WriteCA(filepath.Join(folder, "ca.pem")))
	reload(t, a)
	select {
	case <-reached:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is sent to the endpoint with the renewed certificate")
	}
	before := a.running.Load().otlp
	if err := a.Reload(); err != nil || a.running.Load().otlp != before {
		t.Errorf("a reload without changes made a new delivery: %v", err)
	}
}

// A signal that is turned off leaves log records or spans in the outbox. They don't count any more: otherwise
// CDROutboxNearLimit would fire, and the page be full, while the other signal is sent.
func TestReloadTurnsASignalOff(t *testing.T) {
	t.Parallel()
	provider, folder := newNotifying(t), t.TempDir()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(endpoint.Close)
	configure := func(signals string) string {
		file := provider.writeSources(folder, office)
		edit(t, file, "sources:", "otlp: {endpoint: \""+endpoint.URL+
			"\", outbox_limit: 1, shutdown_timeout: 1s, "+signals+"}\nsources:")
		return file
	}
	a := startWith(t, listen(configure("logs: true, traces: false"), provider))
	awaitRest(t, a)
	post(t, hookURL(a, office), "call")
	until(t, a, "cdr_exporter_otlp_outbox_records 1")
	if state := a.Status().OTLP.State; state != web.OTLPFull {
		t.Errorf("at the limit the page says %q", state)
	}
	configure("logs: false, traces: true")
	reload(t, a)
	_, body := ask(t, a, http.MethodGet, "/metrics")
	for _, line := range []string{
		"cdr_exporter_otlp_outbox_limit_records 1\n", "cdr_exporter_otlp_outbox_records 0\n",
	} {
		if !strings.Contains(body, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if strings.Contains(body, "\ncdr_exporter_otlp_outbox_oldest_timestamp_seconds") {
		t.Error("the metrics say since when something waits")
	}
	if state := a.Status().OTLP.State; state != web.OTLPOK {
		t.Errorf("without log records the page says %q", state)
	}
}
