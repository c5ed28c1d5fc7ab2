package ringcentral

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// tokenText is what errors about tokens may look like.
var tokenText = regexp.MustCompile(`^[a-zA-Z0-9 ,.':()_-]+( \(RCRequestId=[A-Za-z0-9_.:-]{1,64}\))?$`)

func TestTokenErrors(t *testing.T) {
	oauth := func(status int, name, code string) reply {
		return reply{status: status, body: `{"error":"` + name + `","errors":[{"errorCode":"` + code + `","message":"+12065550100 ` + testSecret + `"}],"error_description":"+12065550100 ` + testSecret + `"}`}
	}
	html := reply{status: http.StatusForbidden, body: "<html>+12065550100</html>", header: http.Header{"Content-Type": {"text/html"}}}
	identified := oauth(http.StatusBadRequest, "invalid_grant", "OAU-140")
	identified.header = http.Header{"Rcrequestid": {"id-1"}}
	for _, test := range []struct {
		name       string
		answer     reply
		what, todo string
		passes     bool
	}{
		{"wrong JWT", oauth(400, "invalid_grant", "OAU-140"), "RingCentral doesn't take the JWT", "make a JWT credential", false},
		{"expired JWT", oauth(400, "invalid_grant", "OAU-128"), "the JWT has expired", "make a JWT credential", false},
		{"broken JWT", oauth(400, "invalid_grant", "OAU-149"), "the JWT is broken", "make a JWT credential", false},
		{"wrong client", oauth(400, "invalid_client", "OAU-153"), "doesn't know the app, or its secret is wrong (400 Bad Request, RingCentral says OAU-153 invalid_client)", "client_secret", false},
		{"wrong client, 401", oauth(401, "invalid_client", "OAU-146"), "doesn't know the app", "client_id", false},
		{"wrong client, no code", reply{status: 401, body: `{"error":"invalid_client"}`}, "doesn't know the app", "client_id", false},
		{"grant not allowed", oauth(403, "unauthorized_client", "OAU-112"), "the app isn't allowed the JWT grant", "choose JWT auth flow", false},
		{"grant not allowed, by name", oauth(400, "unauthorized_client", "OAU-999"), "isn't allowed the JWT grant", "JWT auth flow", false},
		{"grant not allowed, OAU-125", oauth(401, "access_denied", "OAU-125"), "isn't allowed the JWT grant", "JWT auth flow", false},
		{"locked", oauth(400, "invalid_grant", "OAU-147"), "has locked the user or the app", "unlock", false},
		{"permission", refuses(403, "InsufficientPermissions", "CMN-401", "ReadCallLog"), "the app lacks the permission ReadCallLog", "add ReadCallLog", false},
		{"scope", oauth(400, "invalid_scope", "OAU-124"), "the app lacks a permission", "add ReadCallLog", false},
		{"something else", oauth(400, "weird_thing", "OAU-777"), "refused to give a token (400 Bad Request, RingCentral says OAU-777 weird_thing)", "look the code up", false},
		{"an error with status 200", oauth(200, "invalid_grant", "OAU-140"), "doesn't take the JWT", "make a JWT credential", false},
		{"throttled", reply{status: 429}, "throttles the requests for tokens", "let no other program", true},
		{"fault", reply{status: 500}, "RingCentral has a fault", "service status", true},
		{"not implemented", reply{status: 501}, "RingCentral has a fault", "service status", false},
		{"slow", reply{status: 408}, "refused to give a token", "look the code up", true},
		{"HTML", html, "answered with a page instead of a token", "sign-in page", false},
		{"HTML without saying so", reply{status: 403, body: " <!DOCTYPE html>"}, "answered with a page", "proxy", false},
		{"wrong host", reply{status: 404}, "it is not RingCentral's platform", "check base_url", false},
		{"wrong method", reply{status: 405}, "it is not RingCentral's platform", "check base_url", false},
		{"redirect", reply{status: 307, header: http.Header{"Location": {"https://evil.example/token"}}}, "sends requests for tokens elsewhere", "check base_url", false},
		{"proxy", reply{status: 407}, "the proxy wants credentials", "proxy_url", false},
		{"no token", reply{body: `{"token_type":"bearer"}`}, "something that is no token", "gateway", true},
		{"HTML with status 200", reply{body: `<html>`, header: http.Header{"Content-Type": {"text/html"}}}, "something that is no token", "sign-in page", true},
		{"a token that can't be sent", reply{body: `{"access_token":"a b\n","expires_in":3600}`}, "something that is no token", "gateway", true},
		{"a token that is too long", tokenReply(strings.Repeat("x", maxToken+1), nil), "something that is no token", "gateway", true},
		{"a token that has ended", reply{body: `{"access_token":"a","expires_in":-5}`}, "something that is no token", "gateway", true},
		{"no permission in the scope", reply{body: `{"access_token":"a","expires_in":3600,"scope":"ReadAccounts readcalllog"}`}, "the app lacks the permission ReadCallLog", "add ReadCallLog", false},
		{"request id", identified, "(RCRequestId=id-1)", "JWT", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{test.answer}}
			token, err := p.credentials().token(t.Context())
			what, todo := Advise(err)
			if token.Value != "" || !strings.Contains(what, test.what) || !strings.Contains(todo, test.todo) {
				t.Errorf("of %v it says %q and %q, want %q and %q in it", err, what, todo, test.what, test.todo)
			}
			if httpclient.IsRetryable(err) != test.passes {
				t.Errorf("%v may pass: %t, want %t", err, !test.passes, test.passes)
			}
			if !tokenText.MatchString(what) || strings.Contains(what+todo, "555") || strings.Contains(what+todo, testSecret) {
				t.Errorf("it holds more than it may: %q, %q", what, todo)
			}
			if len(p.asked) != 1 {
				t.Errorf("asked %q", p.asked)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	for _, test := range []struct {
		name, body string
		life       time.Duration
	}{
		{"as documented", `{"access_token":"t","token_type":"bearer","expires_in":7199,"scope":"ReadCallLog","refresh_token":"r","owner_id":"1"}`, 7199 * time.Second},
		{"former permission", `{"access_token":"t","expires_in":3600,"scope":"CallLog"}`, time.Hour},
		{"permission that includes it", `{"access_token":"t","expires_in":3600,"scope":"ReadAccounts ReadCallRecording"}`, time.Hour},
		{"life as string", `{"access_token":"t","expires_in":"3600"}`, time.Hour},
		{"no life", `{"access_token":"t"}`, shortestLife},
		{"empty scope", `{"access_token":"t","scope":" "}`, shortestLife},
		{"scope of another type", `{"access_token":"t","scope":["ReadCallLog"]}`, shortestLife},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{{body: test.body}}}
			got, err := p.credentials().token(t.Context())
			if life := time.Until(got.Expires); err != nil || got.Value != "t" || life > test.life || life < test.life-time.Minute {
				t.Errorf("got %q for %s, want %s; error %v", got.Value, life, test.life, err)
			}
		})
	}
}

func TestUnreadableSecrets(t *testing.T) {
	missing := config.NewSecretFile(filepath.Join(t.TempDir(), "missing"))
	for name, change := range map[string]func(*Config){
		"secret": func(c *Config) { c.ClientSecret = missing },
		"JWT":    func(c *Config) { c.JWT = missing },
	} {
		p := &platform{t: t}
		c := p.credentials()
		change(c.config)
		_, err := c.token(t.Context())
		if what, todo := Advise(err); !strings.Contains(what, "missing: no such file") || !strings.Contains(todo, "readable") || len(p.asked) != 0 {
			t.Errorf("%s: of %v it says %q and %q", name, err, what, todo)
		}
	}
}

func TestUnreachable(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"refused", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}, "rc.example can't be reached: dial tcp: connection refused"},
		{"unknown name", &net.DNSError{Err: "no such host", Name: "rc.example"}, "no such host"},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "unknown authority"},
		{"another", errors.New("piece of +12065550100"), "the connection broke"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := (&platform{t: t}).credentials()
			c.transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, test.err })
			_, err := c.token(t.Context())
			what, todo := Advise(err)
			if !strings.Contains(what, test.want) || strings.Contains(what, "555") || !strings.Contains(todo, "proxy_url") || !httpclient.IsRetryable(err) {
				t.Errorf("of %v it says %q and %q", err, what, todo)
			}
		})
	}
}

// TestOnlyTheEndpointIsAsked: whoever makes the OAuth library ask elsewhere gets nothing.
func TestOnlyTheEndpointIsAsked(t *testing.T) {
	p := &platform{t: t}
	x := p.credentials().exchange(tokenPath)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://evil.example/restapi/oauth/token", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := x.RoundTrip(r); err == nil {
		t.Errorf("answered %d", resp.StatusCode)
	}
	if len(p.asked) != 0 {
		t.Errorf("asked %q", p.asked)
	}
}

func TestClaims(t *testing.T) {
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		name, jwt string
		want      claims
	}{
		{"as RingCentral's", testJWT(`{"aud":"https://platform.ringcentral.com/restapi/oauth/token","sub":"63097263004","iss":"https://platform.ringcentral.com","exp":1798859045,"iat":1,"jti":"x"}`), claims{"63097263004", at}},
		{"blanks around it", " " + testJWT(`{"sub":"1"}`) + "\n", claims{Subject: "1"}},
		{"without end", testJWT(`{"sub":"1"}`), claims{Subject: "1"}},
		{"fraction", testJWT(`{"exp":1798859045.5}`), claims{Expires: at}},
		{"never", testJWT(`{"exp":1e30}`), claims{}},
		{"negative", testJWT(`{"exp":-1}`), claims{}},
		{"other types", testJWT(`{"sub":5}`), claims{}},
		{"a subject with blanks", testJWT(`{"sub":"a b"}`), claims{}},
		{"no object", testJWT(`[]`), claims{}},
		{"no base64", "a.%%%.c", claims{}},
		{"opaque", "opaque", claims{}},
		{"empty", "", claims{}},
		{"four parts", testJWT(`{"sub":"1"}`) + ".x", claims{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := readClaims(test.jwt); !got.Expires.Equal(test.want.Expires) || got.Subject != test.want.Subject {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestExpiry: a new file shows without a reload, and one that is gone keeps what is known.
func TestExpiry(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jwt")
	c := (&platform{t: t}).credentials()
	c.config.JWT = config.NewSecretFile(file)
	for _, step := range []struct {
		content string
		want    time.Time
	}{
		{testJWT(`{"exp":1798859045}`), time.Unix(1798859045, 0)},
		{testJWT(`{"exp":1900000000}`) + "\n", time.Unix(1900000000, 0)},
		{"", time.Unix(1900000000, 0)},
		{testJWT(`{}`), time.Time{}},
	} {
		write(t, file, step.content)
		if got := c.expiry(); !got.Equal(step.want) {
			t.Errorf("%q ends %s, want %s", step.content, got, step.want)
		}
	}
}

// TestSecretsAreReadForEachToken: and trimmed as editors need it.
func TestSecretsAreReadForEachToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jwt")
	p := &platform{t: t, answers: []reply{tokenReply("1", nil), tokenReply("2", nil)}}
	c := p.credentials()
	var sent []string
	c.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		sent = append(sent, r.PostForm.Get("assertion"))
		return p.RoundTrip(r)
	})
	c.config.JWT = config.NewSecretFile(file)
	for _, jwt := range []string{"first", "second"} {
		write(t, file, " "+jwt+"\r\n")
		if _, err := c.token(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := sent[len(sent)-1]; got != jwt {
			t.Errorf("sent %q, want %q", got, jwt)
		}
	}
}
