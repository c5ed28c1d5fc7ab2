package sim

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = simtest.Begin

const theDay = "2026-03-02"

func world(t testing.TB, mix *simulator.Mix, calls int, change func(*simulator.Settings)) *simulator.World {
	t.Helper()
	return simtest.World(t, simulator.Historical(7, mix, begin, begin.Add(24*time.Hour), calls), change)
}

// account has so many calls of each type on one day.
func account(t testing.TB, calls int, change func(*simulator.Settings)) *Account {
	t.Helper()
	return accountOf(t, AccountSettings{
		Placed: world(t, PlacedMix(), calls, change), Received: world(t, ReceivedMix(), calls, change),
	})
}

func accountOf(t testing.TB, s AccountSettings) *Account {
	t.Helper()
	a, err := NewAccount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// spoilt has of everything that can be wrong with rows.
func spoilt(s *simulator.Settings) {
	s.Malformed, s.Duplicated, s.Revised, s.NoID, s.Incidents = 0.03, 0.05, 0.2, 0.06, 0.3
}

// client talks to a server as somebody who has the key.
type client struct {
	*simtest.Client
	t      testing.TB
	server *Server
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
	return server, &client{simtest.NewClient(t, server.Host, server.APIKey()), t, server}
}

func (c *client) get(path string, options url.Values) (*http.Response, []byte) {
	c.t.Helper()
	if c.server.Generation() == GenerationA {
		options = maps.Clone(options)
		options.Set("appid", c.server.APIKey())
	}
	return c.Send(http.MethodGet, c.server.BaseURL()+path+"?"+options.Encode(), nil)
}

// options are those of a day and a type, with more, in pairs.
func options(callType string, more ...string) url.Values {
	o := url.Values{"from": {theDay}, "to": {theDay}, "type": {callType}, "disposition": {"all"}}
	for i := 0; i < len(more); i += 2 {
		o.Set(more[i], more[i+1])
	}
	return o
}

// paths are where the list, the export, CSV and the calls in progress are.
func paths(g Generation) (list, export, csv, calls string) {
	switch g {
	case GenerationA:
		return "/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/call"
	case GenerationB:
		return "/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/calls"
	default:
		return "/v1/cdrs", "/v1/cdrs/all", "/v1/cdr.csv", "/v1/calls"
	}
}

// page is a page of the list as a reader sees it.
type page struct {
	Items      []json.RawMessage `json:"items"`
	Pagination struct {
		Page    int `json:"current_page"`
		PerPage int `json:"per_page"`
		Total   int `json:"total"`
		Pages   int `json:"total_pages"`
	} `json:"pagination"`
}

func (c *client) page(o url.Values) page {
	c.t.Helper()
	list, _, _, _ := paths(c.server.Generation())
	response, body := c.get(list, o)
	var p page
	if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("status %d, %v: %.200s", response.StatusCode, err, body)
	}
	return p
}

// pages reads all pages of a query.
func (c *client) pages(o url.Values, perPage int) (rows []json.RawMessage, first page) {
	c.t.Helper()
	o.Set("per_page", strconv.Itoa(perPage))
	for n := 1; ; n++ {
		o.Set("page", strconv.Itoa(n))
		p := c.page(o)
		if n == 1 {
			first = p
		}
		rows = append(rows, p.Items...)
		if n >= p.Pagination.Pages {
			return rows, first
		}
	}
}

// export reads a type's export.
func (c *client) export(callType string, more ...string) []byte {
	c.t.Helper()
	_, export, _, _ := paths(c.server.Generation())
	_, body := c.get(export, options(callType, more...))
	return body
}
