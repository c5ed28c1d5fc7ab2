package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRecordRequestsAreChecked: what the documentation doesn't promise is refused, each
// with its error.
func TestRecordRequestsAreChecked(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 200, nil)})
	server, c, _ := startRecords(t, r, at, nil)
	id := r.newestRecords(at, 1)[0].String()
	var page struct {
		Next string `json:"@odata.nextLink"`
	}
	c.decode(server.GraphURL()+recordsURI, &page)
	next := strings.TrimPrefix(page.Next, server.GraphURL())
	const filter = recordsURI + "?$filter="
	for name, test := range map[string]struct {
		method, uri string
		status      int
		code        string
	}{
		"the list":                       {"GET", recordsURI, 200, ""},
		"escaped option":                 {"GET", recordsURI + "?%24filter=startDateTime%20ge%202026-03-02T00:00:00Z", 200, ""},
		"an offset":                      {"GET", filter + "startDateTime%20ge%202026-03-02T00:00:00%2B02:00", 200, ""},
		"a record":                       {"GET", recordsURI + "/" + id, 200, ""},
		"a record with sessions":         {"GET", recordsURI + "/" + id + "?$expand=sessions", 200, ""},
		"its sessions":                   {"GET", recordsURI + "/" + id + "/sessions", 200, ""},
		"its participants":               {"GET", recordsURI + "/" + id + "/participants_v2", 200, ""},
		"a link":                         {"GET", next, 200, ""},
		"posted":                         {"POST", recordsURI, 405, "Request_BadRequest"},
		"a record posted":                {"POST", recordsURI + "/" + id, 405, "Request_BadRequest"},
		"a link posted":                  {"POST", next, 400, "BadRequest"},
		"another property":               {"GET", filter + "endDateTime%20ge%202026-03-02T00:00:00Z", 400, "BadRequest"},
		"last modified":                  {"GET", filter + "lastModifiedDateTime%20ge%202026-03-02T00:00:00Z", 400, "BadRequest"},
		"equals":                         {"GET", filter + "startDateTime%20eq%202026-03-02T00:00:00Z", 400, "BadRequest"},
		"joined by or":                   {"GET", filter + "startDateTime%20ge%202026-03-02T00:00:00Z%20or%20startDateTime%20lt%202026-03-02T00:00:00Z", 400, "BadRequest"},
		"a quoted time":                  {"GET", filter + "startDateTime%20ge%20'2026-03-02T00:00:00Z'", 400, "BadRequest"},
		"a date":                         {"GET", filter + "startDateTime%20ge%202026-03-02", 400, "BadRequest"},
		"spaces as plus":                 {"GET", filter + "startDateTime+ge+2026-03-02T00:00:00Z", 400, "BadRequest"},
		"an empty filter":                {"GET", filter, 400, "BadRequest"},
		"two filters":                    {"GET", recordsURI + "?$filter=startDateTime%20ge%202026-03-02T00:00:00Z&$filter=startDateTime%20lt%202026-03-03T00:00:00Z", 400, "BadRequest"},
		"expansion of the list":          {"GET", recordsURI + "?$expand=sessions", 400, "BadRequest"},
		"top":                            {"GET", recordsURI + "?$top=5", 400, "BadRequest"},
		"a lost dollar":                  {"GET", recordsURI + "/" + id + "?=sessions(=segments)", 400, "BadRequest"},
		"expansion of something else":    {"GET", recordsURI + "/" + id + "?$expand=organizer_v2", 400, "BadRequest"},
		"expansion of participants":      {"GET", recordsURI + "/" + id + "/participants_v2?$expand=segments", 400, "BadRequest"},
		"filtered record":                {"GET", recordsURI + "/" + id + "?$filter=startDateTime%20ge%202026-03-02T00:00:00Z", 400, "BadRequest"},
		"no GUID":                        {"GET", recordsURI + "/not-a-guid", 400, "BadRequest"},
		"no id":                          {"GET", recordsURI + "/", 400, "BadRequest"},
		"a GUID with another letter":     {"GET", recordsURI + "/" + id[:35] + "g", 400, "BadRequest"},
		"a record that isn't there":      {"GET", recordsURI + "/00000000-0000-4000-8000-000000000000", 404, "NotFound"},
		"sessions that aren't":           {"GET", recordsURI + "/00000000-0000-4000-8000-000000000000/sessions", 404, "NotFound"},
		"something else of it":           {"GET", recordsURI + "/" + id + "/segments", 400, "BadRequest"},
		"a link that was made by hand":   {"GET", recordsURI + "?$skiptoken=60", 400, "BadRequest"},
		"a link that was changed":        {"GET", next[:len(next)-2] + "AA", 400, "BadRequest"},
		"a link of another path":         {"GET", strings.Replace(next, "?", "('"+id+"')/sessions?", 1), 400, "BadRequest"},
		"a record in parentheses":        {"GET", recordsURI + "('" + id + "')", 400, "BadRequest"},
		"sessions beyond the first page": {"GET", recordsURI + "/" + id + "/sessions?$skip=60", 400, "BadRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := c.send(test.method, server.GraphURL()+test.uri, func(r *http.Request) { r.Header.Set("client-request-id", "mine") })
			var answer struct {
				Error struct {
					Code  string
					Inner struct {
						Client string `json:"client-request-id"`
					} `json:"innerError"`
				}
			}
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Fatalf("%d %s", response.StatusCode, body)
			}
			if response.StatusCode != test.status || answer.Error.Code != test.code || test.status != 200 && answer.Error.Inner.Client != "mine" {
				t.Errorf("%d %s, want %d", response.StatusCode, body, test.status)
			}
		})
	}
	if response, _ := c.send(http.MethodGet, server.GraphURL()+recordsURI, func(r *http.Request) { r.Header.Set("Prefer", "odata.maxpagesize=many") }); response.StatusCode != http.StatusBadRequest {
		t.Errorf("a size that is no number: %d", response.StatusCode)
	}
}

// TestRecordsWantAToken: with the role, for this Graph.
func TestRecordsWantAToken(t *testing.T) {
	server, c, _ := startRecords(t, newRecords(t, CallRecordSettings{Calls: recordWorld(t, 20, nil)}), begin.Add(72*time.Hour), nil)
	for _, uri := range []string{recordsURI, recordsURI + "/00000000-0000-4000-8000-000000000000", subscriptionsPath} {
		response, body := c.send(http.MethodGet, server.GraphURL()+uri, func(r *http.Request) { r.Header.Del("Authorization") })
		if response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a token: %d %s", uri, response.StatusCode, body)
		}
	}
	server.SetRoles("User.Read.All")
	token := server.issue(server.GraphURL(), time.Hour)
	response, body := c.send(http.MethodGet, server.GraphURL()+recordsURI, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	if response.StatusCode != http.StatusForbidden || !strings.Contains(string(body), `"message":""`) {
		t.Errorf("without the role: %d %s", response.StatusCode, body)
	}
}

func TestTenantWithoutRecordsHasAnEmptyList(t *testing.T) {
	server, c, _ := startRecords(t, nil, begin, nil)
	if all, sizes := follow[servedRecord](c, server.GraphURL()+recordsURI); len(all) != 0 || len(sizes) != 1 {
		t.Errorf("%d records on %d pages", len(all), len(sizes))
	}
	if response, _ := c.get(recordsURI + "/00000000-0000-4000-8000-000000000000"); response.StatusCode != http.StatusNotFound {
		t.Errorf("a record: %d", response.StatusCode)
	}
}

// TestLimitsOfOneRecord: ten requests in 20 seconds for the first page, fifty in five
// minutes for further ones, for each record by itself.
func TestLimitsOfOneRecord(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 4, only(crowd))})
	server, c, clock := startRecords(t, r, at, func(s *Settings) { s.FirstPages, s.NextPages, s.SessionPage = 0, 0, 1 })
	ids := r.newestRecords(at, 2)
	address := server.GraphURL() + recordsURI + "/" + ids[0].String()
	for n := range 10 {
		if response, _ := c.send(http.MethodGet, address, nil); response.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %d", n, response.StatusCode)
		}
		clock.Advance(time.Second)
	}
	response, body := c.send(http.MethodGet, address+"/participants_v2", nil)
	if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "10" || !strings.Contains(string(body), "TooManyRequests") {
		t.Errorf("%d, Retry-After %s, %s", response.StatusCode, response.Header.Get("Retry-After"), body)
	}
	c.decode(server.GraphURL()+recordsURI+"/"+ids[1].String(), &servedRecord{})
	clock.Advance(10 * time.Second)
	var first servedRecord
	c.decode(address+"?$expand=sessions", &first)
	link := first.MoreSessions
	for n := range 50 {
		var page struct {
			Next string `json:"@odata.nextLink"`
		}
		c.decode(link, &page)
		if link = page.Next; link == "" {
			t.Fatalf("only %d pages", n)
		}
	}
	if response, _ := c.send(http.MethodGet, link, nil); response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "300" {
		t.Errorf("page 51: %d, Retry-After %s", response.StatusCode, response.Header.Get("Retry-After"))
	}
	clock.Advance(5 * time.Minute)
	if response, _ := c.send(http.MethodGet, link, nil); response.StatusCode != http.StatusOK || server.RecordsRefused() != 2 {
		t.Errorf("five minutes later: %d; %d were refused", response.StatusCode, server.RecordsRefused())
	}
}

func TestRecordLinksExpire(t *testing.T) {
	server, c, clock := startRecords(t, newRecords(t, CallRecordSettings{Calls: recordWorld(t, 100, nil)}), begin.Add(72*time.Hour), func(s *Settings) { s.LinkLifetime = time.Minute })
	var page struct {
		Next string `json:"@odata.nextLink"`
	}
	c.decode(server.GraphURL()+recordsURI, &page)
	clock.Advance(time.Minute)
	if response, _ := c.send(http.MethodGet, page.Next, nil); response.StatusCode != http.StatusOK {
		t.Errorf("a new link: %d", response.StatusCode)
	}
	clock.Advance(time.Second)
	if response, _ := c.send(http.MethodGet, page.Next, nil); response.StatusCode != http.StatusGone {
		t.Errorf("an old link: %d", response.StatusCode)
	}
}

func TestWrongCallRecordSettings(t *testing.T) {
	calls := recordWorld(t, 10, nil)
	for name, s := range map[string]CallRecordSettings{
		"no world":             {},
		"the same world twice": {Calls: calls, Routed: calls},
		"another mix":          {Calls: world(t, PSTNMix(), 10, nil)},
		"a share over one":     {Calls: calls, RoutedShare: 1.5},
		"no gap":               {Calls: calls, Versions: Versions{Final: time.Hour}},
		"a gap from the end":   {Calls: calls, Versions: Versions{GapMin: time.Hour, GapMax: time.Minute, Final: time.Hour}},
	} {
		if _, err := NewCallRecords(s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := HistoricalCallRecords(1, begin, begin, 10); err == nil {
		t.Error("a world without a span: no error")
	}
	if _, err := LiveCallRecords(1, begin, 0); err == nil {
		t.Error("a world without calls: no error")
	}
	if r, err := LiveCallRecords(1, begin, 0.3); err != nil || r.versions.Final != 3*time.Minute {
		t.Errorf("live records: %v", err)
	}
	if r, err := HistoricalCallRecords(1, begin, begin.Add(time.Hour), 10); err != nil || r.Totals(begin.Add(72*time.Hour), 0).Records != 10 {
		t.Errorf("historical records: %v", err)
	}
}

func FuzzParseAsked(f *testing.F) {
	for _, seed := range []string{
		recordsURI, recordsURI + "?$filter=startDateTime%20ge%202026-03-02T00:00:00Z%20and%20startDateTime%20lt%202026-03-03T00:00:00Z",
		recordsURI + "/00000000-0000-4000-8000-000000000000?$expand=sessions($expand=segments),participants_v2", recordsURI + "//sessions?%24=%",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		path, options, _ := strings.Cut(uri, "?")
		a, err := parseAsked(path, options)
		if err == nil && a.endpoint == EndpointOther {
			t.Errorf("%q is nothing and no error", uri)
		}
		if err == nil && a.What != restRecords {
			if _, ok := parseUUID(a.ID); !ok {
				t.Errorf("%q has the id %q", uri, a.ID)
			}
		}
	})
}

func FuzzFollow(f *testing.F) {
	server, _, _ := startRecords(f, nil, begin, nil)
	f.Add(server.restLink(rest{What: restRecords, In: &span{}}, false))
	f.Add(recordsURI + "?$skiptoken=e30.AA")
	f.Fuzz(func(t *testing.T, uri string) {
		if !strings.Contains(uri, skipToken) {
			return
		}
		if to, ok := server.follow(uri); ok && server.sealed(to.path(), to) != uri {
			t.Errorf("%q leads to %+v", uri, to)
		}
	})
}

func BenchmarkRecords(b *testing.B) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(b, CallRecordSettings{Calls: recordWorld(b, 5000, nil)})
	ids := r.newestRecords(at, 1000)
	var p plan
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for n := range b.N {
			if !r.find(ids[n%len(ids)], at, &p) {
				b.Fatal("not found")
			}
			w := recordWriter{sizes: recordSizes{60, 20, 130}, next: func(rest) string { return "" }}
			w.record(&p, p.count-1, expansion{sessions: true, segments: true})
			b.SetBytes(int64(len(w.bytes())))
		}
	})
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if page, _ := r.list(span{begin.UnixMilli(), at.UnixMilli()}, nil, at, 60); len(page) != 60 {
				b.Fatal(len(page))
			}
		}
	})
	b.Run("schedule", func(b *testing.B) {
		s := schedule{records: r}
		for range b.N {
			s.seek(begin)
			told := 0
			if s.take(at, func(*event) { told++ }); told < 5000 {
				b.Fatal(told)
			}
		}
	})
	b.Run("totals", func(b *testing.B) {
		for range b.N {
			if n := r.Totals(at, 0).Records; n != 5000 {
				b.Fatal(n)
			}
		}
	})
}
