package sim

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// day is a request's range for the whole of a test's world.
const day = "(fromDateTime=2026-03-02T00:00:00Z,toDateTime=2026-03-03T00:00:00Z)"

func world(t testing.TB, mix *simulator.Mix, calls int, change func(*simulator.Settings)) *simulator.World {
	t.Helper()
	s := simulator.Historical(7, mix, begin, begin.Add(24*time.Hour), calls)
	if change != nil {
		change(&s)
	}
	w, err := simulator.NewWorld(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// client talks to a server as somebody who has a token.
type client struct {
	t      testing.TB
	server *Server
	http   *http.Client
	token  string
}

// start starts a server long after its calls were published.
func start(t testing.TB, s Settings) (*Server, *client) {
	t.Helper()
	if s.Clock == nil {
		s.Clock = simulator.NewManualClock(begin.Add(30 * 24 * time.Hour))
	}
	server, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.Pool()}}
	t.Cleanup(transport.CloseIdleConnections)
	return server, &client{t: t, server: server, http: &http.Client{Transport: transport}, token: server.issue(server.GraphURL(), time.Minute)}
}

// send sends a request whose URI goes out as it is.
func (c *client) send(method, address string, change func(*http.Request)) (*http.Response, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
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

func (c *client) get(uri string) (*http.Response, []byte) {
	c.t.Helper()
	return c.send(http.MethodGet, c.server.GraphURL()+uri, nil)
}

// envelope is a page as a reader sees it.
type envelope struct {
	Context string            `json:"@odata.context"`
	Count   int               `json:"@odata.count"`
	Next    string            `json:"@odata.nextLink"`
	Value   []json.RawMessage `json:"value"`
}

const functions = "/v1.0/communications/callRecords/"

// read follows all pages of a feed.
func (c *client) read(function string) (rows []json.RawMessage, pages []envelope) {
	c.t.Helper()
	address := c.server.GraphURL() + functions + function
	for address != "" {
		response, body := c.send(http.MethodGet, address, nil)
		var e envelope
		if err := json.Unmarshal(body, &e); response.StatusCode != http.StatusOK || err != nil {
			c.t.Fatalf("page %d: status %d, %v", len(pages), response.StatusCode, err)
		}
		if e.Count != len(e.Value) {
			c.t.Fatalf("page %d says %d rows and has %d", len(pages), e.Count, len(e.Value))
		}
		rows = append(rows, e.Value...)
		pages = append(pages, e)
		address = e.Next
	}
	return rows, pages
}

// post sends a form to the token endpoint.
func (c *client) post(tenant string, form url.Values) (int, map[string]any) {
	c.t.Helper()
	response, body := c.send(http.MethodPost, c.server.LoginURL()+"/"+tenant+"/oauth2/v2.0/token", func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		text := form.Encode()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	})
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		c.t.Fatalf("token endpoint: %v", err)
	}
	return response.StatusCode, answer
}
