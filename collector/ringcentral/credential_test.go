package ringcentral

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// credentialsOver asks a transport for tokens.
func credentialsOver(t testing.TB, transport http.RoundTripper) *credentials {
	t.Helper()
	base, err := url.Parse(testHost)
	if err != nil {
		t.Fatal(err)
	}
	c := new(Config)
	c.SetDefaults()
	c.BaseURL, c.ClientID, c.ClientSecret, c.JWT = testHost, testClient, config.NewSecret(testSecret),
		config.NewSecret(testJWT(`{}`))
	settings := collector.SourceSettings{Settings: httpclient.Settings{
		Transport: transport,
		Logger:    slog.New(slog.DiscardHandler),
	}, Now: time.Now}
	s := &source{config: c, settings: settings, base: base}
	if err := s.openClients(); err != nil {
		t.Fatal(err)
	}
	return s.creds
}

// credentials asks the fake for tokens.
func (p *platform) credentials() *credentials {
	p.t.Helper()
	return credentialsOver(p.t, p)
}

func tokenReply(token string, header http.Header) reply {
	return reply{
		body:   fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":3600}`, token),
		header: header,
	}
}

// TestAuthLimit: at most five tokens in a minute, for any reason.
func TestAuthLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{t: t}
		for i := range 16 {
			p.answers = append(p.answers, tokenReply(fmt.Sprint(i), nil))
		}
		c := p.credentials()
		var asked []time.Time
		for range 16 {
			if _, err := c.token(t.Context()); err != nil {
				t.Fatal(err)
			}
			asked = append(asked, time.Now())
		}
		for i := authLimit; i < len(asked); i++ {
			if asked[i].Sub(asked[i-authLimit]) < time.Minute {
				t.Errorf("tokens %d to %d came within %s", i-authLimit, i, asked[i].Sub(asked[i-authLimit]))
			}
		}
	})
}

// TestRefusalStands: what was refused isn't asked again for a while, unless the credentials change;
// faults and throttling are asked again.
func TestRefusalStands(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer reply
		stands bool
	}{
		{"refused", reply{status: http.StatusBadRequest, body: `{"error":"invalid_grant"}`}, true},
		{"wrong client", reply{status: http.StatusUnauthorized}, true},
		{"fault", reply{status: http.StatusInternalServerError}, false},
		{"slow", reply{status: http.StatusRequestTimeout}, false},
		{"no token", reply{body: `<html>Sign in</html>`}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &platform{t: t, answers: []reply{test.answer, tokenReply("1", nil), tokenReply("2", nil)}}
				c := p.credentials()
				_, first := c.token(t.Context())
				_, err := c.token(t.Context())
				if first == nil || (err != nil) != test.stands || test.stands &&
					(len(p.asked) != 1 || err.Error() != first.Error()) {
					t.Errorf("asked %d times, errors %v and %v", len(p.asked), first, err)
				}
				c.config.JWT = config.NewSecret(testJWT(`{"jti":"2"}`))
				if _, err := c.token(t.Context()); err != nil {
					t.Errorf("another JWT isn't tried: %v", err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p := &platform{t: t, answers: []reply{{status: http.StatusBadRequest}, tokenReply("1", nil)}}
		c := p.credentials()
		_, _ = c.token(t.Context())
		<-time.After(refusalPause)
		if _, err := c.token(t.Context()); err != nil {
			t.Errorf("after %s: %v", refusalPause, err)
		}
	})
}

// TestThrottledTokens: there is no request before the time that RingCentral gives, because each
// would restart the penalty.
func TestThrottledTokens(t *testing.T) {
	for header, least := range map[string]time.Duration{"": time.Minute, "17": 17 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			throttled := reply{status: http.StatusTooManyRequests, header: http.Header{}}
			if header != "" {
				throttled.header.Set("Retry-After", header)
			}
			p := &platform{t: t, answers: []reply{throttled, tokenReply("t", nil)}}
			c, began := p.credentials(), time.Now()
			for {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_, err := c.token(ctx)
				cancel()
				if err == nil {
					break
				}
				<-time.After(time.Second)
			}
			if took := time.Since(began); took < least || took > least+10*time.Second || len(p.asked) != 2 {
				t.Errorf("asked %d times, the second after %s, want %s", len(p.asked), took, least)
			}
		})
	}
}

// TestCancelledTokenRequest: that the caller gave up isn't RingCentral's fault.
func TestCancelledTokenRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := credentialsOver(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	}))
	if _, err := c.token(ctx); !errors.Is(err, context.Canceled) || c.refused != nil {
		t.Errorf("%v is remembered, error %v", c.refused, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// tokenText is what errors about tokens may look like.
var tokenText = regexp.MustCompile(`^[a-zA-Z0-9 ,.';:()/_"-]+( \(RCRequestId=[A-Za-z0-9_.:-]{1,64}\))?[a-zA-Z0-9 ,():_-]*$`)

func TestTokenErrors(t *testing.T) {
	oauth := func(status int, name, code string) reply {
		return reply{status: status, body: `{"error":"` + name + `","errors":[{"errorCode":"` + code +
			`","message":"+12065550100 ` + testSecret + `"}],"error_description":"+12065550100 ` + testSecret + `"}`}
	}
	html := reply{
		status: http.StatusForbidden, body: "<html>+12065550100</html>",
		header: http.Header{"Content-Type": {"text/html"}},
	}
	identified := oauth(http.StatusBadRequest, "invalid_grant", "OAU-140")
	identified.header = http.Header{"Rcrequestid": {"id-1"}}
	for _, test := range []struct {
		name       string
		answer     reply
		what, todo string
		passes     bool
	}{
		{
			"wrong JWT", oauth(400, "invalid_grant", "OAU-140"), "RingCentral doesn't accept the JWT",
			"create a JWT credential", false,
		},
		{
			"expired JWT", oauth(400, "invalid_grant", "OAU-128"), "the JWT has expired", "create a JWT credential",
			false,
		},
		{
			"broken JWT", oauth(400, "invalid_grant", "OAU-149"), "the JWT is malformed", "create a JWT credential",
			false,
		},
		{
			"wrong client", oauth(400, "invalid_client", "OAU-153"),
			"doesn't know the app, or its secret is wrong (GET call-log: get token: POST restapi/oauth/token: " +
				"400 Bad Request, RingCentral says OAU-153 invalid_client)", "client_secret", false,
		},
		{"wrong client, 401", oauth(401, "invalid_client", "OAU-146"), "doesn't know the app", "client_id", false},
		{
			"wrong client, no code",
			reply{status: 401, body: `{"error":"invalid_client"}`},
			"doesn't know the app",
			"client_id", false,
		},
		{
			"grant not allowed", oauth(403, "unauthorized_client", "OAU-112"), "the app isn't allowed the JWT grant",
			"choose JWT auth flow", false,
		},
		{
			"grant not allowed, by name", oauth(400, "unauthorized_client", "OAU-999"), "isn't allowed the JWT grant",
			"JWT auth flow", false,
		},
		{
			"grant not allowed, OAU-125", oauth(401, "access_denied", "OAU-125"), "isn't allowed the JWT grant",
			"JWT auth flow", false,
		},
		{"locked", oauth(400, "invalid_grant", "OAU-147"), "has locked the user or the app", "unlock", false},
		{
			"permission", refuses(403, "InsufficientPermissions", "CMN-401", "ReadCallLog"),
			"the app lacks the permission ReadCallLog", "add ReadCallLog", false,
		},
		{"scope", oauth(400, "invalid_scope", "OAU-124"), "the app lacks a permission", "add ReadCallLog", false},
		{
			"something else", oauth(400, "weird_thing", "OAU-777"),
			"refused to issue a token (GET call-log: get token: POST restapi/oauth/token: 400 Bad Request, " +
				"RingCentral says OAU-777 weird_thing)", "look the code up", false,
		},
		{"throttled", reply{status: 429}, "throttles the exporter's credentials", "let no other program", true},
		{"fault", reply{status: 500}, "RingCentral has a fault", "service status", true},
		{"status 501, which isn't retried", reply{status: 501}, "RingCentral has a fault", "service status", false},
		{"slow", reply{status: 408}, "RingCentral has a fault", "service status", true},
		{"HTML", html, "refused to issue a token", "sign-in page", false},
		{
			"HTML without saying so",
			reply{status: 403, body: " <!DOCTYPE html>"},
			"refused to issue a token", "proxy",
			false,
		},
		{"wrong host", reply{status: 404}, "API doesn't exist at this address", "check base_url", false},
		{
			"redirect",
			reply{status: 307, header: http.Header{"Location": {"https://evil.example/token"}}},
			"links to another host", "check base_url", false,
		},
		{"proxy", reply{status: 407}, "the proxy requires credentials", "proxy_url", false},
		{"no token", reply{body: `{"token_type":"bearer"}`}, "answered without a token", "gateway", true},
		{
			"HTML with status 200",
			reply{body: `<html>`, header: http.Header{"Content-Type": {"text/html"}}},
			"answered without a token", "sign-in page", true,
		},
		{
			"a token that can't be sent",
			reply{body: `{"access_token":"a b\n","expires_in":3600}`},
			"answered without a token", "gateway", true,
		},
		{"request id", identified, "(RCRequestId=id-1)", "JWT", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{test.answer}}
			tokens := httpclient.NewTokens(p.credentials().token, time.Now)
			_, err := p.client(tokens).Get(t.Context(), httpclient.Request{URL: "/x", Label: "call-log"})
			what, todo := Advise(err)
			if !strings.Contains(what, test.what) || !strings.Contains(todo, test.todo) {
				t.Errorf("of %v it says %q and %q, want %q and %q in it", err, what, todo, test.what, test.todo)
			}
			if httpclient.IsRetryable(err) != test.passes {
				t.Errorf("%v may pass: %t, want %t", err, !test.passes, test.passes)
			}
			if !tokenText.MatchString(what) || strings.Contains(what+todo, "555") ||
				strings.Contains(what+todo, testSecret) {
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
		{
			"as documented",
			`{"access_token":"t","token_type":"bearer","expires_in":7199,"scope":"ReadCallLog","refresh_token":"r","owner_id":"1"}`, 7199 * time.Second,
		},
		{"no life", `{"access_token":"t"}`, shortestLife},
		{"negative life", `{"access_token":"t","expires_in":-5}`, shortestLife},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{{body: test.body}}}
			got, err := p.credentials().token(t.Context())
			if life := time.Until(got.Expires); err != nil || got.Value != "t" || life > test.life ||
				life < test.life-time.Minute {
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
		if what, todo := Advise(err); !strings.Contains(what, "missing: no such file") ||
			!strings.Contains(todo, "readable") || len(p.asked) != 0 {
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
		{
			"refused", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
			"can't be reached (POST restapi/oauth/token: dial tcp: connection refused)",
		},
		{"unknown name", &net.DNSError{Err: "no such host", Name: "rc.example"}, "no such host"},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "unknown authority"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := credentialsOver(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, test.err }))
			_, err := c.token(t.Context())
			what, todo := Advise(err)
			if !strings.Contains(what, test.want) || strings.Contains(what, "555") ||
				!strings.Contains(todo, "proxy_url") || !httpclient.IsRetryable(err) {
				t.Errorf("of %v it says %q and %q", err, what, todo)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		name, jwt string
		user      string
		expires   time.Time
	}{
		{
			"as RingCentral's",
			testJWT(`{"aud":"https://platform.ringcentral.com/restapi/oauth/token","sub":"63097263004","iss":"https://platform.ringcentral.com","exp":1798859045,"iat":1,"jti":"x"}`), "63097263004", at,
		},
		{"blanks around it", " " + testJWT(`{"sub":"1"}`) + "\n", "1", time.Time{}},
		{"without end", testJWT(`{"sub":"1"}`), "1", time.Time{}},
		{"fraction", testJWT(`{"exp":1798859045.5}`), "", at},
		{"never", testJWT(`{"exp":1e30}`), "", time.Time{}},
		{"negative", testJWT(`{"exp":-1}`), "", time.Time{}},
		{"other types", testJWT(`{"sub":5}`), "", time.Time{}},
		{"a subject with blanks", testJWT(`{"sub":"a b"}`), "", time.Time{}},
		{"no object", testJWT(`[]`), "", time.Time{}},
		{"no base64", "a.%%%.c", "", time.Time{}},
		{"opaque", "opaque", "", time.Time{}},
		{"empty", "", "", time.Time{}},
		{"four parts", testJWT(`{"sub":"1"}`) + ".x", "", time.Time{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if user, expires := readClaims(test.jwt); !expires.Equal(test.expires) || user != test.user {
				t.Errorf("got %q, %s, want %q, %s", user, expires, test.user, test.expires)
			}
		})
	}
}

// TestExpiry: a new file shows without a reload, with the next token, and no file is read to show it.
func TestExpiry(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jwt")
	p := &platform{t: t}
	c := p.credentials()
	c.config.JWT, c.config.Account = config.NewSecretFile(file), accountSame
	for _, step := range []struct {
		content string
		want    time.Time
	}{
		{testJWT(`{"exp":1798859045}`), time.Unix(1798859045, 0)},
		{testJWT(`{"exp":1900000000}`) + "\n", time.Unix(1900000000, 0)},
		{testJWT(`{}`), time.Time{}},
	} {
		write(t, file, step.content)
		p.answers = append(p.answers, tokenReply("t", nil))
		if _, err := c.token(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if got := c.expiry(); !got.Equal(step.want) {
			t.Errorf("%q ends %s, want %s", step.content, got, step.want)
		}
	}
}

// TestSecretsAreReadForEachToken: and trimmed as editors need it.
func TestSecretsAreReadForEachToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jwt")
	p := &platform{t: t, answers: []reply{tokenReply("1", nil), tokenReply("2", nil)}}
	var sent []string
	c := credentialsOver(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		sent = append(sent, r.PostForm.Get("assertion"))
		return p.RoundTrip(r)
	}))
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
