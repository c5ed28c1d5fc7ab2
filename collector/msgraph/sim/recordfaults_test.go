package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// faultyRecords has meetings of many, on small pages.
func faultyRecords(t *testing.T) (*simulator.Faults, *Server, *client, *CallRecords) {
	t.Helper()
	f := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 30, only(crowd)), Versions: Versions{GapMin: time.Minute, GapMax: 20 * time.Minute, Final: time.Hour}})
	server, c, _ := startRecords(t, r, begin.Add(72*time.Hour), func(s *Settings) { s.Faults, s.RecordPage = f, 10 })
	return f, server, c, r
}

// TestFaultsOfRecords: what can go wrong with the list, a record and its further pages.
func TestFaultsOfRecords(t *testing.T) {
	f, server, c, r := faultyRecords(t)
	id, _, _ := growing(r, func(p *plan) bool { return p.count > 1 && p.sessions > 130 })
	list, record := server.GraphURL()+recordsURI, server.GraphURL()+recordsURI+"/"+id+"?$expand=sessions"
	type answer struct {
		Version  int64
		Value    []any
		Sessions []any
		Next     string `json:"@odata.nextLink"`
		More     string `json:"sessions@odata.nextLink"`
	}
	ask := func(address string) (int, answer, string) {
		response, body := c.send(http.MethodGet, address, nil)
		var a answer
		_ = json.Unmarshal(body, &a)
		return response.StatusCode, a, string(body)
	}
	_, page, _ := ask(list)
	_, whole, _ := ask(record)
	_, inner, _ := ask(whole.More)
	for _, test := range []struct {
		endpoint string
		fault    simulator.Fault
		address  string
		status   int
		rows     int
		link     string
		contains string
	}{
		{EndpointCallRecords, ExpiredToken, list, 401, 0, "", "InvalidAuthenticationToken"},
		{EndpointCallRecords, ExpiredLink410, page.Next, 410, 0, "", "Gone"},
		{EndpointCallRecords, EmptyPage, page.Next, 200, 0, "skiptoken", `"value":[]`},
		{EndpointCallRecords, ShortPage, list, 200, 5, "skiptoken", ""},
		{EndpointCallRecords, CapitalLink, list, 200, 10, "skiptoken", `"@odata.NextLink":"`},
		{EndpointCallRecords, HostileLink, list, 200, 10, server.HostileURL() + recordsURI, ""},
		{EndpointCallRecords, RepeatedLink, page.Next, 200, 10, page.Next, ""},
		{EndpointCallRecords, simulator.Unavailable, list, 503, 0, "", "ServiceNotAvailable"},
		{EndpointCallRecord, Forbidden, record, 403, 0, "", `"message":""`},
		{EndpointCallRecord, NotYet, record, 404, 0, "", `"code":"NotFound"`},
		{EndpointCallRecord, BadRequest, record, 400, 0, "", `"code":"BadRequest"`},
		{EndpointCallRecord, EmptyPage, record, 200, 0, "skiptoken", ""},
		{EndpointCallRecord, ShortPage, record, 200, 30, "skiptoken", ""},
		{EndpointCallRecord, CapitalLink, record, 200, 60, "skiptoken", `"sessions@odata.nextlink":"`},
		{EndpointCallRecord, HostileLink, record, 200, 60, server.HostileURL() + recordsURI, ""},
		{EndpointCallRecord, simulator.Throttle, record, 429, 0, "", "TooManyRequests"},
		{EndpointSessions, ExpiredLink400, whole.More, 400, 0, "", "BadRequest"},
		{EndpointSessions, NotYet, whole.More, 404, 0, "", "NotFound"},
		{EndpointSessions, EmptyPage, whole.More, 200, 0, "skiptoken", ""},
		{EndpointSessions, RepeatedLink, whole.More, 200, 60, whole.More, ""},
		{EndpointSessions, CapitalLink, whole.More, 200, 60, "skiptoken", `"@odata.NextLink":"`},
		{EndpointParticipants, ShortPage, server.GraphURL() + recordsURI + "/" + id + "/participants_v2", 200, 65, "skiptoken", ""},
	} {
		t.Run(test.endpoint+" "+string(test.fault), func(t *testing.T) {
			f.Once(test.endpoint, test.fault)
			status, a, body := ask(test.address)
			if status != test.status || len(a.Value)+len(a.Sessions) != test.rows || !strings.Contains(a.Next+a.More, test.link) || !strings.Contains(body, test.contains) {
				t.Errorf("status %d, %d rows, link %s%s", status, len(a.Value)+len(a.Sessions), a.Next, a.More)
			}
			if f.Counts(test.endpoint)[test.fault] == 0 || f.Pending() != 0 {
				t.Errorf("counted %v, %d pending", f.Counts(test.endpoint), f.Pending())
			}
		})
	}
	f.Once(EndpointCallRecord, OlderVersion)
	if _, old, _ := ask(record); old.Version >= whole.Version {
		t.Errorf("version %d instead of one before %d", old.Version, whole.Version)
	}
	if len(inner.Value) != 60 {
		t.Errorf("%d sessions on the second page", len(inner.Value))
	}
}

// TestHarmlessFaultsLoseNoSession: who follows the links has all.
func TestHarmlessFaultsLoseNoSession(t *testing.T) {
	f, server, c, r := faultyRecords(t)
	want := r.Totals(server.Now(), 0)
	f.Rate("", 0.5, Harmless()...)
	got := newReader(0)
	got.look(c)
	compareCalls(t, "with harmless faults", &got.CallTotals, &want)
	if counts := f.Counts(""); counts[EmptyPage] == 0 || counts[ShortPage] == 0 || counts[CapitalLink] == 0 || counts[OtherNames] != 0 {
		t.Errorf("%v happened", counts)
	}
}
