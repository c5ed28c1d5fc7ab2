package main_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

// TestCredentials (contract 2): every kind of credential gets a token, and another one
// when that ends.
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
		"certificate":       {line: "client_certificate_file: certificate.pem", setUp: registerCertificate},
		"workload identity": {line: "workload_identity: {token_file: federated}", setUp: registerFederation},
		"workload identity by the environment": {
			line: "workload_identity: {}", setUp: registerFederation,
			env: func(_ *testing.T, n *tenant) map[string]string {
				return map[string]string{"AZURE_FEDERATED_TOKEN_FILE": n.path("federated")}
			},
		},
		"managed identity": {
			line: "managed_identity: {}",
			env:  managedIdentity,
		},
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
			} else if err := x.scrape().is(float64(expires.Unix()), "cdr_exporter_credential_expiry_timestamp_seconds", "source=contoso"); err != nil {
				t.Error(err)
			}
			x.stop()
		})
	}
}

func inlineSecret(_ *testing.T, n *tenant) map[string]string {
	return map[string]string{"CDR_SECRET": n.ClientSecret}
}

// managedIdentity is App Service's endpoint for managed identities (api-version 2019-08-01), which passes tokens of the tenant on.
func managedIdentity(t *testing.T, n *tenant) map[string]string {
	t.Helper()
	const header = "5a5a0000-0000-4000-8000-0000000000d1"
	n.vault.hide("the managed identity's header", header)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.Pool(), MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const resource = "https://graph.microsoft.com"
		asked := r.URL.Query()
		if r.Method != http.MethodGet || r.URL.Path != "/msi/token" || r.Header.Get("X-IDENTITY-HEADER") != header ||
			asked.Get("api-version") != "2019-08-01" || asked.Get("resource") != resource || asked.Has("client_id") && asked.Get("client_id") != sim.ClientID {
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		response, err := client.PostForm(n.BaseURL()+"/"+sim.TenantID+"/oauth2/v2.0/token", url.Values{ //nolint:noctx // ends with the test
			"grant_type": {"client_credentials"}, "client_id": {sim.ClientID}, "client_secret": {n.ClientSecret}, "scope": {resource + "/.default"},
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		token := map[string]any{}
		if err := json.NewDecoder(response.Body).Decode(&token); err != nil {
			t.Error(err)
		}
		token["resource"], token["expires_on"] = resource, strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(token)
	}))
	t.Cleanup(endpoint.Close)
	return map[string]string{"IDENTITY_ENDPOINT": endpoint.URL + "/msi/token", "IDENTITY_HEADER": header}
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

// registerFederation makes a service account's token. It has no end that is shown.
func registerFederation(_ *testing.T, n *tenant) time.Time {
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6Y2RyIn0.c2lnbmF0dXJl"
	n.Register(func(a *sim.Application) { a.FederatedTokens = append(a.FederatedTokens, token) })
	n.keep("federated", token)
	return time.Time{}
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
		if f := x.feed("contoso", pstn); f.State != "error" || lineWith(f.LastError, "AADSTS7000215", "client_secret") == "" {
			return errors.New(f.State + ": " + f.LastError)
		}
		return nil
	})
	n.keep("secret", "rotated~hush~hush")
	x.counts(n, began, n.Visible())
	x.stop()
}
