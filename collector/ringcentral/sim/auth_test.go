package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestLogin(t *testing.T) {
	server, c := start(t, Settings{Account: world(t, Mix(), 10, nil)})
	r, body := c.login(nil)
	if r.StatusCode != http.StatusOK || body["token_type"] != "bearer" || body["expires_in"] != 3600.0 || body["owner_id"] != "62264425016" ||
		body["scope"] != "ReadCallLog ReadCallRecording ReadAccounts" || body["endpoint_id"] == "" {
		t.Fatalf("%d %v", r.StatusCode, body)
	}
	c.token, _ = body["access_token"].(string)
	if e := c.page(log + day); len(e.Records) == 0 {
		t.Error("the token opens nothing")
	}
	if n := server.Requests().Count(EndpointToken)[200]; n != 1 {
		t.Errorf("%d tokens were recorded", n)
	}
}

func TestLoginErrors(t *testing.T) {
	type attempt struct {
		name    string
		control func(*Server)
		form    func(url.Values)
		request func(*http.Request)
		status  int
		kind    string
		code    string
	}
	server, c := start(t, Settings{})
	expired, eternal := server.MintJWTFor(userID, 0), server.MintJWTFor(userID, -1)
	assertion := func(jwt string) func(url.Values) { return func(f url.Values) { f.Set("assertion", jwt) } }
	for _, a := range []attempt{
		{name: "no client", request: func(r *http.Request) { r.Header.Del("Authorization") }, status: 400, kind: "invalid_client", code: "OAU-123"},
		{name: "other client", request: func(r *http.Request) { r.SetBasicAuth("x", "y") }, status: 400, kind: "invalid_client", code: "OAU-153"},
		{name: "other secret", request: func(r *http.Request) { r.SetBasicAuth(server.ClientID(), "y") }, status: 401, kind: "invalid_client", code: "OAU-146"},
		{name: "no form", request: func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, status: 400, kind: "invalid_request", code: "OAU-113"},
		{name: "other grant", form: func(f url.Values) { f.Set("grant_type", "password") }, status: 403, kind: "unauthorized_client", code: "OAU-112"},
		{name: "grant not allowed", control: func(s *Server) { s.AllowGrant(false) }, status: 403, kind: "unauthorized_client", code: "OAU-112"},
		{name: "locked", control: func(s *Server) { s.LockAccount(true) }, status: 400, kind: "invalid_grant", code: "OAU-147"},
		{name: "no JWT", form: assertion(""), status: 400, kind: "invalid_grant", code: "OAU-140"},
		{name: "no JWT at all", form: assertion("a.b.c"), status: 400, kind: "invalid_grant", code: "OAU-140"},
		{name: "forged JWT", form: assertion(server.JWT() + "A"), status: 400, kind: "invalid_grant", code: "OAU-140"},
		{name: "expired JWT", form: assertion(expired), status: 400, kind: "invalid_grant", code: "OAU-140"},
		{name: "JWT without end", form: assertion(eternal), status: 200},
		{name: "right", status: 200},
	} {
		t.Run(a.name, func(t *testing.T) {
			if a.control != nil {
				a.control(server)
			}
			form := url.Values{"grant_type": {jwtGrant}, "assertion": {server.JWT()}}
			if a.form != nil {
				a.form(form)
			}
			r, body := c.post("/restapi/oauth/token", form, a.request)
			server.AllowGrant(true)
			server.LockAccount(false)
			var e problem
			if raw, err := json.Marshal(body); err != nil || json.Unmarshal(raw, &e) != nil || r.StatusCode != a.status || e.OAuth != a.kind {
				t.Fatalf("%d %v", r.StatusCode, body)
			}
			if a.status != http.StatusOK && (len(e.Errors) != 1 || e.Errors[0].Code != a.code || e.Description == "") {
				t.Errorf("%v", body)
			}
		})
	}
}

func TestCredentialsChange(t *testing.T) {
	server, c := start(t, Settings{})
	old := server.JWT()
	server.RevokeJWT()
	if r, _ := c.login(func(f url.Values) { f.Set("assertion", old) }); r.StatusCode != http.StatusBadRequest || server.JWT() == old {
		t.Errorf("a revoked JWT: %d", r.StatusCode)
	}
	server.SetSecret("another")
	if r, _ := c.login(nil); r.StatusCode != http.StatusOK || server.ClientSecret() != "another" {
		t.Errorf("new JWT and secret: %d", r.StatusCode)
	}
}

// opens says what a token opens.
func (c *client) opens(token string) (int, string) {
	c.t.Helper()
	c.token = token
	response, body := c.get(log + day)
	return response.StatusCode, codeOf(body)
}

func TestTokensEnd(t *testing.T) {
	wall := simulator.NewManualClock(begin)
	server, c := start(t, Settings{Account: world(t, Mix(), 10, nil)})
	server.wall = wall
	check := func(name, token string, status int, code string) {
		t.Helper()
		if s, got := c.opens(token); s != status || got != code {
			t.Errorf("%s: %d %s", name, s, got)
		}
	}
	check("nonsense", "nonsense", 401, "OAU-149")
	check("unknown", "U0pDunknown", 401, "OAU-213")
	if r, body := c.send(http.MethodGet, server.BaseURL()+log, func(r *http.Request) { r.Header.Del("Authorization") }); r.StatusCode != http.StatusUnauthorized || codeOf(body) != "OAU-151" {
		t.Errorf("no token: %d %s", r.StatusCode, body)
	}
	token := server.openSession(time.Hour)
	check("good", token, 200, "")
	wall.Advance(time.Hour)
	check("an hour later", token, 401, "OAU-128")
	token = server.openSession(time.Hour)
	server.ExpireTokens()
	check("expired", token, 401, "OAU-128")
	token = server.openSession(time.Hour)
	server.KillSessions()
	check("killed", token, 401, "OAU-213")
}

func TestFiveSessions(t *testing.T) {
	server, c := start(t, Settings{Account: world(t, Mix(), 10, nil)})
	server.KillSessions()
	var tokens []string
	for range 6 {
		_, body := c.login(nil)
		token, _ := body["access_token"].(string)
		tokens = append(tokens, token)
	}
	for i, token := range tokens {
		status, code := c.opens(token)
		if want := i > 0; (status == http.StatusOK) != want || !want && code != "OAU-213" {
			t.Errorf("session %d of six: %d %s", i, status, code)
		}
	}
	if server.Sessions() != 5 {
		t.Errorf("%d sessions", server.Sessions())
	}
}

// TestInsufficientPermissions has both shapes of the error, and both names.
func TestInsufficientPermissions(t *testing.T) {
	for _, test := range []struct {
		name                string
		settings            Settings
		uri                 string
		code, permission    string
		message             string
		scopes, permissions []string
	}{
		{
			name: "the user's", uri: log, code: "CMN-408", permission: "FullCompanyCallLog", permissions: []string{ReadCallLog},
			message: "[FullCompanyCallLog] permission required",
		},
		{
			name: "the user's, once", uri: log, code: "CMN-408", permission: "ReadCompanyCallLog", permissions: []string{ReadCallLog},
			settings: Settings{OldNames: true}, message: "[ReadCompanyCallLog] permission required",
		},
		{
			name: "the user's own", uri: extension + "call-log", code: "CMN-408", permission: "ReadCallLog", permissions: []string{},
			message: "[ReadCallLog] permission required",
		},
		{
			name: "active calls", uri: company + "active-calls", code: "CMN-408", permission: "FullCompanyCallLog", permissions: []string{ReadCallLog},
			message: "[FullCompanyCallLog] permission required",
		},
		{
			name: "the app's", uri: log, code: "CMN-401", permission: "ReadCallLog", scopes: []string{"ReadAccounts"},
			message: "In order to call this API endpoint, application needs to have [ReadCallLog] permission",
		},
		{
			name: "the app's for recordings", uri: company + "recording/1", code: "CMN-401", permission: "ReadCallRecording", scopes: []string{ReadCallLog},
			message: "In order to call this API endpoint, application needs to have [ReadCallRecording] permission",
		},
		{
			name: "bare", uri: log, code: "CMN-408", permission: "FullCompanyCallLog", permissions: []string{ReadCallLog},
			settings: Settings{BareErrors: true}, message: "[FullCompanyCallLog] permission required",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.settings.Account = world(t, Mix(), 10, nil)
			server, c := start(t, test.settings)
			if test.scopes != nil {
				server.SetScopes(test.scopes...)
			}
			if test.permissions != nil {
				server.SetPermissions(test.permissions...)
			}
			response, body := c.get(test.uri)
			var p problem
			if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != http.StatusForbidden || len(p.Errors) != 1 {
				t.Fatalf("%d %s", response.StatusCode, body)
			}
			if want := (errorDetail{Code: test.code, Message: test.message, Permission: test.permission}); p.Errors[0].Code != want.Code || p.Errors[0].Message != want.Message || p.Errors[0].Permission != want.Permission {
				t.Errorf("%+v", p.Errors[0])
			}
			whole := problem{Code: "InsufficientPermissions", Message: test.message, Permission: test.permission, Errors: p.Errors}
			if test.settings.BareErrors {
				whole = problem{Errors: p.Errors}
			}
			if p.Code != whole.Code || p.Message != whole.Message || p.Permission != whole.Permission {
				t.Errorf("%s", body)
			}
		})
	}
}
