package sim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestRequestsAreChecked: what the documentation doesn't promise is refused, with Graph's error.
func TestRequestsAreChecked(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 200, nil)})
	server, c, _ := startRecords(t, r, at, func(s *Settings) { s.PSTN, s.PageSize = world(t, PSTNMix(), 50, nil), 20 })
	id := readable(r, at)[0]
	const good, filter = functions + "getPstnCalls" + day, callRecordsPath + "?$filter="
	for _, test := range []struct {
		name, uri string
		status    int
	}{
		{"good", good, 200},
		{"with the namespace", functions + "microsoft.graph.callRecords.getPstnCalls" + day, 200},
		{"a day", functions + "getPstnCalls(fromDateTime=2026-03-02,toDateTime=2026-03-03)", 200},
		{"escaped offset", functions + "getPstnCalls(fromDateTime=2026-03-02T00:00:00%2B02:00,toDateTime=2026-03-03)", 200},
		{"90 days", functions + "getPstnCalls(fromDateTime=2026-01-01,toDateTime=2026-04-01)", 200},
		{"91 days", functions + "getPstnCalls(fromDateTime=2026-01-01,toDateTime=2026-04-02)", 406},
		{"plain plus", functions + "getPstnCalls(fromDateTime=2026-03-02T00:00:00+02:00,toDateTime=2026-03-03)", 400},
		{"quotes", functions + "getPstnCalls(fromDateTime='2026-03-02',toDateTime='2026-03-03')", 400},
		{"one parameter", functions + "getPstnCalls(fromDateTime=2026-03-02)", 400},
		{"twice", functions + "getPstnCalls(fromDateTime=2026-03-02,fromDateTime=2026-03-02)", 400},
		{"the link's names", functions + "getPstnCalls(from=2026-03-02,to=2026-03-03)", 400},
		{"reversed", functions + "getPstnCalls(fromDateTime=2026-03-03,toDateTime=2026-03-02)", 400},
		{"escaped parentheses", functions + "getPstnCalls%28fromDateTime=2026-03-02,toDateTime=2026-03-03%29", 400},
		{"escaped comma", functions + "getPstnCalls(fromDateTime=2026-03-02%2CtoDateTime=2026-03-03)", 400},
		{"top", good + "?$top=10", 400},
		{"a link that was never issued", good + "?$skip=20", 400},
		{"beta", strings.Replace(good, "v1.0", "beta", 1), 400},
		{"elsewhere", "/v1.0/users", 400},

		{"the list", callRecordsPath, 200},
		{"an offset in the filter", filter + "startDateTime%20ge%202026-03-02T00:00:00%2B02:00", 200},
		{"a record", callRecordsPath + "/" + id + expanded, 200},
		{"its participants", callRecordsPath + "/" + id + "/participants_v2", 200},
		{"another property", filter + "endDateTime%20ge%202026-03-02T00:00:00Z", 400},
		{"joined by or", filter + "startDateTime%20ge%202026-03-02T00:00:00Z%20or%20startDateTime%20lt%202026-03-02T00:00:00Z", 400},
		{"a quoted time", filter + "startDateTime%20ge%20'2026-03-02T00:00:00Z'", 400},
		{"spaces as plus", filter + "startDateTime+ge+2026-03-02T00:00:00Z", 400},
		{"expansion of the list", callRecordsPath + "?$expand=sessions", 400},
		{"a lost dollar", callRecordsPath + "/" + id + "?=sessions(=segments)", 400},
		{"no GUID", callRecordsPath + "/not-a-guid" + expanded, 400},
		{"a GUID without dashes", callRecordsPath + "/" + strings.ReplaceAll(id, "-", "") + expanded, 400},
		{"a record that isn't there", callRecordsPath + "/00000000-0000-4000-8000-000000000000" + expanded, 404},
		{"a skiptoken that was never issued", callRecordsPath + "?$skiptoken=60", 400},
	} {
		response, body := c.send(http.MethodGet, server.GraphURL()+test.uri, func(r *http.Request) { r.Header.Set("client-request-id", "mine") })
		code := map[int]string{400: `"code":"BadRequest"`, 404: `"code":"NotFound"`}[test.status]
		if response.StatusCode != test.status || !strings.Contains(string(body), code) || test.status != 200 && !strings.Contains(string(body), `"mine"`) {
			t.Errorf("%s: %d %s", test.name, response.StatusCode, body)
		}
	}
	for _, uri := range []string{good, callRecordsPath, callRecordsPath + "/" + id + expanded} {
		if response, _ := c.send(http.MethodPost, server.GraphURL()+uri, nil); response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", uri, response.StatusCode)
		}
	}
}

// TestPagesOfRows: pages follow their links; PSTN includes the end of the range, Direct Routing doesn't.
func TestPagesOfRows(t *testing.T) {
	server, c := start(t, Settings{PSTN: world(t, PSTNMix(), 1000, nil), DirectRouting: world(t, DirectRoutingMix(), 1000, nil), PageSize: 300, Gzip: true})
	for function, w := range map[string]*simulator.World{"getPstnCalls": server.settings.PSTN, "getDirectRoutingCalls": server.settings.DirectRouting} {
		rows, pages := c.read(function + day)
		names := map[string]string{"getPstnCalls": "(from=", "getDirectRoutingCalls": "(fromDateTime="}[function]
		if n := w.Totals(server.Now()).Rows; len(rows) != n || len(pages) != 4 {
			t.Errorf("%s: %d rows on %d pages, want %d on 4", function, len(rows), len(pages), n)
		}
		if next := pages[0].Next; !strings.Contains(next, names) || !strings.HasSuffix(next, "?$skip=300") {
			t.Errorf("%s: next link %s", function, next)
		}
		var at time.Time
		w.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool {
			at = call.Start
			return call.Copies != 1
		})
		want := map[string]int{"getPstnCalls": 1}[function]
		text := at.Format(time.RFC3339Nano)
		if rows, _ := c.read(function + "(fromDateTime=" + text + ",toDateTime=" + text + ")"); len(rows) != want {
			t.Errorf("%s: %d rows at the end, want %d", function, len(rows), want)
		}
	}
	if seen := server.Requests(); seen.Count(EndpointPSTN)[200] != 5 || seen.Rows(EndpointPSTN) == 0 {
		t.Errorf("recorded %v", seen.Count(EndpointPSTN))
	}
	_, empty := start(t, Settings{})
	if rows, pages := empty.read("getPstnCalls" + day); len(rows) != 0 || len(pages) != 1 {
		t.Errorf("a tenant without calls has %d rows on %d pages", len(rows), len(pages))
	}
}

// TestPause: late rows become visible as time passes, and none while publication is paused.
func TestPause(t *testing.T) {
	w, err := simulator.NewWorld(simulator.Live(3, DirectRoutingMix(), begin, 1))
	if err != nil {
		t.Fatal(err)
	}
	server, c := start(t, Settings{DirectRouting: w, Clock: simulator.NewManualClock(begin.Add(time.Hour)), PageSize: 100_000})
	count := func() int {
		rows, _ := c.read("getDirectRoutingCalls" + day)
		return len(rows)
	}
	first := count()
	server.Advance(10 * time.Minute)
	second := count()
	at := server.Pause()
	if third := count(); first == 0 || second <= first || third != second || w.Totals(at).Rows != second || !server.Visible().Equal(at) {
		t.Errorf("%d rows, then %d, then %d; totals %d", first, second, third, w.Totals(at).Rows)
	}
	response, _ := c.get(functions + "getDirectRoutingCalls" + day)
	if date := response.Header.Get("Date"); date != "Mon, 02 Mar 2026 01:10:00 GMT" {
		t.Errorf("Date is %s", date)
	}
	server.Resume()
	server.Advance(time.Hour)
	if n := count(); n <= second {
		t.Errorf("%d rows after Resume", n)
	}
}

// TestLinksExpire: a link works as often as it is followed, for its lifetime.
func TestLinksExpire(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 100, nil)})
	server, c, clock := startRecords(t, r, begin.Add(72*time.Hour), func(s *Settings) {
		s.PSTN, s.PageSize, s.LinkLifetime = world(t, PSTNMix(), 50, nil), 20, time.Minute
	})
	for _, uri := range []string{functions + "getPstnCalls" + day, callRecordsPath} {
		var first envelope
		c.decode(server.GraphURL()+uri, &first)
		clock.Advance(time.Minute)
		for range 2 {
			c.decode(first.Next, &envelope{})
		}
		clock.Advance(time.Second)
		if response, _ := c.send(http.MethodGet, first.Next, nil); response.StatusCode != http.StatusGone {
			t.Errorf("an old link: %d, want 410", response.StatusCode)
		}
	}
}

// TestListOfRecords: the list has every record once, and filters by start.
func TestListOfRecords(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 300, nil), Routed: world(t, DirectRoutingMix(), 200, nil)})
	server, c, clock := startRecords(t, r, at, nil)
	all, sizes := follow[servedRecord](c, server.GraphURL()+callRecordsPath)
	ids := map[string]bool{}
	for _, x := range all {
		ids[x.ID] = true
	}
	// A row that is listed twice is on its page twice.
	if want, _ := r.list(span{begin.Add(-time.Hour).UnixMilli(), at.UnixMilli()}, nil, at, 1000); len(ids) != len(want) || len(all) <= len(want) || sizes[0] < 60 || sizes[0] > 63 {
		t.Errorf("%d rows of %d records, want %d; pages of %v", len(all), len(ids), len(want), sizes)
	}
	some := all[len(all)/2].Start
	for operator, in := range map[string]func(time.Time) bool{
		"ge": func(x time.Time) bool { return !x.Before(some) }, "gt": some.Before,
		"le": func(x time.Time) bool { return !some.Before(x) }, "lt": some.After,
	} {
		got, _ := follow[servedRecord](c, server.GraphURL()+callRecordsPath+"?$filter=startDateTime%20"+operator+"%20"+some.Format(time.RFC3339Nano))
		if want := slices.DeleteFunc(slices.Clone(all), func(x servedRecord) bool { return !in(x.Start) }); len(got) != len(want) {
			t.Errorf("%s: %d rows, want %d", operator, len(got), len(want))
		}
	}
	clock.Set(begin.Add(40 * 24 * time.Hour))
	if all := c.list(begin, begin.Add(24*time.Hour)); len(all) != 0 {
		t.Errorf("%d rows are left after 30 days", len(all))
	}
	if response, body := c.get(callRecordsPath + "/" + all[0].ID + expanded); response.StatusCode != http.StatusNotFound {
		t.Errorf("a record after 30 days: %d %s", response.StatusCode, body)
	}
}

// TestPagesOfOneRecord: sessions, segments and participants have pages, all of the version of the first.
func TestPagesOfOneRecord(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 30, only(func(k *simulator.Kind, s *shape) bool { return crowd(k, s) || s.segments > 20 }))})
	server, c, clock := startRecords(t, r, begin, nil)
	id, first, second := growing(r, func(p *recordPlan) bool {
		return p.count > 1 && p.all[0].sessions > 60 && p.all[1].sessions > p.all[0].sessions && p.readableFrom.Before(p.all[1].at)
	})
	clock.Set(first)
	var early servedRecord
	c.decode(server.GraphURL()+callRecordsPath+"/"+id+expanded, &early)
	clock.Set(second)
	more, _ := follow[servedSession](c, early.MoreSessions)
	if now := c.record(id); len(early.Sessions) != 60 || len(early.Sessions)+len(more) >= len(now.Sessions) || now.Version <= early.Version {
		t.Errorf("%d and %d sessions of version %d, %d of version %d", len(early.Sessions), len(more), early.Version, len(now.Sessions), now.Version)
	}
	clock.Set(begin.Add(72 * time.Hour))
	links, crowds := 0, 0
	for _, id := range readable(r, clock.Now()) {
		x := c.record(id)
		seen := map[string]bool{}
		for _, s := range x.Sessions {
			seen[s.ID] = true
			if s.MoreSegments != "" && len(s.Segments) > 20 {
				links++
			}
		}
		participants, sizes := follow[struct{ ID string }](c, server.GraphURL()+callRecordsPath+"/"+id+"/participants_v2")
		if len(seen) != len(x.Sessions) || sizes[0] > 130 || len(participants) < 2 {
			t.Errorf("%s has %d sessions with %d ids, %d participants on pages of %v", id, len(x.Sessions), len(seen), len(participants), sizes)
		}
		if len(sizes) > 1 {
			crowds++
		}
	}
	if links == 0 || crowds == 0 {
		t.Errorf("%d sessions have many segments, %d records many participants", links, crowds)
	}
}

// TestYoungRecords: a record is listed, and found by its id some minutes later.
func TestYoungRecords(t *testing.T) {
	v := UsualVersions()
	v.Young = 1
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 50, nil), Versions: v})
	server, c, clock := startRecords(t, r, begin, nil)
	id, from, _ := growing(r, func(p *recordPlan) bool { return p.readableFrom.Sub(p.all[0].at) > time.Minute })
	clock.Set(from.Add(-time.Millisecond))
	all, _ := follow[servedRecord](c, server.GraphURL()+callRecordsPath)
	response, body := c.get(callRecordsPath + "/" + id + expanded)
	if !slices.ContainsFunc(all, func(x servedRecord) bool { return x.ID == id }) || response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), `"message":""`) {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	clock.Set(from)
	if c.record(strings.ToUpper(id)) == nil {
		t.Error("it isn't found, in capitals")
	}
}

// TestMalformedRecords: some flaws are in the list, others in the record itself; each counts once.
func TestMalformedRecords(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 400, func(s *simulator.Settings) { s.Malformed = 0.3 })})
	server, c, clock := startRecords(t, r, begin.Add(72*time.Hour), nil)
	rows, _ := follow[json.RawMessage](c, server.GraphURL()+callRecordsPath)
	rowFlaws, recordFlaws := map[string]int{}, map[string]int{}
	for _, row := range rows {
		for _, text := range []string{`"record `, `{"lastModifiedDateTime"`, `"id":"../`, `"version":"`} {
			if strings.Contains(string(row), text) {
				rowFlaws[text]++
			}
		}
		var x struct{ ID string }
		if json.Unmarshal(row, &x) != nil || strings.HasPrefix(x.ID, ".") || x.ID == "" {
			continue
		}
		_, body := c.get(callRecordsPath + "/" + x.ID + expanded)
		for _, text := range []string{`"type":{`, `"yesterday"`, `25:61`, `"startDateTime":null`} {
			if strings.Contains(string(body), text) {
				recordFlaws[text]++
			}
		}
	}
	if n := r.Totals(clock.Now(), 0).Invalid; len(rowFlaws) != 4 || len(recordFlaws) != 4 || n < 90 || n > 150 {
		t.Errorf("%v in the list, %v in records, %d in all", rowFlaws, recordFlaws, n)
	}
}

// TestLimitsOfOneRecord: ten requests in 20 seconds for the first page, fifty in five minutes for further ones, for each record by itself.
func TestLimitsOfOneRecord(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 4, only(crowd))})
	server, c, clock := startRecords(t, r, at, func(s *Settings) { s.FirstPages, s.NextPages, s.SessionPage = 0, 0, 1 })
	ids := readable(r, at)
	address := server.GraphURL() + callRecordsPath + "/" + ids[0]
	var first servedRecord
	for range 10 {
		c.decode(address+expanded, &first)
		clock.Advance(time.Second)
	}
	refused := func(address, after string) {
		t.Helper()
		response, body := c.send(http.MethodGet, address, nil)
		if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != after || !strings.Contains(string(body), "TooManyRequests") {
			t.Errorf("%d, Retry-After %s, %s", response.StatusCode, response.Header.Get("Retry-After"), body)
		}
	}
	refused(address+"/participants_v2", "10")
	c.decode(server.GraphURL()+callRecordsPath+"/"+ids[1]+expanded, &servedRecord{})
	link := first.MoreSessions
	for range 50 {
		var page envelope
		c.decode(link, &page)
		link = page.Next
	}
	refused(link, "300")
	clock.Advance(5 * time.Minute)
	c.decode(link, &envelope{})
	if n := server.RecordsRefused(); n != 2 {
		t.Errorf("%d were refused", n)
	}
}

// TestSeed: two servers of a seed serve the same, of another not.
func TestSeed(t *testing.T) {
	serve := func(seed uint64) string {
		r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 40, func(s *simulator.Settings) { s.Seed = seed })})
		server, c, clock := startRecords(t, r, begin.Add(20*time.Hour), nil)
		var all strings.Builder
		for _, id := range readable(r, clock.Now()) {
			_, body := c.get(callRecordsPath + "/" + id + expanded)
			all.WriteString(strings.ReplaceAll(string(body), server.GraphURL(), ""))
		}
		return all.String()
	}
	if one := serve(1); one != serve(1) || one == serve(2) {
		t.Error("the seed doesn't decide what is served")
	}
}

// TestFaults: what can go wrong with each endpoint.
func TestFaults(t *testing.T) {
	f := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 30, only(crowd)), Versions: Versions{GapMin: time.Minute, GapMax: 20 * time.Minute, Final: time.Hour}})
	server, c, _ := startRecords(t, r, begin.Add(72*time.Hour), func(s *Settings) {
		s.Faults, s.RecordPage, s.PageSize, s.DirectRouting = f, 10, 20, world(t, DirectRoutingMix(), 100, nil)
	})
	id, _, _ := growing(r, func(p *recordPlan) bool { return p.count > 1 && p.sessions > 130 })
	type answer struct {
		Version         int64
		Value, Sessions []any
		Next            string `json:"@odata.nextLink"`
		More            string `json:"sessions@odata.nextLink"`
	}
	ask := func(address string) (int, answer, string) {
		response, body := c.send(http.MethodGet, address, nil)
		var a answer
		_ = json.Unmarshal(body, &a)
		return response.StatusCode, a, string(body)
	}
	const call = functions + "getDirectRoutingCalls" + day
	rows, list, record := server.GraphURL()+call, server.GraphURL()+callRecordsPath, server.GraphURL()+callRecordsPath+"/"+id+expanded
	_, rowsPage, _ := ask(rows)
	_, page, _ := ask(list)
	_, whole, _ := ask(record)
	hostile := server.hostile.URL()
	for _, test := range []struct {
		endpoint string
		fault    simulator.Fault
		address  string
		status   int
		rows     int
		link     string
		contains string
	}{
		{EndpointDirectRouting, ExpiredToken, rows, 401, 0, "", "InvalidAuthenticationToken"},
		{EndpointDirectRouting, Forbidden, rowsPage.Next, 403, 0, "", `"message":""`},
		{EndpointDirectRouting, ExpiredLink400, rowsPage.Next, 400, 0, "", "BadRequest"},
		{EndpointDirectRouting, ExpiredLink410, rowsPage.Next, 410, 0, "", "Gone"},
		{EndpointDirectRouting, HostileLink, rows, 200, 20, hostile + call, ""},
		{EndpointDirectRouting, RepeatedLink, rowsPage.Next, 200, 20, rowsPage.Next, ""},
		{EndpointDirectRouting, EmptyPage, rowsPage.Next, 200, 0, rowsPage.Next + "&$skiptoken=", `"value":[]`},
		{EndpointDirectRouting, ShortPage, rows, 200, 10, rows + "?$skip=10&$skiptoken=", ""},
		{EndpointDirectRouting, CapitalLink, rows, 200, 20, rowsPage.Next, `"@odata.NextLink":"`},
		{EndpointDirectRouting, OtherNames, rows, 200, 20, strings.ReplaceAll(rowsPage.Next, "DateTime=", "="), ""},
		{EndpointDirectRouting, simulator.Throttle, rows, 429, 0, "", "TooManyRequests"},
		{EndpointCallRecords, ExpiredLink410, page.Next, 410, 0, "", "Gone"},
		{EndpointCallRecords, EmptyPage, page.Next, 200, 0, "skiptoken", `"value":[]`},
		{EndpointCallRecords, ShortPage, list, 200, 5, "skiptoken", ""},
		{EndpointCallRecords, CapitalLink, list, 200, 10, "skiptoken", `"@odata.NextLink":"`},
		{EndpointCallRecords, HostileLink, list, 200, 10, hostile + callRecordsPath, ""},
		{EndpointCallRecords, RepeatedLink, page.Next, 200, 10, page.Next, ""},
		{EndpointCallRecord, NotYet, record, 404, 0, "", `"code":"NotFound"`},
		{EndpointCallRecord, BadRequest, record, 400, 0, "", `"code":"BadRequest"`},
		{EndpointCallRecord, EmptyPage, record, 200, 0, "skiptoken", ""},
		{EndpointCallRecord, ShortPage, record, 200, 30, "skiptoken", ""},
		{EndpointCallRecord, CapitalLink, record, 200, 60, "skiptoken", `"sessions@odata.nextlink":"`},
		{EndpointSessions, ExpiredLink400, whole.More, 400, 0, "", "BadRequest"},
		{EndpointSessions, RepeatedLink, whole.More, 200, 60, whole.More, ""},
		{EndpointParticipants, ShortPage, server.GraphURL() + callRecordsPath + "/" + id + "/participants_v2", 200, 65, "skiptoken", ""},
	} {
		f.Once(test.endpoint, test.fault)
		status, a, body := ask(test.address)
		if status != test.status || len(a.Value)+len(a.Sessions) != test.rows || !strings.Contains(a.Next+a.More, test.link) || !strings.Contains(body, test.contains) || f.Pending() != 0 {
			t.Errorf("%s %s: status %d, %d rows, link %s%s", test.endpoint, test.fault, status, len(a.Value)+len(a.Sessions), a.Next, a.More)
		}
	}
	f.Once(EndpointCallRecord, OlderVersion)
	if _, old, _ := ask(record); old.Version >= whole.Version {
		t.Errorf("version %d instead of one before %d", old.Version, whole.Version)
	}
	f.Once(EndpointDirectRouting, ExpiredLink410)
	if status, _, _ := ask(rows); status != 200 || f.Pending() != 1 {
		t.Errorf("a fault of links on a first page: %d, %d pending", status, f.Pending())
	}
	ask(rowsPage.Next)
	f.Once(EndpointDirectRouting, HostileLink)
	_, a, _ := ask(rows)
	ask(a.Next)
	if caught := server.Caught(); len(caught) != 1 || !caught[0].WithToken {
		t.Errorf("caught %+v", caught)
	}
	// Clients that follow the links have everything.
	f.Rate("", 0.6, Harmless()...)
	if got, _ := c.read("getDirectRoutingCalls" + day); len(got) != server.settings.DirectRouting.Totals(server.Now()).Rows {
		t.Errorf("%d rows with harmless faults", len(got))
	}
	got, want := newReader(0), r.Totals(server.Now(), 0)
	got.look(c)
	compareCalls(t, "with harmless faults", &got.CallTotals, &want)
}
