package ringcentral

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	testClient = "app-1"
	testSecret = "s3cret-of-the-test"
)

// testJWT is a JWT in form, with the claims of RingCentral's.
func testJWT(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

// ringCentral is a platform in one server, over TLS.
type ringCentral struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	forms   []url.Values // of token requests
	revoked []string
	token   http.HandlerFunc
	revoke  http.HandlerFunc
	api     http.HandlerFunc
	tokens  int
}

// newRingCentral starts a server that gives tokens and empty pages until told otherwise.
func newRingCentral(t *testing.T, start func(http.Handler) *httptest.Server) *ringCentral {
	t.Helper()
	rc := &ringCentral{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /restapi/oauth/token", func(w http.ResponseWriter, r *http.Request) {
		rc.form(r, func(form url.Values) { rc.forms = append(rc.forms, form) })
		rc.token(w, r)
	})
	mux.HandleFunc("POST /restapi/oauth/revoke", func(w http.ResponseWriter, r *http.Request) {
		rc.form(r, func(form url.Values) { rc.revoked = append(rc.revoked, form.Get("token")) })
		rc.revoke(w, r)
	})
	mux.HandleFunc("GET /restapi/v1.0/account/~/{resource...}",
		func(w http.ResponseWriter, r *http.Request) { rc.api(w, r) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("asked for %s %s", r.Method, r.URL.Path)
		http.NotFound(w, r)
	})
	rc.Server = start(mux)
	t.Cleanup(rc.Close)
	rc.token = func(w http.ResponseWriter, _ *http.Request) {
		rc.tokens++
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": fmt.Sprintf("token-%d", rc.tokens), "token_type": "bearer", "expires_in": 3600,
			"scope": "ReadCallLog ReadAccounts", "owner_id": "256440016", "endpoint_id": "x",
		})
	}
	rc.revoke = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	rc.api = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(pageOf("", call("1", `"result":"In Progress"`))))
	}
	return rc
}

// form checks and keeps a form.
func (rc *ringCentral) form(r *http.Request, keep func(url.Values)) {
	if err := r.ParseForm(); err != nil {
		rc.t.Errorf("the request isn't a form: %v", err)
	}
	if id, secret, ok := r.BasicAuth(); !ok || id != testClient || !strings.HasPrefix(secret, testSecret) {
		rc.t.Errorf("Basic authentication is %q, %t", id, ok)
	}
	if r.Header.Get("Accept") != "application/json" || r.URL.RawQuery != "" {
		rc.t.Errorf("Accept %q, query %q", r.Header.Get("Accept"), r.URL.RawQuery)
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	keep(r.PostForm)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // a test's own body
}

// settings trust the server.
func (rc *ringCentral) settings() collector.SourceSettings {
	s := collector.SourceSettings{Settings: httpclient.Settings{UserAgent: "cdr-exporter/test"}}
	if cert := rc.Certificate(); cert != nil {
		s.TLS = promconfig.TLSConfig{CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))}
	}
	return s
}

// block is a configuration that asks the server for both feeds.
func (rc *ringCentral) block() *Config {
	c := new(Config)
	c.SetDefaults()
	c.BaseURL, c.ClientID = rc.URL, testClient
	c.ClientSecret, c.JWT = config.NewSecret(testSecret), config.NewSecret(testJWT(`{"sub":"63097263004"}`))
	c.CallLog, c.ActiveCalls = new(CallLog), new(config.ActiveCalls)
	c.CallLog.SetDefaults()
	c.ActiveCalls.SetDefaults()
	return c
}

// open opens a source and closes it when the test ends.
func (rc *ringCentral) open(c *Config) *collector.Source {
	rc.t.Helper()
	source, err := Provider().Open(c, rc.settings())
	if err != nil {
		rc.t.Fatal(err)
	}
	rc.t.Cleanup(source.Close)
	return source
}

func TestTokenRequest(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	var authorised []string
	rc.api = func(w http.ResponseWriter, r *http.Request) {
		authorised = append(authorised, r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(pageOf("", call("1", `"result":"In Progress"`))))
	}
	c := rc.block()
	source := rc.open(c)
	if len(source.Feeds) != 2 {
		t.Fatalf("%d feeds", len(source.Feeds))
	}
	for _, feed := range source.Feeds {
		if rows, err := feed.Probe(t.Context()); rows != 1 || err != nil {
			t.Errorf("%s: %d rows, error %v", feed.Name, rows, err)
		}
	}
	jwt, err := c.JWT.Value(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {jwt}}
	if len(rc.forms) != 1 || rc.forms[0].Encode() != want.Encode() {
		t.Errorf("%d token requests, by %v", len(rc.forms), rc.forms)
	}
	if !slices.Equal(authorised, []string{"Bearer token-1", "Bearer token-1"}) {
		t.Errorf("authorised by %q", authorised)
	}
}

func TestFeeds(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	c := rc.block()
	c.Currency = "EUR"
	feeds := rc.open(c).Feeds
	host, _, _ := strings.Cut(strings.TrimPrefix(rc.URL, "https://"), ":")
	log, active := feeds[0], feeds[1]
	if log.Name != "call_log" || log.Reader == nil || log.ActiveCalls != nil || log.Recording == nil ||
		log.Interval != time.Minute || log.Lookback != 48*time.Hour || log.LateAfter != time.Hour ||
		log.Currency != "EUR" || log.Rules.Parents {
		t.Errorf("call_log is %+v", log)
	}
	if active.Name != "active_calls" || active.Reader != nil || active.ActiveCalls == nil ||
		active.Interval != 30*time.Second {
		t.Errorf("active_calls is %+v", active)
	}
	if want := (collector.Limits{MaxRange: 7 * 24 * time.Hour, Retention: 365 * 24 * time.Hour}); log.Limits != want {
		t.Errorf("limits %v, want %v", log.Limits, want)
	}
	if want := "ringcentral " + host + " account user-0fce21fd"; log.Fingerprint != want || active.Fingerprint != want {
		t.Errorf("fingerprints %q and %q, want %q", log.Fingerprint, active.Fingerprint, want)
	}

	c.Scope, c.ClientID, c.JWT, c.ActiveCalls = scopeExtension, "App-1", config.NewSecret("opaque"), nil
	feeds = rc.open(c).Feeds
	if want := "ringcentral " + host + " extension app-1"; len(feeds) != 1 || feeds[0].Fingerprint != want {
		t.Errorf("in the scope of an extension: %+v, want the fingerprint %q", feeds, want)
	}
}

// TestAccountHasItsNameByTheJWT: a source isn't opened without one, and one that was opened with a
// JWT of nobody takes none of a user's: the next start would find its calls under another account's
// name.
func TestAccountHasItsNameByTheJWT(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	file := filepath.Join(t.TempDir(), "jwt")
	c := rc.block()
	c.JWT = config.NewSecretFile(file)
	write(t, file, "\n")
	if _, err := Provider().Open(c, rc.settings()); err == nil || !strings.Contains(err.Error(), file+" is empty") {
		t.Errorf("opened with an empty file: %v", err)
	}
	write(t, file, "the JWT comes here")
	feed := rc.open(c).Feeds[0]
	write(t, file, testJWT(`{"sub":"63097263004"}`))
	if _, err := feed.Probe(t.Context()); !errors.Is(err, errOtherUser) || len(rc.forms) != 0 {
		t.Errorf("with a user's JWT: %v after %d tokens", err, len(rc.forms))
	}
}

// TestRule33_AnotherOwnerOfAnOpaqueJWT: two JWTs that don't name their user are told apart by the
// owner of their tokens.
func TestRule33_AnotherOwnerOfAnOpaqueJWT(t *testing.T) {
	for name, same := range map[string]bool{"refused": false, "account: same": true} {
		t.Run(name, func(t *testing.T) {
			rc := newRingCentral(t, httptest.NewTLSServer)
			file := filepath.Join(t.TempDir(), "jwt")
			write(t, file, "opaque-1")
			c := rc.block()
			if c.JWT = config.NewSecretFile(file); same {
				c.Account = accountSame
			}
			rc.api = func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "Bearer token-1" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				_, _ = w.Write([]byte(pageOf("")))
			}
			rc.token = func(w http.ResponseWriter, r *http.Request) {
				owner := r.FormValue("assertion")
				writeJSON(w, http.StatusOK, map[string]any{
					"access_token": fmt.Sprint("token-", len(rc.forms)),
					"expires_in":   3600, "owner_id": owner,
				})
				write(t, file, "opaque-2") // for the next one
			}
			_, err := rc.open(c).Feeds[0].Probe(t.Context())
			if same && err != nil || !same && !errors.Is(err, errOtherUser) {
				t.Errorf("with another user's JWT: %v after %d tokens", err, len(rc.forms))
			}
		})
	}
}

// TestUnauthorized: a 401 is answered by one new token and one retry.
func TestUnauthorized(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	file := filepath.Join(t.TempDir(), "secret")
	write(t, file, testSecret+"-old\n")
	c := rc.block()
	c.ClientSecret = config.NewSecretFile(file)
	asked := 0
	rc.api = func(w http.ResponseWriter, r *http.Request) {
		if asked++; r.Header.Get("Authorization") != "Bearer token-2" {
			write(t, file, testSecret+"-new\n")
			writeJSON(w, http.StatusUnauthorized,
				json.RawMessage(`{"errorCode":"TokenInvalid","message":"Token not found","errors":[{"errorCode":"OAU-213","message":"Token not found"}]}`))
			return
		}
		_, _ = w.Write([]byte(pageOf("")))
	}
	secrets := []string{}
	give := rc.token
	rc.token = func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		secrets = append(secrets, secret)
		give(w, r)
	}
	source := rc.open(c)
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil || asked != 2 {
		t.Errorf("asked %d times, error %v", asked, err)
	}
	if !slices.Equal(secrets, []string{testSecret + "-old", testSecret + "-new"}) {
		t.Errorf("secrets %q: the file isn't read again", secrets)
	}

	// Refused again and again: one token more, and the advice is about sessions.
	rc.api = func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusUnauthorized,
			json.RawMessage(`{"errorCode":"TokenInvalid","errors":[{"errorCode":"OAU-213"}]}`))
	}
	_, err := source.Feeds[0].Probe(t.Context())
	if what, todo := source.Advise(err); !strings.Contains(what, "keeps ending our sessions") ||
		!strings.Contains(todo, "separate app") || len(rc.forms) != 3 {
		t.Errorf("%d token requests; for %v it says %q and %q", len(rc.forms), err, what, todo)
	}
}

// TestForbiddenKeepsTheToken: a new token wouldn't help.
func TestForbiddenKeepsTheToken(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	rc.api = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("RCRequestId", "id-1")
		refused := refuses(http.StatusForbidden, "InsufficientPermissions", "CMN-401", "ReadCallLog")
		writeJSON(w, refused.status, json.RawMessage(refused.body))
	}
	_, err := rc.open(rc.block()).Feeds[0].Probe(t.Context())
	const want = "read page 1: GET call-log: 403 Forbidden (RCRequestId=id-1), RingCentral says CMN-401 " +
		"InsufficientPermissions (ReadCallLog)"
	if err == nil || err.Error() != want || len(rc.forms) != 1 {
		t.Errorf("%d token requests, error %v", len(rc.forms), err)
	}
}

// TestSessionIsEnded: by a revocation, once, and only if there is one.
func TestSessionIsEnded(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	source := rc.open(rc.block())
	source.Close()
	if len(rc.revoked) != 0 {
		t.Errorf("revoked %q without a session", rc.revoked)
	}
	source = rc.open(rc.block())
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	source.Close()
	source.Close()
	if !slices.Equal(rc.revoked, []string{"token-1"}) {
		t.Errorf("revoked %q, want token-1 once", rc.revoked)
	}
}

// TestSessionCannotBeEnded: it is said, without the token.
func TestSessionCannotBeEnded(t *testing.T) {
	for name, revoke := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		},
		"fault": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://evil.example/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			rc := newRingCentral(t, httptest.NewTLSServer)
			rc.revoke = revoke
			var log strings.Builder
			settings := rc.settings()
			settings.Logger = slog.New(slog.NewTextHandler(&log, nil))
			source, err := Provider().Open(rc.block(), settings)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			source.Close()
			if text := log.String(); !strings.Contains(text, "can't end the session") ||
				strings.Contains(text, "token-1") || strings.Contains(text, testSecret) {
				t.Errorf("the log is\n%s", text)
			}
		})
	}
}

// TestPlainHTTPOnLoopback: for proxies and tests.
func TestPlainHTTPOnLoopback(t *testing.T) {
	rc := newRingCentral(t, httptest.NewServer)
	if _, err := rc.open(rc.block()).Feeds[0].Probe(t.Context()); err != nil {
		t.Error(err)
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
	rc := newRingCentral(t, httptest.NewTLSServer)
	settings, observer := rc.settings(), new(recordingObserver)
	settings.Observer = observer
	source, err := Provider().Open(rc.block(), settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, feed := range source.Feeds {
		if _, err := feed.Probe(t.Context()); err != nil {
			t.Error(err)
		}
	}
	source.Close()
	if want := []string{" 200", "call_log 200", "active_calls 200", " 200"}; !slices.Equal(observer.requests, want) {
		t.Errorf("observed %q, want %q", observer.requests, want)
	}
}

// TestBudget: it is what the answers' headers say.
func TestBudget(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	rc.api = func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{"Group": "heavy", "Limit": "20", "Remaining": "12", "Window": "30"} {
			w.Header().Set("X-Rate-Limit-"+name, value)
		}
		_, _ = w.Write([]byte(pageOf("")))
	}
	source := rc.open(rc.block())
	if b := source.Budget(); b.Limit != heavyLimit || b.Remaining != heavyLimit || b.Per != time.Minute {
		t.Errorf("the budget begins with %+v", b)
	}
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b, want := source.Budget(), (httpclient.Budget{
		Group: "heavy", Limit: 20, Remaining: 12,
		Per: 30 * time.Second,
	}); b != want {
		t.Errorf("the budget is %+v, want %+v", b, want)
	}
	settings := rc.settings()
	settings.RequestsPerMinute = 7
	source, err := Provider().Open(rc.block(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	if b := source.Budget(); b.Limit != 7 {
		t.Errorf("with requests_per_minute the budget is %+v", b)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Error(err)
	}
}

// TestBudgetOutlivesTheSource: requests are counted by app and user, over reloads, and
// another app has its own.
func TestBudgetOutlivesTheSource(t *testing.T) {
	rc := newRingCentral(t, httptest.NewTLSServer)
	var quotas *httpclient.Quotas
	left := func(change func(*Config), ask bool) int {
		c := rc.block()
		change(c)
		settings := rc.settings()
		settings.Quotas = quotas
		source, err := Provider().Open(c, settings)
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		if ask {
			if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return source.Budget().Remaining
	}
	same := func(*Config) {}
	for name, step := range map[string]struct {
		change func(*Config)
		want   int
	}{
		"another app":   {func(c *Config) { c.ClientID = "app-2" }, heavyLimit},
		"another user":  {func(c *Config) { c.JWT = config.NewSecret(testJWT(`{"sub":"2"}`)) }, heavyLimit},
		"an opaque JWT": {func(c *Config) { c.JWT = config.NewSecret("opaque") }, heavyLimit},
		"a new JWT of theirs": {
			func(c *Config) { c.JWT = config.NewSecret(testJWT(`{"sub":"63097263004","exp":1}`)) },
			heavyLimit - 1,
		},
		"another scope": {func(c *Config) { c.Scope = scopeExtension }, heavyLimit - 1},
	} {
		t.Run(name, func(t *testing.T) {
			quotas = new(httpclient.Quotas)
			if n := left(same, true); n != heavyLimit-1 {
				t.Errorf("%d remain after a request", n)
			}
			if n := left(step.change, false); n != step.want {
				t.Errorf("%d remain, want %d", n, step.want)
			}
		})
	}
}
