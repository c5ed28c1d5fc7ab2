package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// small is a tenant of one feed with a few calls.
func small(t *testing.T, seed uint64) *tenant {
	return newTenant(t, sim.Settings{PSTN: world(t, past(seed, sim.PSTNMix(), 200))})
}

// TestWebConfig (contract 1): TLS and basic auth by --web.config.file, on every
// address.
func TestWebConfig(t *testing.T) {
	t.Parallel()
	n := small(t, 61)
	config, authority := secured(t, n, "ada", "open~sesame")
	client := client{
		tls:  &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12},
		user: "ada", password: "open~sesame", path: "/telemetry/cdr",
	}
	x := start(t, n.vault, launch{
		config: n.configure(settings{}), client: client,
		args: []string{
			"--web.config.file=" + config, "--web.telemetry-path=/telemetry/cdr",
			"--web.listen-address=127.0.0.1:0", "--web.listen-address=[::1]:0",
		},
	}).ready()
	x.counts(n, n.Now())
	if a, err := x.client.do(http.MethodGet, "/metrics", nil); err != nil || a.status != http.StatusNotFound {
		t.Errorf("/metrics answers %d, %v though the metrics are elsewhere", a.status, err)
	}
	addresses := x.addresses()
	if len(addresses) != 3 {
		t.Fatalf("it listens on %q, want three addresses", addresses)
	}
	for _, address := range addresses {
		other := client
		other.attach(x, address)
		if _, err := other.get("/-/ready"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		other.password = "wrong"
		if a, err := other.do(http.MethodGet, "/telemetry/cdr", nil); err != nil ||
			a.status != http.StatusUnauthorized {
			t.Errorf("%s answers a wrong password with %d, %v", address, a.status, err)
		}
		other.close()
		health(t, n.vault, 0, "", address)
	}
	x.stop()
}

// TestDemoSaysHTTPS: the address that the demo prints can be opened, also with TLS.
func TestDemoSaysHTTPS(t *testing.T) {
	t.Parallel()
	n := small(t, 62)
	config, authority := secured(t, n, "ada", "open~sesame")
	x := start(t, n.vault, launch{
		args: []string{"demo", "--web.listen-address=127.0.0.1:0", "--web.config.file=" + config},
		client: client{
			tls: &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12}, user: "ada",
			password: "open~sesame",
		},
	}).serving()
	page := "https://" + x.addresses()[0]
	if want := "Open " + page + "/ (status) or " + page + "/metrics"; !strings.Contains(x.out.String(), want) {
		t.Errorf("the demo prints %s, want %s", x.out, want)
	}
	x.stop()
}

// secured writes a web configuration file with TLS and one user.
func secured(t *testing.T, n *tenant, user, password string) (string, *simulator.Authority) {
	t.Helper()
	authority, err := simulator.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(authority.Certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	n.write("web.pem",
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate.Certificate[0]})))
	n.write("web.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	n.vault.hide("the password of the metrics port", password)
	n.vault.hide("the hash of that password", string(hash))
	return n.write("web.yaml", fmt.Sprintf(
			"tls_server_config: {cert_file: web.pem, key_file: web.key}\nbasic_auth_users: {%s: %q}\n", user, hash)),
		authority
}
