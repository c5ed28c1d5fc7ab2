package sim

import (
	"cmp"
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

// day is the range of the whole of a test's world.
const day = "dateFrom=2026-03-02T00:00:00.000Z&dateTo=2026-03-03T00:00:00.000Z"

// The resources that are asked for.
const (
	company   = "/restapi/v1.0/account/~/"
	extension = company + "extension/~/"
	log       = company + "call-log?"
	syncs     = company + "call-log-extract-sync?"
)

func world(t testing.TB, mix *simulator.Mix, calls int, change func(*simulator.Settings)) *simulator.World {
	t.Helper()
	s := Historical(7, mix, begin, begin.Add(24*time.Hour), calls)
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

// start starts a server long after its calls were published, without a limit on
// requests unless the settings have one.
func start(t testing.TB, s Settings) (*Server, *client) {
	t.Helper()
	if s.Clock == nil {
		s.Clock = simulator.NewManualClock(begin.Add(30 * 24 * time.Hour))
	}
	s.Heavy, s.Auth = cmp.Or(s.Heavy, -1), cmp.Or(s.Auth, -1)
	server, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.Pool()}}
	t.Cleanup(transport.CloseIdleConnections)
	return server, &client{t: t, server: server, http: &http.Client{Transport: transport}, token: server.openSession(time.Hour)}
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
	if !strings.HasPrefix(uri, "https://") {
		uri = c.server.BaseURL() + uri
	}
	return c.send(http.MethodGet, uri, nil)
}

// answered is a page as a reader sees it.
type answered struct {
	URI     string            `json:"uri"`
	Records []json.RawMessage `json:"records"`
	Paging  struct {
		Page, PerPage, PageStart, PageEnd int
		TotalPages                        *int
	} `json:"paging"`
	Navigation struct {
		FirstPage, NextPage, PreviousPage *link
	} `json:"navigation"`
	Sync struct {
		Type  string    `json:"syncType"`
		Token string    `json:"syncToken"`
		Time  time.Time `json:"syncTime"`
		More  bool      `json:"newerRecordsExist"`
	} `json:"syncInfo"`
}

// page gets one page.
func (c *client) page(uri string) answered {
	c.t.Helper()
	response, body := c.get(uri)
	var e answered
	if err := json.Unmarshal(body, &e); response.StatusCode != http.StatusOK || err != nil {
		c.t.Fatalf("%s: status %d, %v: %s", uri, response.StatusCode, err, body)
	}
	return e
}

// next is the next page's link, or empty.
func (e answered) next() string {
	if e.Navigation.NextPage == nil {
		return ""
	}
	return e.Navigation.NextPage.URI
}

// read follows all pages of a list.
func (c *client) read(uri string) (rows []json.RawMessage, pages int) {
	c.t.Helper()
	for uri != "" {
		e := c.page(uri)
		rows = append(rows, e.Records...)
		uri = e.next()
		if pages++; pages > 1000 {
			c.t.Fatal("the pages have no end")
		}
	}
	return rows, pages
}

// follow syncs from a time until there is nothing newer.
func (c *client) follow(query string) (rows []json.RawMessage, last answered) {
	c.t.Helper()
	last = c.page(syncs + query)
	rows = last.Records
	for n := 0; last.Sync.More; n++ {
		last = c.page(syncs + "syncType=ISync&view=Detailed&syncToken=" + last.Sync.Token)
		rows = append(rows, last.Records...)
		if n > 1000 {
			c.t.Fatal("the sync has no end")
		}
	}
	return rows, last
}

// post sends a form to an OAuth endpoint.
func (c *client) post(uri string, form url.Values, change func(*http.Request)) (*http.Response, map[string]any) {
	c.t.Helper()
	response, body := c.send(http.MethodPost, c.server.BaseURL()+uri, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(c.server.ClientID(), c.server.ClientSecret())
		text := form.Encode()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		if change != nil {
			change(r)
		}
	})
	answer := map[string]any{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &answer); err != nil {
			c.t.Fatalf("%s: %v", uri, err)
		}
	}
	return response, answer
}

// login asks for a token with the JWT.
func (c *client) login(change func(url.Values)) (*http.Response, map[string]any) {
	c.t.Helper()
	form := url.Values{"grant_type": {jwtGrant}, "assertion": {c.server.JWT()}}
	if change != nil {
		change(form)
	}
	return c.post("/restapi/oauth/token", form, nil)
}

// codeOf is the code of an error's list.
func codeOf(body []byte) string {
	var p problem
	if json.Unmarshal(body, &p) != nil || len(p.Errors) == 0 {
		return ""
	}
	return p.Errors[0].Code
}
