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
)

// A public port is scanned, so failed TLS handshakes are logged at debug level.
func TestHandshakesThatFail(t *testing.T) {
	folder := t.TempDir()
	writeCertificate(t, folder)
	file := writeFile(t, folder, "web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n")
	for name, test := range map[string]struct {
		public bool
		level  string
	}{"our own": {false, "level=WARN"}, "strangers": {true, "level=DEBUG"}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			addresses, stop := start(t, ServeSettings{
				Handler: http.NotFoundHandler(), WebConfigFile: file, Public: test.public,
				Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}} // that trusts nobody of ours
			if _, err := dialer.DialContext(t.Context(), "tcp", addresses[0]); err == nil {
				t.Fatal("the certificate was trusted")
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), test.level+` msg="http: TLS handshake error`) {
				t.Errorf("logged %s", out.String())
			}
		})
	}
}

// The healthcheck command has no client certificate. Its refused handshake, every half minute, isn't a
// warning.
func TestHandshakeOfTheHealthcheck(t *testing.T) {
	folder := t.TempDir()
	writeCertificate(t, folder)
	file := writeFile(t, folder, "web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem, "+
		"client_ca_file: cert.pem, client_auth_type: RequireAndVerifyClientCert}\n")
	var out bytes.Buffer
	addresses, stop := start(t, ServeSettings{
		Handler: http.NotFoundHandler(), WebConfigFile: file,
		Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // as the command does
	conn, err := dialer.DialContext(t.Context(), "tcp", addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a client without a certificate is let in")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `level=DEBUG msg="http: TLS handshake error`) ||
		strings.Contains(out.String(), "WARN") {
		t.Errorf("logged %s", out.String())
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

// The toolkit logs with each request that its file is bad.
func TestServeLimitsTheLogOfABadFile(t *testing.T) {
	var out bytes.Buffer
	file := writeFile(t, t.TempDir(), "web.yml", "basic_auth_users: {}\n")
	addresses, stop := start(t, ServeSettings{
		Handler: http.NotFoundHandler(), WebConfigFile: file, Logger: slog.New(slog.NewTextHandler(&out, nil)),
		Public: true,
	})
	client := newClient(t, &http.Transport{})
	awaitBegun(t, client, addresses)
	if err := os.WriteFile(file, []byte("basic_auth_users: sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 * publicLines {
		if code, _, err := get(t, client, "http://"+addresses[0]+"/", "", ""); err != nil ||
			code != http.StatusInternalServerError {
			t.Fatal(code, err)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "level=ERROR"); n == 0 || n > publicLines+1 {
		t.Errorf("%d lines for %d requests", n, 2*publicLines)
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
		if err != nil {
			t.Fatal(err)
		}
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
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}
