package main_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// caller asks the listener for notifications as anybody may.
type caller struct {
	b    *switchboard
	http *http.Client
}

func newCaller(b *switchboard) *caller {
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs:    b.authority.Pool(),
		MinVersion: tls.VersionTLS12,
	}}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &caller{b, &http.Client{Transport: transport, Timeout: waitTimeout}}
}

// ask sends a request and returns the answer.
func (c *caller) ask(method, target, body string) answer {
	c.b.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "https://"+c.b.hook+target,
		strings.NewReader(body))
	if err != nil {
		c.b.t.Fatal(err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.b.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.b.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, text}
}

// notification is a body with a number of items that have the secret.
func notification(secret string, items int) string {
	item := fmt.Sprintf(`{"clientState":%q,"changeType":"updated","resource":"communications/callRecords/%s"}`, secret,
		"5e4d3c2b-1a09-4f8e-b7c6-d5e4f3a2b1c0")
	return `{"value":[` + strings.Join(slices.Repeat([]string{item}, items), ",") + `]}`
}

// TestWebhookListener (issue of the listener; contract 5): it answers the handshake, takes
// notifications, bounds what is sent, and has nothing else; that is on the metrics port.
func TestWebhookListener(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, evening(131, 25))
	x := b.launch(b.subscribed(6*time.Hour), settings{}).ready()
	secret := x.subscribed(b).ClientState
	b.vault.hide("the secret of notifications", secret)
	c := newCaller(b)
	for _, test := range []struct {
		name, method, target, body string
		status                     int
		answer                     string
	}{
		{"another path", http.MethodPost, "/webhooks/other", "{}", 404, ""},
		{"the root", http.MethodGet, "/", "", 404, ""},
		{"metrics", http.MethodGet, "/metrics", "", 404, ""},
		{"health", http.MethodGet, "/-/healthy", "", 404, ""},
		{"reload", http.MethodPost, "/-/reload", "", 404, ""},
		{"below the path", http.MethodPost, hookPath + "/x", "{}", 404, ""},
		{"a look at it", http.MethodGet, hookPath, "", 405, ""},
		{"handshake", http.MethodPost, hookPath + "?validationToken=a%20%3Cb%3E+c%2B%26d", "", 200, "a <b> c+&d"},
		{"empty handshake", http.MethodPost, hookPath + "?validationToken=", "", 400, ""},
		{"long handshake", http.MethodPost, hookPath + "?validationToken=" + strings.Repeat("x", 5_000), "", 400, ""},
		{"no JSON", http.MethodPost, hookPath, "value=1", 400, ""},
		{"too long", http.MethodPost, hookPath, notification(secret+strings.Repeat("x", 200), 4_900), 413, ""},
		{"long without the secret", http.MethodPost, hookPath, notification(strings.Repeat("x", 200), 4_900), 503, ""},
		{"a long item", http.MethodPost, hookPath, notification(strings.Repeat("x", 20_000), 1), 202, ""},
		{"too many", http.MethodPost, hookPath, notification(secret, 5_001), 400, ""},
		{"forged", http.MethodPost, hookPath, notification("not the secret", 2), 202, ""},
		{"real", http.MethodPost, hookPath, notification(secret, 2), 202, ""},
	} {
		a := c.ask(test.method, test.target, test.body)
		if a.status != test.status || test.answer != "" && string(a.body) != test.answer {
			t.Errorf("%s: %d %.200q, want %d %q", test.name, a.status, a.body, test.status, test.answer)
		}
		if kind := a.header.Get("Content-Type"); kind != "" && !strings.HasPrefix(kind, "text/plain") ||
			a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: the header is %v", test.name, a.header)
		}
	}
	for _, path := range []string{hookPath, hookPath + "?validationToken=x"} {
		if a, err := x.client.do(http.MethodPost, path, nil); err != nil || a.status == http.StatusOK ||
			a.status == http.StatusAccepted {
			t.Errorf("the metrics port answers %s with %d, %v", path, a.status, err)
		}
	}
	m := x.scrape()
	for result, n := range map[string]float64{"accepted": 1, "duplicate": 1, "forged": 2, "invalid": 4, "refused": 1} {
		if err := m.is(n, "cdr_notifications_total", "source=contoso", "result="+result); err != nil {
			t.Error(err)
		}
	}
	x.stop()
}

// TestSlowStrangers: connections from an address that send one byte and wait don't keep out Graph's notifications.
func TestSlowStrangers(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, evening(133, 25))
	x := b.launch(b.subscribed(6*time.Hour), settings{}).ready()
	x.subscribed(b)
	ctx, cancel := context.WithCancel(t.Context())
	var strangers sync.WaitGroup
	defer func() {
		cancel()
		strangers.Wait()
	}()
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}},
		Config:    &tls.Config{RootCAs: b.authority.Pool(), MinVersion: tls.VersionTLS12},
	}
	head := "POST " + hookPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
	for range 300 {
		strangers.Go(func() {
			for again := time.NewTicker(100 * time.Millisecond); ctx.Err() == nil; {
				stall(ctx, &dialer, b.hook, head)
				select { // who was turned down comes again, and leaves the others a core
				case <-again.C:
				case <-ctx.Done():
				}
			}
		})
	}
	eventually(t, "be held by strangers", func() error {
		if n := x.scrape().sum("cdr_notifications_total", "result=invalid"); n < 100 {
			return fmt.Errorf("%g requests were given up", n)
		}
		return nil
	})
	b.pass(2 * time.Hour)
	b.delivered()
	x.countsCalls(b)
	x.stop()
}

// stall sends the beginning of a request and waits until the other side has enough.
func stall(ctx context.Context, dialer *tls.Dialer, address, head string) {
	c, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return // turned down
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	defer func() { _ = c.Close() }() // the other side may have closed it
	if _, err := io.WriteString(c, head); err == nil {
		_, _ = io.Copy(io.Discard, c)
	}
}
