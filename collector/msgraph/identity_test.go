package msgraph

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const (
	testTenant = sim.TenantID
	testClient = sim.ClientID
	testSecret = "s3cret-of-the-test"
)

// serving answers requests by a handler, without a network.
type serving struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (s serving) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // a test's own body
}

// tokensAndPages answers every request for a token, and with an empty page all others.
func tokensAndPages(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		writeJSON(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3599, "access_token": "t"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"value": []any{}})
}

// block is a configuration that asks an address for both feeds.
func block(address string) *Config {
	c := &Config{
		TenantID: testTenant, ClientID: testClient, Cloud: cloudGlobal, GraphURL: address, LoginURL: address,
		PSTN: new(PSTN), DirectRouting: new(DirectRouting),
	}
	c.PSTN.SetDefaults()
	c.DirectRouting.SetDefaults()
	return c
}

// startTenant starts a simulated tenant. The configuration and the settings reach it over TLS.
func startTenant(t *testing.T) (*sim.Server, *Config, collector.SourceSettings) {
	t.Helper()
	server, err := sim.Start(sim.Settings{ClientSecret: testSecret})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	var s collector.SourceSettings
	s.TLS = promconfig.TLSConfig{CA: string(server.CA())}
	return server, block(server.BaseURL()), s
}

// open opens a source and closes it when the test ends.
func open(t *testing.T, c *Config, settings collector.SourceSettings) *collector.Source {
	t.Helper()
	source, err := Provider().Open(c, settings)
	require.NoError(t, err)
	t.Cleanup(source.Close)
	return source
}

// probe opens a source and asks its first feed.
func probe(t *testing.T, c *Config, settings collector.SourceSettings) *collector.Source {
	t.Helper()
	source := open(t, c, settings)
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	return source
}

// recordingObserver remembers who asked and what was answered.
type recordingObserver struct{ requests []string }

func (o *recordingObserver) Request(feed, code string, _ time.Duration) {
	o.requests = append(o.requests, feed+" "+code)
}

func (o *recordingObserver) Throttled(string, time.Duration) {}

// TestRequestsAreObserved: those for tokens have an empty feed. Both feeds share a token; the tenant
// checks the form that asks for it.
func TestRequestsAreObserved(t *testing.T) {
	server, c, settings := startTenant(t)
	c.ClientSecret = config.NewSecret(testSecret)
	observer := new(recordingObserver)
	settings.Observer = observer
	source := probe(t, c, settings)
	server.Register(func(a *sim.Application) { a.SecretExpired = true })
	server.ExpireTokens()
	_, err := source.Feeds[1].Probe(t.Context())
	if what, todo := source.Advise(err); !strings.Contains(what, "the client secret has expired") ||
		!strings.Contains(todo, "create a new secret") {
		t.Errorf("of %v it says %q and %q", err, what, todo)
	}
	want := []string{" 200", "pstn 200", "direct_routing 401", " 401"}
	if !slices.Equal(observer.requests, want) {
		t.Errorf("observed %q, want %q", observer.requests, want)
	}
}

// TestPlainHTTPOnLoopback: the identity library refuses http, the exporter doesn't here.
func TestPlainHTTPOnLoopback(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(tokensAndPages))
	t.Cleanup(server.Close)
	c := block(server.URL)
	c.ClientSecret = config.NewSecret(testSecret)
	probe(t, c, collector.SourceSettings{})
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Error(err)
	}
}

// newCertificate makes a self-signed certificate with its key, as PEM.
func newCertificate(t *testing.T, notAfter time.Time) (string, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(notAfter.Unix()), Subject: pkix.Name{CommonName: "cdr-exporter test"},
		NotBefore: notAfter.Add(-24 * time.Hour), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), cert
}

// TestCertificate: the tenant checks the assertions that the certificates' keys sign.
func TestCertificate(t *testing.T) {
	server, c, settings := startTenant(t)
	end := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	bundle, cert := newCertificate(t, end)
	renewed, next := newCertificate(t, end.Add(30*24*time.Hour))
	server.Register(func(a *sim.Application) { a.Certificates = []*x509.Certificate{cert, next} })
	file := filepath.Join(t.TempDir(), "cert.pem")
	write(t, file, bundle)
	c.ClientCertificate = config.NewSecretFile(file)
	source := open(t, c, settings)
	if got := source.CredentialExpiry(); !got.Equal(end) {
		t.Errorf("the certificate ends %s, want %s", got, end)
	}
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}

	// A renewed file shows without a reload, with the next token.
	creds, err := newCredentials(c, clouds[cloudGlobal], &settings)
	require.NoError(t, err)
	defer (&http.Client{Transport: creds.transport}).CloseIdleConnections()
	write(t, file, renewed)
	later := time.Now().Add(time.Minute) // coarse file times
	require.NoError(t, os.Chtimes(file, later, later))
	if _, err := creds.token(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := creds.expiry(); !got.Equal(next.NotAfter) {
		t.Errorf("the renewed certificate ends %s", got)
	}
	// A file that hangs or is gone stops nothing that is shown.
	require.NoError(t, os.Remove(file))
	if _, err := creds.token(t.Context()); err == nil || !creds.expiry().Equal(next.NotAfter) {
		t.Errorf("without its file: %v, it ends %s", err, creds.expiry())
	}
}

func TestPKCS12(t *testing.T) {
	server, c, settings := startTenant(t)
	c.ClientCertificate = config.NewSecretFile("testdata/legacy.pfx")
	c.ClientCertificatePassword = config.NewSecret("test")
	certs, _, err := (&credentials{config: c}).certificates(t.Context())
	require.NoError(t, err)
	server.Register(func(a *sim.Application) { a.Certificates = certs })
	if got := probe(t, c, settings).CredentialExpiry(); !got.Equal(certs[0].NotAfter) {
		t.Errorf("the certificate ends %s, want %s", got, certs[0].NotAfter)
	}
}

func TestWorkloadIdentity(t *testing.T) {
	for name, byEnvironment := range map[string]bool{"token_file": false, "environment": true} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "token")
			write(t, file, "service-account-token")
			c := block("https://login.example")
			c.WorkloadIdentity = &WorkloadIdentity{TokenFile: config.File(file)}
			if byEnvironment {
				c.WorkloadIdentity.TokenFile = ""
				t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
			}
			var form url.Values
			var settings collector.SourceSettings
			settings.Transport = serving{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					_ = r.ParseForm()
					form = r.PostForm
				}
				tokensAndPages(w, r)
			})}
			probe(t, c, settings)
			if form.Get("client_id") != testClient || form.Get("client_assertion") != "service-account-token" {
				t.Errorf("asked with %v", form)
			}
		})
	}
}

func TestManagedIdentity(t *testing.T) {
	var asked []url.Values
	var tokens []string
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query())
		if r.Header.Get("X-IDENTITY-HEADER") != "header-secret" {
			t.Error("the header is missing")
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": "managed-" + string(rune('0'+len(asked))), "expires_on": time.Now().Add(24 * time.Hour).
					Unix(),
			"resource": "https://graph.microsoft.com", "token_type": "Bearer",
		})
	}))
	t.Cleanup(endpoint.Close)
	graph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tokens = append(tokens, r.Header.Get("Authorization")); len(tokens) == 1 {
			writeJSON(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": "Forbidden"}})
			return
		}
		tokensAndPages(w, r)
	}))
	t.Cleanup(graph.Close)
	t.Setenv("IDENTITY_ENDPOINT", endpoint.URL)
	t.Setenv("IDENTITY_HEADER", "header-secret")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // a managed identity is never behind a proxy
	c := block(graph.URL)
	c.ClientID = ""
	c.ManagedIdentity = &ManagedIdentity{ClientID: testClient}
	probe(t, c, collector.SourceSettings{})
	// The refused token isn't taken from the library's cache again.
	if len(tokens) != 2 || tokens[0] != "Bearer managed-1" || tokens[1] != "Bearer managed-2" {
		t.Errorf("tokens %q", tokens)
	}
	if asked[0].Get("client_id") != testClient || asked[0].Get("resource") != "https://graph.microsoft.com" {
		t.Errorf("asked with %v", asked[0])
	}
	// A managed identity without a client id has the application's.
	c.ClientID, c.ManagedIdentity.ClientID = record1, ""
	probe(t, c, collector.SourceSettings{})
	if last := asked[len(asked)-1]; last.Get("client_id") != record1 {
		t.Errorf("asked with %v", last)
	}
}

// TestOnlyTheTokenEndpointIsAsked: nothing that the library may come to ask for leaves.
func TestOnlyTheTokenEndpointIsAsked(t *testing.T) {
	endpoint, err := url.Parse("https://login.example/tenant/oauth2/v2.0/token")
	require.NoError(t, err)
	for _, other := range []string{
		"https://evil.example/tenant/oauth2/v2.0/token", "http://login.example/tenant/oauth2/v2.0/token",
		"https://login.example/common/discovery/instance", "https://login.example/tenant/oauth2/v2.0/token?x=1",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, other, nil)
		require.NoError(t, err)
		g := &providertest.Script{Answers: []answer{{}}}
		resp, err := (&exchange{credentials: &credentials{transport: g}, endpoint: endpoint}).Do(request)
		if err == nil {
			_ = resp.Body.Close() // only to be tidy
		}
		if err == nil || len(g.Asked) != 0 {
			t.Errorf("%s is asked", other)
		}
	}
}

// TestClouds: each cloud's scope and addresses are its own.
func TestClouds(t *testing.T) {
	want := map[string][2]string{
		"global":   {"https://login.microsoftonline.com", "https://graph.microsoft.com/.default"},
		"usgov_l4": {"https://login.microsoftonline.us", "https://graph.microsoft.us/.default"},
		"usgov_l5": {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us/.default"},
	}
	for _, name := range cloudNames {
		creds, err := newCredentials(&Config{}, clouds[name], new(collector.SourceSettings))
		require.NoError(t, err)
		if got := [2]string{clouds[name].login, creds.scope}; got != want[name] {
			t.Errorf("%s: %q, want %q", name, got, want[name])
		}
	}
	if len(clouds) != len(want) || len(cloudNames) != len(want) {
		t.Errorf("there are %d clouds, want %d", len(clouds), len(want))
	}
}

// TestRoles: the roles of a token are its claim; a token that can't be read has none.
func TestRoles(t *testing.T) {
	body := func(text string) string { return "e30." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".c2ln" }
	for name, test := range map[string]struct {
		token string
		want  []string
	}{
		"two": {
			body(`{"aud":"x","roles":["CallRecords.Read.All","User.Read.All"]}`),
			[]string{"CallRecords.Read.All", "User.Read.All"},
		},
		"none":           {body(`{"aud":"x"}`), nil},
		"another type":   {body(`{"roles":7}`), nil},
		"opaque":         {"EwBgA8l6BAAU", nil},
		"encrypted":      {"a.b.c.d.e", nil},
		"no base64":      {"a.%.c", nil},
		"no token there": {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rolesOf(test.token); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
