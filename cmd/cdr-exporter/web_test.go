package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
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
