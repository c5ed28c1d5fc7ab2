package web

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// More connections than there may be wait until one ends.
func TestListenerBoundsConnections(t *testing.T) {
	listeners, err := Listen(t.Context(), []string{"127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	bounds := boundsOf(true)
	bounds.connections = 1
	listener := bounds.listener(listeners[0])
	t.Cleanup(func() { _ = listener.Close() })
	var dialer net.Dialer
	for range 2 {
		connection, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
	}
	first, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn)
	go func() {
		second, _ := listener.Accept()
		accepted <- second
	}()
	select {
	case <-accepted:
		t.Fatal("a second connection was accepted beside the first")
	case <-time.After(50 * time.Millisecond):
	}
	_ = first.Close()
	second := <-accepted
	if second == nil {
		t.Fatal("no second connection after the first had ended")
	}
	_ = second.Close()
}

// A public port is scanned: who doesn't speak TLS as we do is told of at debug level.
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

// The toolkit logs with each request that its file is bad.
func TestServeLimitsTheLogOfABadFile(t *testing.T) {
	var out bytes.Buffer
	file := writeFile(t, t.TempDir(), "web.yml", "basic_auth_users: {}\n")
	addresses, stop := start(t, ServeSettings{
		Handler: http.NotFoundHandler(), WebConfigFile: file, Logger: LimitLog(slog.New(slog.NewTextHandler(&out, nil))),
	})
	client := newClient(t, &http.Transport{})
	awaitBegun(t, client, addresses)
	if err := os.WriteFile(file, []byte("basic_auth_users: sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 * logBurst {
		if code, _, err := get(t, client, "http://"+addresses[0]+"/", "", ""); err != nil || code != http.StatusInternalServerError {
			t.Fatal(code, err)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "level=ERROR"); n == 0 || n > logBurst+1 {
		t.Errorf("%d lines for %d requests", n, 2*logBurst)
	}
}

// What net/http says of other things stays a warning.
func TestConnectionLog(t *testing.T) {
	var out bytes.Buffer
	logger := connectionLog(slog.New(slog.NewTextHandler(&out, nil)), slog.LevelDebug)
	log := slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	log.Print("http: TLS handshake error from 192.0.2.1:1: EOF")
	log.Print("http: Accept error: too many open files")
	if got := out.String(); !strings.Contains(got, `level=WARN msg="http: Accept error: too many open files"`) || strings.Contains(got, "TLS") {
		t.Errorf("logged %s", got)
	}
}
