package sim

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// idsOf are the ids of rows that have one, each as often as it is listed.
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

func TestPaging(t *testing.T) {
	account := world(t, Mix(), 1300, nil)
	server, c := start(t, Settings{Account: account})
	want := account.Totals(server.Now()).Rows
	whole, _ := c.read(log + "view=Detailed&perPage=max&" + day)
	for query, pages := range map[string]int{
		"perPage=1000&": 2,
		"perPage=5000&": 2, // cut to 1000
		"perPage=max&":  2,
		"":              (want + 99) / 100,
		"perPage=333&":  (want + 332) / 333,
	} {
		rows, n := c.read(log + "view=Detailed&" + query + day)
		if len(rows) != want || n != pages {
			t.Errorf("%s: %d rows on %d pages, want %d on %d", query, len(rows), n, want, pages)
		}
		if !maps.Equal(idsOf(rows), idsOf(whole)) {
			t.Errorf("%s: other rows", query)
		}
	}
	var last time.Time
	for _, raw := range whole {
		var r served
		if json.Unmarshal(raw, &r) == nil && r.Start != nil {
			if !last.IsZero() && r.Start.After(last) {
				t.Fatal("not the newest first")
			}
			last = *r.Start
		}
	}
	if strays := server.Strays(); len(strays) != 0 {
		t.Errorf("strays %q", strays)
	}
}

func TestLinksAndPagingSayWhatThereIs(t *testing.T) {
	server, c := start(t, Settings{Account: world(t, Mix(), 250, nil)})
	link := func(page string) string {
		return server.BaseURL() + company + "call-log?dateFrom=2026-03-02T00%3A00%3A00.000Z&dateTo=2026-03-03T00%3A00%3A00.000Z&page=" + page +
			"&perPage=100&type=Voice&view=Detailed"
	}
	e := c.page(log + "perPage=100&page=2&type=Voice&view=Detailed&" + day)
	if e.next() != link("3") || e.Navigation.PreviousPage.URI != link("1") || e.Navigation.FirstPage.URI != link("1") {
		t.Errorf("links %+v", e.Navigation)
	}
	if p := e.Paging; p.Page != 2 || p.PerPage != 100 || p.PageStart != 100 || p.PageEnd != 199 || p.TotalPages != nil {
		t.Errorf("paging %+v", p)
	}
	if !strings.HasSuffix(e.URI, log+"perPage=100&page=2&type=Voice&view=Detailed&"+day) {
		t.Errorf("uri %s", e.URI)
	}
	// An empty answer is like trap 14: fine, without page numbers.
	_, body := c.get(log + "dateFrom=2020-01-01T00:00:00Z&dateTo=2020-01-02T00:00:00Z")
	if text := string(body); !strings.Contains(text, `"records":[],"paging":{"perPage":100},"navigation":{"firstPage":{"uri"`) || strings.Contains(text, "nextPage") {
		t.Errorf("an empty page: %s", text)
	}
	server.SetPublicURL("https://proxy.example:8443")
	if e := c.page(log + "perPage=100&" + day); !strings.HasPrefix(e.next(), "https://proxy.example:8443/restapi/") {
		t.Errorf("behind a proxy: %s", e.next())
	}
}

// TestDefaultRange: who says nothing gets a day (trap 17), and links without an end.
func TestDefaultRange(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(36 * time.Hour))
	account := world(t, Mix(), 2000, func(s *simulator.Settings) { s.Delays, s.MaxLate = nil, 0 })
	_, c := start(t, Settings{Account: account, Clock: clock})
	rows, _ := c.read(company + "call-log")
	want := account.TotalsFor(begin.Add(12*time.Hour), begin.Add(48*time.Hour), clock.Now()).Rows
	if len(rows) != want || want < 900 {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	if next := c.page(company + "call-log").next(); !strings.Contains(next, "dateFrom=2026-03-02T12") || strings.Contains(next, "dateTo") {
		t.Errorf("the next page: %s", next)
	}
}

func TestRangeIsInclusive(t *testing.T) {
	account := world(t, Mix(), 300, func(s *simulator.Settings) { s.Duplicated = 0 })
	_, c := start(t, Settings{Account: account})
	var at time.Time
	account.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool { at = call.Start; return call.Number < 100 })
	for query, want := range map[string]bool{
		at.Format(milliseconds) + "&dateTo=" + at.Format(milliseconds):                                                                    true,
		at.Add(time.Millisecond).Format(milliseconds) + "&dateTo=" + at.Add(time.Millisecond).Format(milliseconds):                        false,
		at.In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05.000%2B02:00") + "&dateTo=" + at.Add(time.Second).Format(milliseconds): true,
	} {
		if rows := c.page(log + "dateFrom=" + query).Records; len(rows) > 0 != want {
			t.Errorf("%s: %d rows", query, len(rows))
		}
	}
}

func TestBadParameters(t *testing.T) {
	server, c := start(t, Settings{Account: world(t, Mix(), 100, nil)})
	for uri, want := range map[string]struct{ code, parameter string }{
		log + "dateFrom=yesterday":                                        {"CMN-101", "dateFrom"},
		log + "dateFrom=2026-03-02":                                       {"CMN-101", "dateFrom"},
		log + "dateTo=2026-03-02T00:00:00":                                {"CMN-101", "dateTo"},
		log + "dateFrom=2026-03-03T00:00:00Z&dateTo=2026-03-02T00:00:00Z": {"CMN-101", "dateFrom"},
		log + "view=detailed":                                             {"CMN-101", "view"},
		log + "type=SMS":                                                  {"CMN-101", "type"},
		log + "direction=Sideways":                                        {"CMN-101", "direction"},
		log + "perPage=0":                                                 {"CMN-101", "perPage"},
		log + "perPage=many":                                              {"CMN-101", "perPage"},
		log + "page=0":                                                    {"CMN-101", "page"},
		log + "page=1&page=2":                                             {"CMN-101", "page"},
		log + "view=%zz":                                                  {"CMN-104", ""},
		company + "active-calls?view=All":                                 {"CMN-101", "view"},
		company + "active-calls?type=Video":                               {"CMN-101", "type"},
		company + "active-calls?page=-1":                                  {"CMN-101", "page"},
		syncs + "syncType=Fast":                                           {"CMN-101", "syncType"},
		syncs + "syncType=ISync":                                          {"CMN-101", "syncToken"},
		syncs + "recordCount=1001":                                        {"CMN-101", "recordCount"},
		syncs + "recordCount=0":                                           {"CMN-101", "recordCount"},
		syncs + "dateFrom=now":                                            {"CMN-101", "dateFrom"},
		syncs + "view=Both":                                               {"CMN-101", "view"},
		company + "call-log/abc?view=Both":                                {"CMN-101", "view"},
	} {
		response, body := c.get(uri)
		var p problem
		if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != http.StatusBadRequest || len(p.Errors) != 1 ||
			p.Errors[0].Code != want.code || p.Errors[0].Parameter != want.parameter {
			t.Errorf("%s: %d %s", uri, response.StatusCode, body)
		}
	}
	if rows := server.Requests().Rows(EndpointCallLog); rows != 0 {
		t.Errorf("%d rows were given", rows)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	_, c := start(t, Settings{Account: world(t, Mix(), 100, nil)})
	for uri, code := range map[string]string{
		"/restapi/v1.0/account/1/call-log":                "CMN-102",
		company + "extension/1/call-log":                  "CMN-102",
		company + "call-log/abc":                          "CMN-102",
		company + "call-log/AAAAAAAAAAAzUA":               "CMN-102",
		company + "recording/123":                         "CMN-102",
		company + "recording/abc":                         "CMN-102",
		extension + "call-log-extract-sync":               "CMN-120",
		extension + "recording/123":                       "CMN-120",
		company + "call-log-sync":                         "CMN-120",
		"/restapi/v1.0/account/~":                         "CMN-120",
		"/restapi/v2/accounts/~":                          "CMN-120",
		"/restapi/v1.0/account/~/extension/~/call-log/a/": "CMN-120",
	} {
		if response, body := c.get(uri); response.StatusCode != http.StatusNotFound || codeOf(body) != code {
			t.Errorf("%s: %d %s", uri, response.StatusCode, body)
		}
	}
	for _, uri := range []string{"/restapi/v1.0/account/400643090008/call-log", extension + "call-log", company + "extension/62264425016/active-calls"} {
		if response, body := c.get(uri); response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", uri, response.StatusCode, body)
		}
	}
}

// TestNewRowsShiftPages: the last row of a page is the first of the next (offset
// paging on a busy line).
func TestNewRowsShiftPages(t *testing.T) {
	live, err := simulator.NewWorld(Live(3, Mix(), begin, 2))
	if err != nil {
		t.Fatal(err)
	}
	server, c := start(t, Settings{Account: live, Clock: simulator.NewManualClock(begin.Add(2 * time.Hour))})
	e := c.page(log + "view=Detailed&" + day)
	server.Advance(20 * time.Second)
	again := idsOf(c.page(e.next()).Records)
	shifted := 0
	for id := range idsOf(e.Records) {
		shifted += again[id]
	}
	if shifted == 0 || shifted > 60 {
		t.Errorf("%d rows were on both pages", shifted)
	}
}
