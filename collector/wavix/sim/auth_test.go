package sim

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestWhoIsLetIn(t *testing.T) {
	const wrong = `{"success":false,"error":true,"message":"Unauthorized"}`
	for _, test := range []struct {
		name       string
		generation Generation
		key        string
		query      bool
		refusal    Refusal
		calls      bool
		status     int
		body       string
	}{
		{"bearer", GenerationC, "simulated-api-key", false, NotRefused, false, 200, ""},
		{"bearer in B", GenerationB, "simulated-api-key", false, NotRefused, false, 200, ""},
		{"appid in A", GenerationA, "simulated-api-key", true, NotRefused, false, 200, ""},
		{"bearer in A", GenerationA, "simulated-api-key", false, NotRefused, false, 401, wrong},
		{"appid in B", GenerationB, "simulated-api-key", true, NotRefused, false, 401, wrong},
		{"appid in C", GenerationC, "simulated-api-key", true, NotRefused, false, 401, wrong},
		{"wrong", GenerationC, "another", false, NotRefused, false, 401, wrong},
		{"wrong for calls in B", GenerationB, "another", false, NotRefused, true, 401, `{"success":false,"error":true,"message":"Access Denied"}`},
		{"wrong for calls in C", GenerationC, "another", false, NotRefused, true, 401, wrong},
		{"none", GenerationC, "", false, NotRefused, false, 401, wrong},
		{"disabled", GenerationB, "simulated-api-key", false, FeatureDisabled, true, 403, `{"success":false,"message":"Request failed. The feature is disabled for your account."}`},
		{"no scope", GenerationC, "simulated-api-key", false, MissingScope, false, 403, `{"success":false,"message":"Forbidden"}`},
		{"wrong and disabled", GenerationC, "another", false, FeatureDisabled, false, 401, wrong},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, c := start(t, Settings{Account: account(t, 10, nil), Generation: test.generation})
			server.Refuse("", test.refusal)
			c.key, c.query = test.key, test.query
			path, _, _, calls := paths(test.generation)
			if test.calls {
				path = calls
			}
			response, body := c.get(path, options(Placed))
			if response.StatusCode != test.status || test.body != "" && string(body) != test.body {
				t.Errorf("%d %s", response.StatusCode, body)
			}
		})
	}
}

// TestRefuseOneEndpoint: calls may be disabled while records aren't.
func TestRefuseOneEndpoint(t *testing.T) {
	server, c := start(t, Settings{Account: account(t, 10, nil)})
	server.Refuse(EndpointCalls, FeatureDisabled)
	if response, _ := c.get("/v1/calls", nil); response.StatusCode != http.StatusForbidden {
		t.Errorf("calls: %d", response.StatusCode)
	}
	c.page(options(Placed))
	server.Refuse(EndpointCalls, NotRefused)
	if response, _ := c.get("/v1/calls", nil); response.StatusCode != http.StatusOK {
		t.Errorf("calls: %d", response.StatusCode)
	}
}

// TestParameters: what is missing or wrong is named, with the status of the generation.
func TestParameters(t *testing.T) {
	account := account(t, 10, nil)
	for g, status := range map[Generation]int{GenerationA: 422, GenerationB: 422, GenerationC: 400} {
		_, c := start(t, Settings{Account: account, Generation: g})
		list, export, _, _ := paths(g)
		for _, test := range []struct {
			name  string
			o     url.Values
			wrong string
		}{
			{"no from", url.Values{"to": {theDay}, "type": {Placed}}, "from"},
			{"no to", url.Values{"from": {theDay}, "type": {Placed}}, "to"},
			{"no type", url.Values{"from": {theDay}, "to": {theDay}}, "type"},
			{"both types", options("placed,received"), "type"},
			{"dots", options(Placed, "from", "2026.03.02"), "from"},
			{"a time", options(Placed, "to", "2026-03-02T00:00:00.000Z"), "to"},
			{"no such day", options(Placed, "to", "2026-02-30"), "to"},
			{"reversed", options(Placed, "to", "2026-03-01"), "to"},
			{"disposition", options(Placed, "disposition", "missed"), "disposition"},
			{"page 0", options(Placed, "page", "0"), "page"},
			{"page", options(Placed, "page", "last"), "page"},
			{"per_page 0", options(Placed, "per_page", "0"), "per_page"},
			{"per_page", options(Placed, "per_page", "-1"), "per_page"},
			{"per_page beyond int32", options(Placed, "per_page", "2147483648"), "per_page"},
		} {
			t.Run(test.name, func(t *testing.T) {
				for _, path := range []string{list, export} {
					response, body := c.get(path, test.o)
					if want := `{"success":false,"message":"Missing or invalid parameter ` + test.wrong + `"}`; response.StatusCode != status || string(body) != want {
						t.Errorf("%s: %d %s", path, response.StatusCode, body)
					}
				}
			})
		}
	}
}

// TestPaths: which there are depends on the generation.
func TestPaths(t *testing.T) {
	account := account(t, 10, nil)
	all := []string{"/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/cdrs", "/v1/cdrs/all", "/v1/call", "/v1/calls"}
	for _, test := range []struct {
		generation Generation
		keep       bool
		want       []string
	}{
		{GenerationA, false, []string{"/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/call"}},
		{GenerationB, false, []string{"/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/calls"}},
		{GenerationC, false, []string{"/v1/cdrs", "/v1/cdrs/all", "/v1/calls"}},
		{GenerationC, true, []string{"/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/cdrs", "/v1/cdrs/all", "/v1/calls"}},
		{GenerationD, false, []string{"/v1/cdrs", "/v1/cdrs/all", "/v1/calls"}},
	} {
		_, c := start(t, Settings{Account: account, Generation: test.generation, KeepOldPaths: test.keep})
		for _, path := range all {
			response, body := c.get(path, options(Placed))
			want := http.StatusNotFound
			if slices.Contains(test.want, path) {
				want = http.StatusOK
			}
			if response.StatusCode != want {
				t.Errorf("generation %d: %s: %d", test.generation, path, response.StatusCode)
			}
			if want == http.StatusNotFound && string(body) != `{"success":false,"message":"Not Found"}` {
				t.Errorf("%s", body)
			}
		}
		for _, path := range []string{"/", "/v1/calls/", "/v1/cdr/metrics", "/v2/cdrs"} {
			if response, _ := c.get(path, nil); response.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d", path, response.StatusCode)
			}
		}
		response, _, err := c.try(http.MethodPost, test.want[0], options(Placed), "")
		if err != nil || response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST: %v", err)
		}
	}
}

// TestRateLimit: more than so many in a minute are told when to come back.
func TestRateLimit(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(48 * time.Hour))
	server, c := start(t, Settings{Account: account(t, 10, nil), RequestsPerMinute: 3, Clock: clock})
	status := func() (int, string) {
		response, body := c.get("/v1/cdrs", options(Placed))
		if response.StatusCode == http.StatusTooManyRequests && string(body) != `{"success":false,"message":"Too many requests"}` {
			t.Errorf("%s", body)
		}
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	for range 3 {
		if code, _ := status(); code != http.StatusOK {
			t.Fatalf("too early: %d", code)
		}
		server.Advance(10 * time.Second)
	}
	for range 2 {
		if code, after := status(); code != http.StatusTooManyRequests || after != "30" {
			t.Errorf("%d, come back after %s", code, after)
		}
	}
	server.Advance(30 * time.Second)
	if code, _ := status(); code != http.StatusOK {
		t.Errorf("half a minute later: %d", code)
	}
	if counts := server.Requests().Count(EndpointList); counts[429] != 2 || counts[200] != 4 {
		t.Errorf("recorded %v", counts)
	}
}
