package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestRequestsAreChecked(t *testing.T) {
	server, c := start(t, Settings{PSTN: world(t, PSTNMix(), 50, nil), PageSize: 20})
	const good = functions + "getPstnCalls" + day
	for _, test := range []struct {
		name, uri string
		status    int
		code      string
	}{
		{"good", good, 200, ""},
		{"with the namespace", functions + "microsoft.graph.callRecords.getPstnCalls" + day, 200, ""},
		{"a day", functions + "getPstnCalls(fromDateTime=2026-03-02,toDateTime=2026-03-03)", 200, ""},
		{"other way round", functions + "getPstnCalls(toDateTime=2026-03-03,fromDateTime=2026-03-02)", 200, ""},
		{"escaped offset", functions + "getPstnCalls(fromDateTime=2026-03-02T00:00:00%2B02:00,toDateTime=2026-03-03)", 200, ""},
		{"90 days", functions + "getPstnCalls(fromDateTime=2026-01-01,toDateTime=2026-04-01)", 200, ""},
		{"91 days", functions + "getPstnCalls(fromDateTime=2026-01-01,toDateTime=2026-04-02)", 406, ""},
		{"plain plus", functions + "getPstnCalls(fromDateTime=2026-03-02T00:00:00+02:00,toDateTime=2026-03-03)", 400, "BadRequest"},
		{"quotes", functions + "getPstnCalls(fromDateTime='2026-03-02',toDateTime='2026-03-03')", 400, "BadRequest"},
		{"empty", functions + "getPstnCalls(fromDateTime=,toDateTime=)", 400, "BadRequest"},
		{"no parameters", functions + "getPstnCalls()", 400, "BadRequest"},
		{"one parameter", functions + "getPstnCalls(fromDateTime=2026-03-02)", 400, "BadRequest"},
		{"twice", functions + "getPstnCalls(fromDateTime=2026-03-02,fromDateTime=2026-03-02)", 400, "BadRequest"},
		{"the link's names", functions + "getPstnCalls(from=2026-03-02,to=2026-03-03)", 400, "BadRequest"},
		{"reversed", functions + "getPstnCalls(fromDateTime=2026-03-03,toDateTime=2026-03-02)", 400, "BadRequest"},
		{"not a time", functions + "getPstnCalls(fromDateTime=yesterday,toDateTime=2026-03-02)", 400, "BadRequest"},
		{"escaped parentheses", functions + "getPstnCalls%28fromDateTime=2026-03-02,toDateTime=2026-03-03%29", 400, "BadRequest"},
		{"escaped comma", functions + "getPstnCalls(fromDateTime=2026-03-02%2CtoDateTime=2026-03-03)", 400, "BadRequest"},
		{"top", good + "?$top=10", 400, "BadRequest"},
		{"a question mark alone", good + "?", 400, "BadRequest"},
		{"a link of one's own", good + "?$skip=20", 400, "BadRequest"},
		{"beta", strings.Replace(good, "v1.0", "beta", 1), 400, "BadRequest"},
		{"elsewhere", "/v1.0/users", 400, "BadRequest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body := c.get(test.uri)
			var answer struct {
				Error struct{ Code string }
			}
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || answer.Error.Code != test.code {
				t.Errorf("status %d, code %q; want %d, %q", response.StatusCode, answer.Error.Code, test.status, test.code)
			}
		})
	}
	if response, _ := c.send(http.MethodPost, server.GraphURL()+good, nil); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", response.StatusCode)
	}
}

func TestErrorsEchoTheClient(t *testing.T) {
	server, c := start(t, Settings{})
	_, body := c.send(http.MethodGet, server.GraphURL()+functions+"getPstnCalls()", func(r *http.Request) {
		r.Header.Set("client-request-id", "mine")
	})
	if !strings.Contains(string(body), `"client-request-id":"mine"`) || !strings.Contains(string(body), "expression expected at position 13") {
		t.Errorf("%s", body)
	}
}

func TestTokensAreChecked(t *testing.T) {
	server, c := start(t, Settings{TokenLifetime: time.Hour})
	ask := func(authorization string) (status int, code string) {
		response, body := c.send(http.MethodGet, server.GraphURL()+functions+"getPstnCalls"+day, func(r *http.Request) {
			r.Header.Set("Authorization", authorization)
			if authorization == "" {
				r.Header.Del("Authorization")
			}
		})
		var answer struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
		if response.StatusCode == http.StatusForbidden && answer.Error.Message != "" {
			t.Errorf("403 with the message %q", answer.Error.Message)
		}
		if response.StatusCode == http.StatusUnauthorized && response.Header.Get("WWW-Authenticate") == "" {
			t.Error("401 without WWW-Authenticate")
		}
		return response.StatusCode, answer.Error.Code
	}
	want := func(what, authorization string, wantStatus int, wantCode string) {
		t.Helper()
		if status, code := ask(authorization); status != wantStatus || code != wantCode {
			t.Errorf("%s: %d %q, want %d %q", what, status, code, wantStatus, wantCode)
		}
	}
	const invalid = "InvalidAuthenticationToken"
	own, official := server.GraphURL(), "https://graph.microsoft.com"
	want("none", "", 401, invalid)
	want("basic", "Basic eDp5", 401, invalid)
	want("made up", "Bearer a.b", 401, invalid)
	want("good", "Bearer "+server.issue(own, time.Hour), 200, "")
	want("for the cloud's Graph", "Bearer "+server.issue(official, time.Hour), 200, "")
	want("for another Graph", "Bearer "+server.issue("https://graph.microsoft.us", time.Hour), 401, invalid)
	want("expired", "Bearer "+server.issue(own, -time.Second), 401, invalid)
	old := server.issue(own, time.Hour)
	server.SetRoles("User.Read.All")
	want("without the role", "Bearer "+server.issue(own, time.Hour), 403, "Forbidden")
	want("from before the roles", "Bearer "+old, 200, "")
	server.SetRoles(Role)
	server.ExpireTokens()
	want("revoked", "Bearer "+old, 401, invalid)
	want("new", "Bearer "+server.issue(own, time.Hour), 200, "")
}

func TestLinksExpire(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(99 * time.Hour))
	_, c := start(t, Settings{PSTN: world(t, PSTNMix(), 50, nil), PageSize: 20, LinkLifetime: time.Minute, Clock: clock})
	_, body := c.get(functions + "getPstnCalls" + day)
	var first envelope
	if err := json.Unmarshal(body, &first); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if response, _ := c.send(http.MethodGet, first.Next, nil); response.StatusCode != http.StatusOK {
			t.Fatalf("a new link: %d", response.StatusCode)
		}
	}
	clock.Advance(61 * time.Second)
	if response, _ := c.send(http.MethodGet, first.Next, nil); response.StatusCode != http.StatusGone {
		t.Errorf("an old link: %d, want 410", response.StatusCode)
	}
}
