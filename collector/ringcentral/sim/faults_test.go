package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// faulty has a log of three pages.
func faulty(t *testing.T) (*simulator.Faults, *Server, *client) {
	t.Helper()
	f := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	server, c := start(t, Settings{Account: world(t, Mix(), 50, func(s *simulator.Settings) { s.Duplicated = 0 }), Faults: f})
	return f, server, c
}

func parse(t *testing.T, body []byte) (a answered) {
	t.Helper()
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return a
}

const twenty = log + "view=Detailed&perPage=20&" + day

func TestFaultsOfRingCentral(t *testing.T) {
	f, server, c := faulty(t)
	first := server.BaseURL() + twenty
	good := c.page(first)
	second := good.next()
	for _, test := range []struct {
		fault     simulator.Fault
		address   string
		status    int
		rows      int
		next      string
		contained string
	}{
		{LostToken, first, 401, 0, "", "OAU-213"},
		{ExpiredToken, first, 401, 0, "", "OAU-128"},
		{Forbidden, second, 403, 0, "", "InsufficientPermissions"},
		{HostileNext, first, 200, 20, strings.Replace(second, server.BaseURL(), server.hostile, 1), ""},
		{RepeatedNext, second, 200, 20, second, ""},
		{NoRecords, first, 200, 0, second, `"paging":{"perPage":20}`},
		{EmptyPage, first, 200, 0, server.BaseURL() + log + "perPage=20&" + day + "&view=Detailed", `"records":[]`},
		{CutPage, first, 200, 10, strings.Replace(second, "page=2&perPage=20", "page=2&perPage=10", 1), `"perPage":10`},
		{CutPage, second, 200, 10, strings.Replace(second, "page=2&perPage=20", "page=4&perPage=10", 1), `"page":3`},
		{OddPaging, second, 200, 20, strings.Replace(second, "page=2", "page=3", 1), `"totalPages":1`},
	} {
		t.Run(string(test.fault), func(t *testing.T) {
			before := f.Counts(EndpointCallLog)[test.fault]
			f.Once(EndpointCallLog, test.fault)
			response, body := c.get(test.address)
			var e answered
			if response.StatusCode == http.StatusOK {
				e = parse(t, body)
			}
			if response.StatusCode != test.status || len(e.Records) != test.rows || e.next() != test.next || !strings.Contains(string(body), test.contained) {
				t.Errorf("status %d, %d rows, next %s", response.StatusCode, len(e.Records), e.next())
			}
			if given := strings.Contains(string(body), `"records"`); given != (test.status == http.StatusOK && test.fault != NoRecords) {
				t.Errorf("records: %s", body)
			}
			if n := f.Counts(EndpointCallLog)[test.fault]; n != before+1 || f.Pending() != 0 {
				t.Errorf("counted %d, %d pending", n, f.Pending())
			}
		})
	}
}

func TestKilledSessionStaysDead(t *testing.T) {
	f, server, c := faulty(t)
	f.Once(EndpointCallLog, LostToken)
	if status, code := c.opens(c.token); status != 401 || code != "OAU-213" {
		t.Errorf("lost: %d %s", status, code)
	}
	if status, _ := c.opens(c.token); status != 200 {
		t.Errorf("found again: %d", status)
	}
	f.Once(EndpointCallLog, KilledSession)
	c.opens(c.token)
	if status, code := c.opens(c.token); status != 401 || code != "OAU-213" || server.Sessions() != 0 {
		t.Errorf("killed: %d %s, %d sessions", status, code, server.Sessions())
	}
}

func TestFaultsOfSync(t *testing.T) {
	f, server, c := faulty(t)
	full := syncs + "view=Detailed&recordCount=20&dateFrom=2026-03-01T00:00:00Z"
	f.Once(EndpointSync, LostSyncToken)
	e := c.page(full)
	if f.Pending() != 1 || len(e.Records) != 20 {
		t.Fatal("a full sync lost a token")
	}
	if r, body := c.get(syncs + "syncType=ISync&syncToken=" + e.Sync.Token); r.StatusCode != http.StatusBadRequest || codeOf(body) != "CLG-102" {
		t.Errorf("a lost token: %d %s", r.StatusCode, body)
	}
	f.Once(EndpointSync, NoRecords)
	if _, body := c.get(full); strings.Contains(string(body), `"records"`) {
		t.Error("there are records")
	}
	f.Once(EndpointSync, HostileNext, RepeatedNext, OddPaging)
	c.page(full)
	if f.Pending() != 3 {
		t.Error("a sync has no pages")
	}
	f.Stop()
	f.Rate(EndpointSync, 0.7, Harmless()...)
	for range 5 {
		if rows, _ := c.follow(full[len(syncs):]); len(rows) != 50 {
			t.Errorf("%d rows, want 50", len(rows))
		}
	}
	if counts := f.Counts(EndpointSync); counts[EmptyPage] == 0 || counts[CutPage] == 0 {
		t.Errorf("only %v happened to %s", counts, server.BaseURL())
	}
}

// TestHarmlessFaultsLoseNothing: who follows the links has all rows.
func TestHarmlessFaultsLoseNothing(t *testing.T) {
	f, server, c := faulty(t)
	f.Rate(EndpointCallLog, 0.7, Harmless()...)
	for range 6 {
		if rows, _ := c.read(twenty); len(rows) != 50 || len(idsOf(rows)) < 48 {
			t.Errorf("%d rows, want 50", len(rows))
		}
	}
	if counts := f.Counts(""); len(counts) != len(Harmless()) || server.Requests().Rows(EndpointCallLog) != 300 {
		t.Errorf("only %v happened, %d rows", counts, server.Requests().Rows(EndpointCallLog))
	}
}

func TestHostileHostCatches(t *testing.T) {
	f, server, c := faulty(t)
	f.Once(EndpointCallLog, HostileNext)
	next := c.page(twenty).next()
	if len(server.Caught()) != 0 {
		t.Fatal("caught somebody too early")
	}
	c.page(next)
	c.send(http.MethodGet, next, func(r *http.Request) { r.Header.Del("Authorization") })
	if caught := server.Caught(); len(caught) != 2 || !caught[0].WithToken || caught[1].WithToken || !strings.HasPrefix(caught[0].URI, company) {
		t.Errorf("caught %+v", caught)
	}
}

// TestTransportFaults reach every endpoint, with RingCentral's own bodies.
func TestTransportFaults(t *testing.T) {
	f, server, c := faulty(t)
	for _, endpoint := range []struct{ name, uri string }{
		{EndpointCallLog, log}, {EndpointSync, syncs}, {EndpointActiveCalls, company + "active-calls"},
	} {
		for fault, code := range map[simulator.Fault]string{
			simulator.ThrottleSeconds: "CMN-301", simulator.InternalError: "CMN-203", simulator.Unavailable: "CMN-201",
		} {
			f.Once(endpoint.name, fault)
			response, body := c.get(endpoint.uri)
			if response.StatusCode != simulator.StatusOf(fault, 200) || codeOf(body) != code || response.Header.Get("X-Rate-Limit-Group") != "heavy" {
				t.Errorf("%s %s: %d %s", endpoint.name, fault, response.StatusCode, body)
			}
		}
	}
	f.Once(EndpointToken, LostToken, simulator.Unavailable)
	if r, _ := c.login(nil); r.StatusCode != http.StatusServiceUnavailable || f.Pending() != 1 {
		t.Errorf("a token: %d", r.StatusCode)
	}
	if n := server.Throttled(GroupHeavy); n != 0 {
		t.Errorf("%d faults counted as throttled", n)
	}
}
