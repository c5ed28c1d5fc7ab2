package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// writeCertificate makes cert.pem and key.pem for 127.0.0.1 and returns whom to trust.
func writeCertificate(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, content := range map[string][]byte{
		"cert.pem": certificate, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return pool
}

// TestReloadReadsOTLPCertificates: the certificates that otlp trusts are read again by a reload of
// a file that didn't change.
func TestReloadReadsOTLPCertificates(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	folder, renewed := t.TempDir(), t.TempDir()
	writeCertificate(t, folder)
	writeCertificate(t, renewed)
	certificate, err := tls.LoadX509KeyPair(filepath.Join(renewed, "cert.pem"), filepath.Join(renewed, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	reached := make(chan struct{}, 1)
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case reached <- struct{}{}:
		default:
		}
	}))
	endpoint.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	endpoint.StartTLS()
	t.Cleanup(endpoint.Close)
	a := start(t, provider.write(folder, "active_calls: ", "otlp: {endpoint: \""+endpoint.URL+
		"\", interval: 1s, tls_config: {ca_file: cert.pem}}"), provider.provider())
	if err := os.Rename(filepath.Join(renewed, "cert.pem"), filepath.Join(folder, "cert.pem")); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
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
