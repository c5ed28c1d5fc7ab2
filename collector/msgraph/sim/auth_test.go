package sim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// signer makes a certificate and its key.
func signer(t *testing.T) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// post sends a form to the token endpoint.
func (c *client) post(tenant string, form url.Values) (int, map[string]any) {
	c.t.Helper()
	response, body := c.send(http.MethodPost, c.server.LoginURL()+"/"+tenant+"/oauth2/v2.0/token", func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		text := form.Encode()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	})
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		c.t.Fatalf("token endpoint: %v", err)
	}
	return response.StatusCode, answer
}

// TestTokenEndpoint: secrets, assertions that a certificate signed, and federated tokens are checked. That azidentity's requests are accepted
// is for TestCredentials of the binary.
func TestTokenEndpoint(t *testing.T) {
	server, c := start(t, Settings{})
	certificate, key := signer(t)
	_, other := signer(t)
	server.AddCertificate(certificate)
	server.AddFederatedToken("a subject's token")
	form := func(name, value string) url.Values {
		f := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {server.ClientID()},
			"client_secret": {server.ClientSecret()}, "scope": {server.GraphURL() + "/.default"},
		}
		f.Set(name, value)
		return f
	}
	assert := func(assertion string) url.Values {
		f := form("client_assertion", assertion)
		f.Del("client_secret")
		f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		return f
	}
	signed := func(key *rsa.PrivateKey, change func(jwt.MapClaims)) url.Values {
		claims := jwt.MapClaims{
			"aud": server.LoginURL() + "/" + server.TenantID() + "/oauth2/v2.0/token", "iss": server.ClientID(), "sub": server.ClientID(),
			"jti": "1", "exp": time.Now().Add(time.Minute).Unix(),
		}
		change(claims)
		thumbprint := sha256.Sum256(certificate.Raw)
		token := jwt.NewWithClaims(jwt.SigningMethodPS256, claims)
		token.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(thumbprint[:])
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return assert(text)
	}
	as := func(name string, value any) func(jwt.MapClaims) { return func(c jwt.MapClaims) { c[name] = value } }
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		text   string
	}{
		{"good", form("", ""), 200, ""},
		{"with OpenID's scopes", form("scope", "https://graph.microsoft.com/.default openid offline_access profile"), 200, ""},
		{"another grant", form("grant_type", "password"), 400, "AADSTS70003:"},
		{"another client", form("client_id", "nobody"), 400, "AADSTS700016:"},
		{"no secret", form("client_secret", ""), 401, "AADSTS900144:"},
		{"a wrong secret", form("client_secret", "wrong"), 401, "AADSTS7000215:"},
		{"a delegated scope", form("scope", "User.Read"), 400, "AADSTS1002012:"},
		{"another cloud's Graph", form("scope", "https://graph.microsoft.us/.default"), 400, "AADSTS500011:"},
		{"a federated token", assert("a subject's token"), 200, ""},
		{"an assertion", signed(key, as("", "")), 200, ""},
		{"signed by another", signed(other, as("", "")), 401, "AADSTS700027:"},
		{"for another audience", signed(key, as("aud", "https://example.com")), 401, "AADSTS700023:"},
		{"by another client", signed(key, as("iss", "nobody")), 401, "AADSTS700027:"},
		{"without an id", signed(key, as("jti", "")), 401, "AADSTS70021:"},
		{"too old", signed(key, as("exp", time.Now().Add(-time.Hour).Unix())), 401, "AADSTS700024:"},
		{"no JWT", assert("nothing.known"), 401, "AADSTS70021:"},
	} {
		status, answer := c.post(server.TenantID(), test.form)
		if text, _ := answer["error_description"].(string); status != test.status || !strings.HasPrefix(text, test.text) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
	if status, answer := c.post("common", form("", "")); status != 400 || !strings.HasPrefix(answer["error_description"].(string), "AADSTS90002:") {
		t.Errorf("another tenant: %d %v", status, answer)
	}
	server.ExpireSecret()
	if _, answer := c.post(server.TenantID(), form("", "")); !strings.HasPrefix(answer["error_description"].(string), "AADSTS7000222:") {
		t.Errorf("an expired secret: %v", answer)
	}
	server.SetSecret("another")
	if status, _ := c.post(server.TenantID(), form("", "")); status != http.StatusOK {
		t.Errorf("a new secret: %d", status)
	}
}

// TestTokensAreChecked: with the role, and not expired.
func TestTokensAreChecked(t *testing.T) {
	server, c := start(t, Settings{})
	want := func(what, authorization string, wantStatus int, wantCode string) {
		t.Helper()
		for _, uri := range []string{functions + "getPstnCalls" + day, callRecordsPath, subscriptionsPath} {
			response, body := c.send(http.MethodGet, server.GraphURL()+uri, func(r *http.Request) { r.Header.Set("Authorization", authorization) })
			var answer struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != wantStatus || answer.Error.Code != wantCode || wantStatus == http.StatusForbidden && answer.Error.Message != "" ||
				wantStatus == http.StatusUnauthorized && response.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s: %d %s", what, uri, response.StatusCode, body)
			}
		}
	}
	const invalid = "InvalidAuthenticationToken"
	want("none", "", 401, invalid)
	want("basic", "Basic eDp5", 401, invalid)
	want("made up", "Bearer a.b", 401, invalid)
	old := server.issue()
	server.SetRoles("User.Read.All")
	want("without the role", "Bearer "+server.issue(), 403, "Forbidden")
	want("from before the roles", "Bearer "+old, 200, "")
	server.SetRoles(Role)
	server.ExpireTokens()
	want("revoked", "Bearer "+old, 401, invalid)
	want("new", "Bearer "+server.issue(), 200, "")
}
