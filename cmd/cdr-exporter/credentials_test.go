package main_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

// TestCredentials (contract 2): a secret and a certificate get a token, and another one
// when that ends. collector/msgraph tests the kinds that have no secret of the application.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line  string
		setUp func(*testing.T, *tenant) (expires time.Time)
		env   func(*testing.T, *tenant) map[string]string
	}{
		"inline secret": {line: "client_secret: ${env:CDR_SECRET}", env: inlineSecret},
		"secret file":   {line: "client_secret_file: secret"},
		"secret with its end": {
			line:  "client_secret_file: secret\n      client_secret_expires: 2199-03-01",
			setUp: func(*testing.T, *tenant) time.Time { return time.Date(2199, 3, 1, 0, 0, 0, 0, time.UTC) },
		},
		"certificate": {line: "client_certificate_file: certificate.pem", setUp: registerCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, sim.Settings{DirectRouting: world(t, unfolding(95, sim.DirectRoutingMix(), 200))})
			began := n.Pause()
			var expires time.Time
			if c.setUp != nil {
				expires = c.setUp(t, n)
			}
			l := launch{config: n.configure(settings{Sources: []source{{Credential: c.line, PSTN: "-"}}})}
			if c.env != nil {
				l.env = c.env(t, n)
			}
			x := start(t, n.vault, l).ready()
			x.counts(n, began)
			n.ExpireTokens()
			n.Advance(12 * time.Hour)
			x.counts(n, began, n.Visible())
			if expiry := x.scrape().series("cdr_exporter_credential_expiry_timestamp_seconds"); expires.IsZero() {
				if len(expiry) != 0 {
					t.Errorf("a credential without an end shows one: %v", expiry)
				}
			} else if err := x.scrape().is(float64(expires.Unix()), "cdr_exporter_credential_expiry_timestamp_seconds",
				"source=contoso"); err != nil {
				t.Error(err)
			}
			x.stop()
		})
	}
}

func inlineSecret(_ *testing.T, n *tenant) map[string]string {
	return map[string]string{"CDR_SECRET": n.ClientSecret}
}

// registerCertificate makes a certificate with its key, and says when it ends.
func registerCertificate(t *testing.T, n *tenant) time.Time {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ends := time.Now().Add(90 * 24 * time.Hour).Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cdr-exporter"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: ends,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	n.Register(func(a *sim.Application) { a.Certificates = append(a.Certificates, certificate) })
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	n.vault.hide("a piece of the private key", string(text[40:90]))
	n.write("certificate.pem", string(text)+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return ends
}

// TestRotatedSecret (contract 2): a secret's file is read again when it changes, without
// a reload; until then the feeds say what is wrong and go on by themselves.
func TestRotatedSecret(t *testing.T) {
	t.Parallel()
	n, began := lasting(t, 97)
	x := n.start(settings{}).ready()
	x.counts(n, began)
	n.Register(func(a *sim.Application) { a.Secret = "rotated~hush~hush" })
	n.ExpireTokens()
	n.Advance(12 * time.Hour)
	eventually(t, "show that the secret is wrong", func() error {
		if f := x.feed("contoso", pstn); f.State != "error" ||
			lineWith(f.LastError, "AADSTS7000215", "client_secret") == "" {
			return errors.New(f.State + ": " + f.LastError)
		}
		return nil
	})
	n.keep("secret", "rotated~hush~hush")
	x.counts(n, began, n.Visible())
	x.stop()
}
