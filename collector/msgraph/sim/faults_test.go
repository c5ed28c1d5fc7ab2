package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// faulty has three pages of Direct Routing calls, and of PSTN.
func faulty(t *testing.T) (*simulator.Faults, *Server, *client) {
	t.Helper()
	f := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	server, c := start(t, Settings{
		PSTN: world(t, PSTNMix(), 50, nil), DirectRouting: world(t, DirectRoutingMix(), 50, nil), PageSize: 20, Faults: f,
	})
	return f, server, c
}

func (c *client) page(address string) (int, envelope, string) {
	c.t.Helper()
	response, body := c.send(http.MethodGet, address, nil)
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, e, string(body)
}

func TestFaultsOfGraph(t *testing.T) {
	f, server, c := faulty(t)
	first := server.GraphURL() + functions + "getDirectRoutingCalls" + day
	_, good, _ := c.page(first)
	for _, test := range []struct {
		fault     simulator.Fault
		address   string
		status    int
		rows      int
		next      string
		contained string
	}{
		{ExpiredToken, first, 401, 0, "", "InvalidAuthenticationToken"},
		{Forbidden, good.Next, 403, 0, "", `"message":""`},
		{ExpiredLink400, good.Next, 400, 0, "", "BadRequest"},
		{ExpiredLink410, good.Next, 410, 0, "", "Gone"},
		{HostileLink, first, 200, 20, server.HostileURL() + functions + "getDirectRoutingCalls" + day, ""},
		{RepeatedLink, good.Next, 200, 20, good.Next, ""},
		{EmptyPage, good.Next, 200, 0, good.Next + "&$skiptoken=1", `"value":[]`},
		{ShortPage, first, 200, 10, first + "?$skip=10&$skiptoken=2", ""},
		{CapitalLink, first, 200, 20, good.Next, `"@odata.NextLink":"`},
		{OtherNames, first, 200, 20, strings.ReplaceAll(good.Next, "DateTime=", "="), ""},
	} {
		t.Run(string(test.fault), func(t *testing.T) {
			f.Once(EndpointDirectRouting, test.fault)
			status, e, body := c.page(test.address)
			if status != test.status || len(e.Value) != test.rows || e.Next != test.next || !strings.Contains(body, test.contained) {
				t.Errorf("status %d, %d rows, next %s", status, len(e.Value), e.Next)
			}
			if n := f.Counts(EndpointDirectRouting)[test.fault]; n != 1 || f.Pending() != 0 {
				t.Errorf("counted %d, %d pending", n, f.Pending())
			}
		})
	}
}

func TestFaultsWaitForWhatTheyFit(t *testing.T) {
	f, server, c := faulty(t)
	f.Once(EndpointPSTN, ExpiredLink410)
	status, e, _ := c.page(server.GraphURL() + functions + "getPstnCalls" + day)
	if status != 200 || f.Pending() != 1 {
		t.Fatalf("the first page: %d, %d faults pending", status, f.Pending())
	}
	if status, _, _ := c.page(e.Next); status != 410 {
		t.Errorf("the second page: %d", status)
	}
}

// TestHarmlessFaultsLoseNothing: who follows the links has all rows.
func TestHarmlessFaultsLoseNothing(t *testing.T) {
	f, server, c := faulty(t)
	f.Rate(EndpointDirectRouting, 0.7, Harmless()...)
	want := server.settings.DirectRouting.Totals(server.Now()).Rows
	for range 5 {
		if rows, _ := c.read("getDirectRoutingCalls" + day); len(rows) != want {
			t.Errorf("%d rows, want %d", len(rows), want)
		}
	}
	if counts := f.Counts(""); len(counts) < 3 {
		t.Errorf("only %v happened", counts)
	}
}

func TestHostileHostCatches(t *testing.T) {
	f, server, c := faulty(t)
	f.Once(EndpointPSTN, HostileLink)
	_, e, _ := c.page(server.GraphURL() + functions + "getPstnCalls" + day)
	if len(server.Caught()) != 0 {
		t.Fatal("caught somebody too early")
	}
	c.page(e.Next)
	c.send(http.MethodGet, e.Next, func(r *http.Request) { r.Header.Del("Authorization") })
	if caught := server.Caught(); len(caught) != 2 || !caught[0].WithToken || caught[1].WithToken {
		t.Errorf("caught %+v", caught)
	}
}

func TestTransportFaultsReachGraph(t *testing.T) {
	f, server, c := faulty(t)
	f.Once(EndpointPSTN, simulator.ThrottleSeconds)
	response, body := c.get(functions + "getPstnCalls" + day)
	if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), "TooManyRequests") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if counts := server.Requests().Count(EndpointPSTN); counts[429] != 1 || counts[0] != 1 || server.Requests().Rows(EndpointPSTN) != 0 {
		t.Errorf("recorded %v", counts)
	}
}
