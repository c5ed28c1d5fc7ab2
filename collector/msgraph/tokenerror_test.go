package msgraph

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var testStart = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// tokenText is what errors of refused tokens may look like.
var tokenText = regexp.MustCompile(`^(AADSTS-?\d+: )?[a-zA-Z0-9 ,.':;_()-]+(, [A-Za-z0-9_.-]{1,64})?( \((trace_id=[A-Za-z0-9_.-]+ ?)?(correlation_id=[A-Za-z0-9_.-]+)?\))?$`)

// leak stands for everything in an answer that mustn't be printed.
const leak = "PRIVATE-TEXT-OF-THE-ANSWER"

// refusing refuses a token as Entra ID does.
func refusing(status, code int, oauth string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body := map[string]any{
			"error": oauth, "error_description": leak + " trace", "trace_id": "1c2d", "correlation_id": "3e4f",
			"timestamp": "2026-11-20 06:00:00Z",
		}
		if code != 0 {
			body["error_codes"] = []int{code}
		}
		writeJSON(w, status, body)
	}
}

func TestRefusedTokens(t *testing.T) {
	for _, test := range []struct {
		name       string
		status     int
		code       int
		oauth      string
		what, todo string
		passes     bool
	}{
		{
			"wrong secret", 401, 7000215, "invalid_client",
			"AADSTS7000215: the client secret is wrong (trace_id=1c2d correlation_id=3e4f)",
			"secret's value, not its id", false,
		},
		{
			"expired secret", 401, 7000222, "invalid_client", "AADSTS7000222: the client secret has expired",
			"create a new secret", false,
		},
		{"unknown app", 400, 700016, "unauthorized_client", "doesn't know this app", "client_id", false},
		{"no consent", 400, 7000229, "invalid_client", "nobody has consented", "admin consent", false},
		{"consent missing", 400, 65001, "invalid_grant", "consent is missing", "CallRecords.Read.All", false},
		{"unknown tenant", 400, 90002, "invalid_request", "the tenant doesn't exist", "tenant_id", false},
		{"bad tenant", 400, 900023, "invalid_request", "isn't the name of a tenant", "directory (tenant) id", false},
		{"other cloud", 400, 900382, "invalid_request", "another cloud", "usgov_l4", false},
		{"wrong audience", 400, 500011, "invalid_resource", "doesn't know Microsoft Graph", "cloud", false},
		{"wrong certificate", 401, 700027, "invalid_client", "isn't one of the app's", "upload the certificate", false},
		{"clock", 401, 700024, "invalid_client", "isn't valid at this time", "clock", false},
		{"no federation", 401, 700213, "invalid_client", "no federated credential", "subject", false},
		{"temporary fault", 400, 90033, "temporarily_unavailable", "temporary fault", "wait", true},
		{"unknown code", 400, 1234567, "invalid_request", "AADSTS1234567: login.example", "AADSTS errors", false},
		{"no code", 400, 0, "invalid_request", "400 Bad Request, invalid_request", "tenant_id", false},
		{"odd code", 400, 0, leak + "!", "refused to issue a token: 400 Bad Request", "tenant_id", false},
		{"throttled", 429, 0, "x", "429 Too Many Requests", "nothing, if it passes", true},
		{"fault", 503, 0, "x", "503 Service Unavailable", "nothing, if it passes", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantTokenError(t, refusing(test.status, test.code, test.oauth), test.what, test.todo, test.passes)
		})
	}
}

// wantTokenError asks an identity platform for a token and checks the error.
func wantTokenError(t *testing.T, answer http.Handler, wantWhat, wantTodo string, passes bool) {
	t.Helper()
	c := block("https://login.example")
	c.ClientSecret = config.NewSecret(testSecret)
	var settings collector.SourceSettings
	settings.Transport = serving{answer}
	wantTokenErrorOf(t, c, settings, wantWhat, wantTodo, passes)
}

func wantTokenErrorOf(
	t *testing.T, c *Config, settings collector.SourceSettings, wantWhat, wantTodo string, passes bool,
) {
	t.Helper()
	creds, err := newCredentials(c, clouds[cloudGlobal], &settings)
	require.NoError(t, err)
	_, err = creds.token(t.Context())
	(&http.Client{Transport: creds.transport}).CloseIdleConnections()
	if _, ok := errors.AsType[*advice.Error](err); !ok {
		t.Fatalf("error %T %v, want an *advice.Error", err, err)
	}
	what, todo := Advise(err)
	if !strings.Contains(what, wantWhat) || !strings.Contains(todo, wantTodo) {
		t.Errorf("it says %q and %q, want %q and %q in it", what, todo, wantWhat, wantTodo)
	}
	for _, text := range []string{err.Error(), what, todo} {
		if strings.Contains(text, leak) || strings.Contains(text, testSecret) || strings.Contains(text, "\n") {
			t.Errorf("the error shows too much: %s", text)
		}
	}
	if httpclient.IsRetryable(err) != passes {
		t.Errorf("it is retryable: %t, want %t", !passes, passes)
	}
}

func TestOddTokenAnswers(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		what   string
		passes bool
	}{
		{
			"HTML", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>" + leak)) },
			"answered without a token", true,
		},
		{
			"no token", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, map[string]any{leak: leak}) },
			"answered without a token", true,
		},
		{"HTML refusal", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<html>" + leak))
		}, "refused to issue a token: 403 Forbidden", false},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/"+leak, http.StatusTemporaryRedirect)
		}, "307 Temporary Redirect", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantTokenError(t, test.answer, test.what, "", test.passes)
		})
	}
}

// TestThrottledTokens: the next token request comes when the identity platform
// allows it, and no earlier.
func TestThrottledTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration
		began := time.Now()
		var settings collector.SourceSettings
		settings.Transport = serving{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				if asked = append(asked, time.Since(began)); len(asked) == 1 {
					w.Header().Set("Retry-After", "120")
					writeJSON(w, http.StatusTooManyRequests, map[string]any{"error": "x"})
					return
				}
			}
			tokensAndPages(w, r)
		})}
		c := &Config{
			TenantID: testTenant, ClientID: testClient, ClientSecret: config.NewSecret(testSecret),
			Cloud: cloudGlobal, PSTN: new(PSTN),
		}
		source, err := Provider().Open(c, settings)
		require.NoError(t, err)
		var group sync.WaitGroup
		group.Go(func() { _, err = source.Feeds[0].Probe(t.Context()) })
		synctest.Wait()
		if until := source.ThrottledUntil().Sub(began); until != 2*time.Minute {
			t.Errorf("the source is throttled for %s, want 2 min", until)
		}
		group.Wait()
		if want := []time.Duration{0, 2 * time.Minute}; err != nil || !slices.Equal(asked, want) {
			t.Errorf("token requests after %v, want %v; error %v", asked, want, err)
		}
	})
}

func TestUnreachableIdentityPlatform(t *testing.T) {
	server, c, settings := startTenant(t)
	c.ClientSecret = config.NewSecret(testSecret)
	server.Close()
	wantTokenErrorOf(t, c, settings, "can't be reached: dial tcp", "proxy_url", true)
}

func TestUntrustedIdentityPlatform(t *testing.T) {
	_, c, _ := startTenant(t)
	c.ClientSecret = config.NewSecret(testSecret)
	wantTokenErrorOf(t, c, collector.SourceSettings{}, "failed to verify certificate", "ca_file", true)
}

func TestCancelledToken(t *testing.T) {
	_, c, settings := startTenant(t)
	c.ClientSecret = config.NewSecret(testSecret)
	creds, err := newCredentials(c, clouds[cloudGlobal], &settings)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := creds.token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestUnusableCredentials(t *testing.T) {
	bundle, _ := newCertificate(t, testStart)
	key, cert, _ := strings.Cut(bundle, "-----BEGIN CERTIFICATE")
	cert = "-----BEGIN CERTIFICATE" + cert
	other, _ := newCertificate(t, testStart)
	otherKey, _, _ := strings.Cut(other, "-----BEGIN CERTIFICATE")
	none := filepath.Join(t.TempDir(), "none")
	certificate := func(c *Config, content, password string) {
		c.ClientCertificate = config.NewSecret(content)
		if password != "" {
			c.ClientCertificatePassword = config.NewSecret(password)
		}
	}
	pfx := func(c *Config, name, password string) {
		content, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		certificate(c, string(content), password)
	}
	for _, test := range []struct {
		name       string
		set        func(*Config)
		what, todo string
	}{
		{
			"PKCS #12 of a newer kind", func(c *Config) { pfx(c, "modern.pfx", "test") },
			"neither PEM nor a legacy PKCS #12 file", "-legacy",
		},
		{
			"wrong password", func(c *Config) { pfx(c, "legacy.pfx", "x") },
			"client_certificate_password is wrong for it",
			"PKCS #12",
		},
		{
			"no password", func(c *Config) { pfx(c, "legacy.pfx", "") }, "client_certificate_password is wrong for it",
			"PKCS #12",
		},
		{
			"secret file is missing", func(c *Config) { c.ClientSecret = config.NewSecretFile(none) },
			"no such file", "readable",
		},
		{
			"certificate file is missing", func(c *Config) { c.ClientCertificate = config.NewSecretFile(none) },
			"no such file", "readable",
		},
		{"certificate without a key", func(c *Config) { certificate(c, cert, "") }, "found no", "PEM"},
		{"key without a certificate", func(c *Config) { certificate(c, key, "") }, "found no", "PEM"},
		{
			"key of another certificate", func(c *Config) { certificate(c, otherKey+cert, "") },
			"match any certificate",
			"credential",
		},
		{"encrypted key", func(c *Config) {
			certificate(c, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "x")
		}, "found no", "not encrypted"},
		{
			"no certificate at all", func(c *Config) { certificate(c, leak, "") },
			"neither PEM nor a legacy PKCS #12 file", "PKCS #12",
		},
		{
			"no token file", func(c *Config) { c.WorkloadIdentity = &WorkloadIdentity{TokenFile: config.File(none)} },
			"no such file", "token_file",
		},
		{
			"nothing in the environment", func(c *Config) { c.WorkloadIdentity = new(WorkloadIdentity) },
			"no token file specified", "AZURE_FEDERATED_TOKEN_FILE",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := block("https://login.example")
			test.set(c)
			asked := new(providertest.Script)
			var settings collector.SourceSettings
			settings.Transport = asked
			wantTokenErrorOf(t, c, settings, test.what, test.todo, false)
			if len(asked.Asked) != 0 {
				t.Error("the identity platform was asked")
			}
		})
	}
}

func TestManagedIdentityErrors(t *testing.T) {
	for _, test := range []struct {
		status     int
		what, todo string
		passes     bool
	}{
		{http.StatusBadRequest, "doesn't have that managed identity", "assign the identity", false},
		{http.StatusForbidden, "returned no token: 403 Forbidden", "has a managed identity", false},
		{http.StatusTooManyRequests, "429", "", true},
	} {
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, test.status, map[string]any{"error": "invalid_request", "error_description": leak})
		}))
		t.Setenv("IDENTITY_ENDPOINT", endpoint.URL)
		t.Setenv("IDENTITY_HEADER", "x")
		c := block("https://graph.example")
		c.ManagedIdentity = new(ManagedIdentity)
		wantTokenErrorOf(t, c, collector.SourceSettings{}, test.what, test.todo, test.passes)
		endpoint.Close()
	}
}

// FuzzTokenAnswer: no refusal of the identity platform gets into an error but by its codes.
func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{
		`{"error":"invalid_client","error_description":"AADSTS7000215: x","error_codes":[7000215],"trace_id":"a","correlation_id":"b"}`,
		`{"error":{"code":"x"}}`, `{"error_codes":["x"]}`, `{"error_codes":[-1]}`, `<html>`, ``,
	} {
		f.Add(400, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		x := &exchange{asked: true, status: status, body: body, endpoint: &url.URL{}, host: "login.example"}
		text := x.refusal().Error()
		if !tokenText.MatchString(text) {
			t.Errorf("%q makes %q", body, text)
		}
	})
}
