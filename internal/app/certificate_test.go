package app

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

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
