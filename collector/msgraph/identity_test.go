package msgraph

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
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
	"sync"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	testTenant = "11111111-2222-4333-8444-555555555555"
	testClient = "99999999-2222-4333-8444-555555555555"
	testSecret = "s3cret-of-the-test"
)

// microsoft is an identity platform and a Graph in one server.
type microsoft struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	forms  []url.Values // of token requests
	token  http.HandlerFunc
	graph  http.HandlerFunc
	tokens int
}

// newMicrosoft starts a server that gives tokens and empty pages until told otherwise.
func newMicrosoft(t *testing.T, start func(http.Handler) *httptest.Server) *microsoft {
	t.Helper()
	m := &microsoft{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /"+testTenant+"/oauth2/v2.0/token", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Errorf("the token request isn't a form: %v", err)
		}
		m.mu.Lock()
		m.forms = append(m.forms, r.PostForm)
		m.mu.Unlock()
		m.token(w, r)
	})
	mux.HandleFunc("GET /v1.0/communications/callRecords/{call}",
		func(w http.ResponseWriter, r *http.Request) { m.graph(w, r) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("asked for %s %s", r.Method, r.URL.Path)
		http.NotFound(w, r)
	})
	m.Server = start(mux)
	t.Cleanup(m.Close)
	m.token = func(w http.ResponseWriter, _ *http.Request) {
		m.tokens++
		writeJSON(w, http.StatusOK, map[string]any{
			"token_type": "Bearer", "expires_in": 3599, "access_token": "token-" + string(rune('0'+m.tokens)),
		})
	}
	m.graph = func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"value": []any{}})
	}
	return m
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // a test's own body
}

// settings trust the server.
func (m *microsoft) settings() collector.SourceSettings {
	var s collector.SourceSettings
	if cert := m.Certificate(); cert != nil {
		s.TLS = promconfig.TLSConfig{CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))}
	}
	return s
}

// block is a configuration that asks the server for both feeds.
func (m *microsoft) block() *Config {
	c := &Config{
		TenantID: testTenant, ClientID: testClient, Cloud: cloudGlobal, GraphURL: m.URL, LoginURL: m.URL,
		PSTN: new(PSTN), DirectRouting: new(DirectRouting),
	}
	c.PSTN.SetDefaults()
	c.DirectRouting.SetDefaults()
	return c
}

// open opens a source and closes it when the test ends.
func (m *microsoft) open(c *Config) *collector.Source {
	m.t.Helper()
	source, err := Provider().Open(c, m.settings())
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(source.Close)
	return source
}

func (m *microsoft) wantForm(i int, want map[string]string) {
	m.t.Helper()
	if i >= len(m.forms) {
		m.t.Fatalf("%d token requests, want more than %d", len(m.forms), i)
	}
	for key, value := range want {
		if got := m.forms[i].Get(key); got != value {
			m.t.Errorf("token request %d: %s = %q, want %q", i, key, got, value)
		}
	}
}

func TestSecretOverTLS(t *testing.T) {
	m := newMicrosoft(t, httptest.NewTLSServer)
	c := m.block()
	c.ClientSecret = config.NewSecret(testSecret)
	m.graph = func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer token-1" {
			t.Errorf("Authorization = %q", got)
		}
		writeJSON(w, http.StatusOK,
			map[string]any{"value": []any{map[string]any{"id": "1", "startDateTime": "2026-11-01T10:00:00Z"}}})
	}
	source := m.open(c)
	for _, feed := range source.Feeds {
		if rows, err := feed.Probe(t.Context()); rows != 1 || err != nil {
			t.Errorf("%s: %d rows, error %v", feed.Name, rows, err)
		}
	}
	m.wantForm(0, map[string]string{
		"grant_type": "client_credentials", "client_id": testClient, "client_secret": testSecret,
		"scope": "https://graph.microsoft.com/.default openid offline_access profile",
	})
	if len(m.forms) != 1 {
		t.Errorf("%d token requests, want one for both feeds", len(m.forms))
	}
	if at := source.CredentialExpiry(); !at.IsZero() {
		t.Errorf("a secret's end is %s, want none", at)
	}
}

// recordingObserver remembers who asked and what was answered.
type recordingObserver struct{ requests []string }

func (o *recordingObserver) Request(feed, code string, _ time.Duration) {
	o.requests = append(o.requests, feed+" "+code)
}

func (o *recordingObserver) Throttled(string, time.Duration) {}

// TestRequestsAreObserved: those for tokens have an empty feed.
func TestRequestsAreObserved(t *testing.T) {
	m := newMicrosoft(t, httptest.NewTLSServer)
	c := m.block()
	c.ClientSecret = config.NewSecret(testSecret)
	settings, observer := m.settings(), new(recordingObserver)
	settings.Observer = observer
	source, err := Provider().Open(c, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.refuseTokens(http.StatusUnauthorized, 7000222, "invalid_client")
	m.graph = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	_, err = source.Feeds[1].Probe(t.Context())
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
	m := newMicrosoft(t, httptest.NewServer)
	c := m.block()
	c.ClientSecret = config.NewSecret(testSecret)
	if _, err := m.open(c).Feeds[0].Probe(t.Context()); err != nil {
		t.Error(err)
	}
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
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(notAfter.Unix()), Subject: pkix.Name{CommonName: "cdr-exporter test"},
		NotBefore: notAfter.Add(-24 * time.Hour), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), cert
}

func TestCertificate(t *testing.T) {
	m := newMicrosoft(t, httptest.NewTLSServer)
	end := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	bundle, cert := newCertificate(t, end)
	file := filepath.Join(t.TempDir(), "cert.pem")
	write(t, file, bundle)
	c := m.block()
	c.ClientCertificate = config.NewSecretFile(file)
	source := m.open(c)
	if got := source.CredentialExpiry(); !got.Equal(end) {
		t.Errorf("the certificate ends %s, want %s", got, end)
	}
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.wantForm(0, map[string]string{
		"client_id": testClient, "client_secret": "",
		"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
	})
	checkAssertion(t, m.forms[0].Get("client_assertion"), cert, m.URL+"/"+testTenant+"/oauth2/v2.0/token")

	// A renewed file shows without a reload, with the next token.
	settings := m.settings()
	creds, err := newCredentials(c, clouds[cloudGlobal], &settings)
	if err != nil {
		t.Fatal(err)
	}
	defer (&http.Client{Transport: creds.transport}).CloseIdleConnections()
	renewed, _ := newCertificate(t, end.Add(30*24*time.Hour))
	write(t, file, renewed)
	later := time.Now().Add(time.Minute) // coarse file times
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	if _, err := creds.token(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := creds.expiry(); !got.Equal(end.Add(30 * 24 * time.Hour)) {
		t.Errorf("the renewed certificate ends %s", got)
	}
	// A file that hangs or is gone stops nothing that is shown.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := creds.token(t.Context()); err == nil || !creds.expiry().Equal(end.Add(30*24*time.Hour)) {
		t.Errorf("without its file: %v, it ends %s", err, creds.expiry())
	}
}

func TestPKCS12(t *testing.T) {
	m := newMicrosoft(t, httptest.NewTLSServer)
	c := m.block()
	c.ClientCertificate = config.NewSecretFile("testdata/legacy.pfx")
	c.ClientCertificatePassword = config.NewSecret("test")
	source := m.open(c)
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	certs, _, err := (&credentials{config: c}).certificates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cert := certs[0]
	checkAssertion(t, m.forms[0].Get("client_assertion"), cert, m.URL+"/"+testTenant+"/oauth2/v2.0/token")
	if got := source.CredentialExpiry(); !got.Equal(cert.NotAfter) {
		t.Errorf("the certificate ends %s, want %s", got, cert.NotAfter)
	}
}

// checkAssertion verifies the JWT that an app signs with its certificate's key.
func checkAssertion(t *testing.T, assertion string, cert *x509.Certificate, audience string) {
	t.Helper()
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		t.Fatalf("the assertion has %d parts", len(parts))
	}
	decode := func(part string) []byte {
		content, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		t.Fatal("the certificate has no RSA key")
	}
	if err := rsa.VerifyPSS(public, crypto.SHA256, digest[:], decode(parts[2]), nil); err != nil {
		t.Errorf("the signature: %v", err)
	}
	var claims struct{ Aud, Iss, Sub string }
	if err := json.Unmarshal(decode(parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Aud != audience || claims.Iss != testClient || claims.Sub != testClient {
		t.Errorf("claims %+v, want audience %s and the client's id", claims, audience)
	}
}

func TestWorkloadIdentity(t *testing.T) {
	for name, byEnvironment := range map[string]bool{"token_file": false, "environment": true} {
		t.Run(name, func(t *testing.T) {
			m := newMicrosoft(t, httptest.NewTLSServer)
			file := filepath.Join(t.TempDir(), "token")
			write(t, file, "service-account-token")
			c := m.block()
			c.WorkloadIdentity = &WorkloadIdentity{TokenFile: config.File(file)}
			if byEnvironment {
				c.WorkloadIdentity.TokenFile = ""
				t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
			}
			if _, err := m.open(c).Feeds[0].Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.wantForm(0, map[string]string{"client_id": testClient, "client_assertion": "service-account-token"})
		})
	}
}

func TestManagedIdentity(t *testing.T) {
	m := newMicrosoft(t, httptest.NewServer)
	var asked []url.Values
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
	t.Setenv("IDENTITY_ENDPOINT", endpoint.URL)
	t.Setenv("IDENTITY_HEADER", "header-secret")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // a managed identity is never behind a proxy
	var tokens []string
	m.graph = func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		if len(tokens) == 1 {
			writeJSON(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": "Forbidden"}})
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"value": []any{}})
	}
	c := m.block()
	c.ClientID = ""
	c.ManagedIdentity = &ManagedIdentity{ClientID: testClient}
	if _, err := m.open(c).Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The refused token isn't taken from the library's cache again.
	if len(tokens) != 2 || tokens[0] != "Bearer managed-1" || tokens[1] != "Bearer managed-2" {
		t.Errorf("tokens %q", tokens)
	}
	if asked[0].Get("client_id") != testClient || asked[0].Get("resource") != "https://graph.microsoft.com" {
		t.Errorf("asked with %v", asked[0])
	}
	// A managed identity without a client id has the application's.
	c.ClientID, c.ManagedIdentity.ClientID = record1, ""
	if _, err := m.open(c).Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last := asked[len(asked)-1]; last.Get("client_id") != record1 {
		t.Errorf("asked with %v", last)
	}
}

// TestOnlyTheTokenEndpointIsAsked: nothing that the library may come to ask for leaves.
func TestOnlyTheTokenEndpointIsAsked(t *testing.T) {
	endpoint, err := url.Parse("https://login.example/tenant/oauth2/v2.0/token")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		"https://evil.example/tenant/oauth2/v2.0/token", "http://login.example/tenant/oauth2/v2.0/token",
		"https://login.example/common/discovery/instance", "https://login.example/tenant/oauth2/v2.0/token?x=1",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, other, nil)
		if err != nil {
			t.Fatal(err)
		}
		graph := &fakeGraph{t: t, answers: []answer{{}}}
		resp, err := (&exchange{credentials: &credentials{transport: graph}, endpoint: endpoint}).Do(request)
		if err == nil {
			_ = resp.Body.Close() // only to be tidy
		}
		if err == nil || len(graph.asked) != 0 {
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
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{clouds[name].login, creds.scope}; got != want[name] {
			t.Errorf("%s: %q, want %q", name, got, want[name])
		}
	}
	if len(clouds) != len(want) || len(cloudNames) != len(want) {
		t.Errorf("there are %d clouds, want %d", len(clouds), len(want))
	}
}
