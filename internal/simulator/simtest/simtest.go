// Package simtest is what the tests of simulated providers share.
package simtest

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Begin is when the worlds of tests begin: they last a day.
var Begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// World makes a world of settings, which a function may change.
func World(t testing.TB, s simulator.Settings, change func(*simulator.Settings)) *simulator.World {
	t.Helper()
	if change != nil {
		change(&s)
	}
	w, err := simulator.NewWorld(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Client sends requests with the same header, and fails the test if one can't be sent.
type Client struct {
	t      testing.TB
	http   *http.Client
	Header http.Header
}

// NewClient trusts a host and knows its token. Both end with the test.
func NewClient(t testing.TB, host *simulator.Host, token string) *Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: host.Pool()}}
	t.Cleanup(host.Close)
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{t: t, http: &http.Client{Transport: transport}, Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// Send sends a request, whose URI goes out as it is, and reads the answer.
func (c *Client) Send(method, address string, change func(*http.Request)) (*http.Response, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header = c.Header.Clone()
	if change != nil {
		change(r)
	}
	response, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, body
}

// Same compares label sets.
func Same[K, V comparable](t testing.TB, what string, got, want map[K]V) {
	t.Helper()
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s %+v: %v, want %v", what, key, got[key], want[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d label sets, want %d", what, len(got), len(want))
	}
}
