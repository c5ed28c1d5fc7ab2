package httpclient

import (
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func certPEM(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func tlsServer(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func realClient(t *testing.T, settings Settings) *Client {
	t.Helper()
	client, err := New(settings)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestOverTLS(t *testing.T) {
	var proto, encoding, uri, auth string
	server := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		proto, encoding, uri, auth = r.Proto, r.Header.Get("Accept-Encoding"), r.RequestURI,
			r.Header.Get("Authorization")
		writeGzip(w, []byte("page"), 0)
	})
	client := realClient(t, Settings{BaseURL: server.URL, TLS: config.TLSConfig{CA: certPEM(server)}, Token: &tokens{}})
	const link = "/v1.0/getPstnCalls(fromDateTime=2026-01-18T06:00:00Z,toDateTime=2026-01-19T06:00:00Z)?$skip=1000"
	var got string
	if err := client.Fetch(t.Context(), Request{URL: server.URL + link}, readAll(&got)); err != nil || got != "page" {
		t.Fatalf("got %q, %v", got, err)
	}
	if proto != "HTTP/1.1" || encoding != "gzip" || uri != link || auth != "Bearer token-1" {
		t.Errorf("asked by %s, encoding %s, for %s, as %s", proto, encoding, uri, auth)
	}
}

// The files of tls_config are read again when they change.
func TestCAFileChanges(t *testing.T) {
	server := tlsServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	file := filepath.Join(t.TempDir(), "ca.pem")
	write := func(content string) {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	}
	other, err := simulator.NewAuthority() // it signed nothing here
	require.NoError(t, err)
	require.NoError(t, other.WriteCA(file))
	client := realClient(t, Settings{BaseURL: server.URL, TLS: config.TLSConfig{CAFile: file}})
	get := func() error {
		_, err := client.Get(t.Context(), Request{URL: "/x?secret", Label: "calls"})
		return err
	}
	if err := get(); KindOf(err) != KindNetwork || !strings.Contains(err.Error(), "signed by unknown authority") {
		t.Errorf("with another authority: %v", err)
	}
	write(certPEM(server))
	if err := get(); err != nil {
		t.Errorf("with the right authority: %v", err)
	}
	if _, err := New(Settings{BaseURL: server.URL, TLS: config.TLSConfig{CAFile: file + "x"}}); err == nil {
		t.Error("a file that is missing at the start must be an error")
	}
}

func TestProxyURL(t *testing.T) {
	var asked, auth string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, auth = r.Method+" "+r.RequestURI, r.Header.Get("Proxy-Authorization")
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	target, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	target.User = url.UserPassword("me", "secret")
	client := realClient(t, Settings{BaseURL: "https://graph.example", ProxyURL: target, Token: &tokens{}})
	_, err = client.Get(t.Context(), Request{URL: "/x", Label: "calls"})
	if asked != "CONNECT graph.example:443" || auth != "Basic bWU6c2VjcmV0" {
		t.Errorf("the proxy was asked %q with %q", asked, auth)
	}
	if want := "GET calls: Forbidden"; KindOf(err) != KindNetwork || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestProxyFromEnvironment(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://env-proxy.example:3128")
	t.Setenv("NO_PROXY", "direct.example")
	given := &url.URL{Scheme: "socks5", Host: "given.example:1080"}
	for _, test := range []struct {
		name, target, want string
		proxy              *url.URL
	}{
		{"environment", "https://graph.example/x", "http://env-proxy.example:3128", nil},
		{"NO_PROXY", "https://direct.example/x", "<nil>", nil},
		{"given wins", "https://graph.example/x", "socks5://given.example:1080", given},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, err := url.Parse(test.target)
			require.NoError(t, err)
			transport, err := NewTransport(config.TLSConfig{}, test.proxy)
			require.NoError(t, err)
			got, err := transport.(*http.Transport).Proxy(&http.Request{URL: target})
			if text := "<nil>"; err != nil || got == nil && test.want != text || got != nil &&
				got.String() != test.want {
				t.Errorf("proxy %v, %v; want %s", got, err, test.want)
			}
		})
	}
}

// Connections are used again after a page, and after a refusal.
func TestConnectionsAreReused(t *testing.T) {
	remotes := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = true
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, `{"a":1}`+strings.Repeat("\n", 3000))
	}))
	defer server.Close()
	client := realClient(t, Settings{BaseURL: server.URL})
	for range 3 {
		err := client.Fetch(t.Context(), Request{URL: "/page"}, func([]byte) error { return nil })
		require.NoError(t, err)
		if _, err := client.Get(t.Context(), Request{URL: "/refused"}); KindOf(err) != KindForbidden {
			t.Fatal(err)
		}
	}
	if len(remotes) != 1 {
		t.Errorf("%d connections for 6 requests, want 1", len(remotes))
	}
}

// counting.md 10: a feed's now is the local clock corrected by the provider's HTTP Date.
func TestOffset(t *testing.T) {
	for _, test := range []struct {
		name    string
		ahead   time.Duration // of the provider's clock
		took    time.Duration // of the round trip
		status  int
		headers []string
		want    time.Duration
		known   bool
	}{
		{name: "same", status: 200, known: true},
		{name: "ahead", ahead: 3 * time.Minute, status: 200, want: 3 * time.Minute, known: true},
		{name: "behind", ahead: -time.Hour, status: 200, want: -time.Hour, known: true},
		{
			name: "half the round trip", ahead: time.Minute, took: 4 * time.Second, status: 200, want: time.Minute,
			known: true,
		},
		{name: "cut to seconds", ahead: 900 * time.Millisecond, status: 200, known: true},
		{name: "refusals tell it too", ahead: time.Minute, status: 403, want: time.Minute, known: true},
		{name: "a cache's doesn't count", ahead: time.Minute, status: 200, headers: []string{"Age: 30"}},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			client := newTest(t, fakeTransport(func(*http.Request) (*http.Response, error) {
				bubbleSleep(t, test.took/2)
				date := time.Now().Add(test.ahead).UTC().Format(http.TimeFormat)
				bubbleSleep(t, test.took/2)
				return answer(test.status, "", append(test.headers, "Date: "+date)...), nil
			}), nil)
			if got, known := client.Offset(); got != 0 || known {
				t.Errorf("offset %v, %v before any answer", got, known)
			}
			_, _ = client.Get(t.Context(), Request{URL: "/x"}) // refusals tell it too
			if got, known := client.Offset(); got != test.want || known != test.known {
				t.Errorf("offset %v, %v; want %v, %v", got, known, test.want, test.known)
			}
		})
	}
	t.Run("no date", func(t *testing.T) {
		transport, _ := script(replies(200, "", "Date: yesterday"))
		client := newTest(t, transport, nil)
		if _, err := client.Get(t.Context(), Request{URL: "/x"}); err != nil {
			t.Fatal(err)
		}
		if _, known := client.Offset(); known {
			t.Error("an offset without a date")
		}
	})
}
