package web

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A handshake that fails is a warning on a port of ours. It is neither on a public one, which is scanned, nor if
// it was the healthcheck command's, which comes every half minute and has no certificate.
func TestHandshakesThatFail(t *testing.T) {
	const server = "cert_file: cert.pem, key_file: key.pem"
	const mutual = server + ", client_ca_file: cert.pem, client_auth_type: RequireAndVerifyClientCert"
	distrustful := &tls.Config{MinVersion: tls.VersionTLS12}
	healthcheck := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // as the command does
	for name, test := range map[string]struct {
		web    string
		client *tls.Config
		public bool
		level  string
	}{
		"our own": {server, distrustful, false, "WARN"}, "strangers": {server, distrustful, true, "DEBUG"},
		"the healthcheck": {mutual, healthcheck, false, "DEBUG"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			folder := t.TempDir()
			writeCertificate(t, folder)
			addresses, stop := start(t, ServeSettings{
				Handler: http.NotFoundHandler(), Public: test.public,
				WebConfigFile: writeFile(t, folder, "web.yml", "tls_server_config: {"+test.web+"}\n"),
				Logger:        slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			dialer := tls.Dialer{Config: test.client}
			if conn, err := dialer.DialContext(t.Context(), "tcp", addresses[0]); err == nil {
				if _, err := conn.Read(make([]byte, 1)); err == nil {
					t.Error("the handshake is good")
				}
				_ = conn.Close()
			}
			require.NoError(t, stop())
			if !strings.Contains(out.String(), "level="+test.level+` msg="http: TLS handshake error`) ||
				strings.Contains(out.String(), "WARN") != (test.level == "WARN") {
				t.Errorf("logged %s", out.String())
			}
		})
	}
}

// Other messages of net/http stay warnings.
func TestServerLog(t *testing.T) {
	for name, limit := range map[string]*rate.Limiter{
		"a public port":                 rate.NewLimiter(0, 2),
		"a port of ours that is probed": nil,
	} {
		var out bytes.Buffer
		server := newServer(&ServeSettings{Logger: slog.New(serverLog{slog.NewTextHandler(&out, nil), limit})})
		server.ErrorLog.Print("http: TLS handshake error from 192.0.2.1:1: EOF")
		server.ErrorLog.Print("http: Accept error: too many open files")
		if got := out.String(); !strings.Contains(got, `level=WARN msg="http: Accept error: too many open files"`) ||
			strings.Contains(got, "TLS") {
			t.Errorf("%s: logged %s", name, got)
		}
	}
}

// The toolkit logs with each request that its file is bad, and quotes the file.
func TestServeLimitsTheLogOfABadFile(t *testing.T) {
	var out bytes.Buffer
	file := writeFile(t, t.TempDir(), "web.yml", "basic_auth_users: {}\n")
	addresses, stop := start(t, ServeSettings{
		Handler: http.NotFoundHandler(), WebConfigFile: file, Logger: slog.New(slog.NewTextHandler(&out, nil)),
		Public: true,
	})
	client := newClient(t, &http.Transport{})
	awaitBegun(t, client, addresses)
	require.NoError(t, os.WriteFile(file, []byte("basic_auth_users: sesame\n"), 0o600))
	for range 2 * publicLines {
		if code, _, err := get(t, client, "http://"+addresses[0]+"/", "", ""); err != nil ||
			code != http.StatusInternalServerError {
			t.Fatal(code, err)
		}
	}
	require.NoError(t, stop())
	if n := strings.Count(out.String(), "level=ERROR"); n == 0 || n > publicLines+1 ||
		!strings.Contains(out.String(), "cannot unmarshal !!str <value>") || strings.Contains(out.String(), "sesame") {
		t.Errorf("%d lines for %d requests: %s", n, 2*publicLines, out.String())
	}
}

// TestIdleConnectionsKeepNobodyOut: who opens all connections of a public listener, and keeps them
// after a request, holds up others for a moment only.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	addresses, stop := start(t, ServeSettings{
		Handler: http.NotFoundHandler(), Logger: slog.New(slog.DiscardHandler), Public: true,
	})
	for range publicConnections {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addresses[0])
		require.NoError(t, err)
		defer conn.Close() //nolint:errcheck // the server may have closed it
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	client := newClient(t, &http.Transport{})
	client.Timeout = 15 * time.Second
	if code, _, err := get(t, client, "http://"+addresses[0]+"/", "", ""); err != nil || code != http.StatusNotFound {
		t.Errorf("%d, %v", code, err)
	}
	require.NoError(t, stop())
}
