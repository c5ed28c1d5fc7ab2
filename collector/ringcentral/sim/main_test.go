package sim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = simtest.Begin

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
	return simtest.World(t, Historical(7, mix, begin, begin.Add(24*time.Hour), calls), change)
}

// client talks to a server as somebody who has a token.
type client struct {
	*simtest.Client
	t      testing.TB
	server *Server
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
	return server, &client{simtest.NewClient(t, server.Host, server.openSession(time.Hour)), t, server}
}

func (c *client) get(uri string) (*http.Response, []byte) {
	c.t.Helper()
	if !strings.HasPrefix(uri, "https://") {
		uri = c.server.BaseURL() + uri
	}
	return c.Send(http.MethodGet, uri, nil)
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

// idsOf are the ids of rows, and how often each came.
func idsOf(rows []json.RawMessage) map[string]int {
	found := map[string]int{}
	for _, raw := range rows {
		var r served
		if json.Unmarshal(raw, &r) == nil && r.ID != nil {
			found[*r.ID]++
		}
	}
	return found
}
