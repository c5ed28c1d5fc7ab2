package access_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// signing is a definition with a signed token.
const signing = `provider: acmetel
parameters: {client: {}, hush: {secret: true}, jwt: {secret: true}, account: {default: "", values: [same]}}
http:
  base_url: https://api.acmetel.example
  auth:
    oauth2:
      {token_url: /token, revoke_url: /revoke, client_id: "{client}", client_secret: "{hush}", client_in: header,
       assertion: "{jwt}", same_account: "{account}", owner: owner_id}
feeds:
  calls:
    {request: {path: /calls}, filter: {by: start}, rows: rows,
     record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}}}
`

func signed(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

// signer is a provider that exchanges signed tokens.
type signer struct {
	declaredtest.API

	file    string
	owner   string // in answers
	refuses string // answer for tokens; empty: a token
	times   int    // how often it refuses; 0: always
	forms   []url.Values
	revoked []string
}

func newSigner(t *testing.T, token string) *signer {
	t.Helper()
	s := &signer{file: filepath.Join(t.TempDir(), "jwt")}
	s.write(t, token)
	s.Answer = func(r *http.Request) (string, http.Header) {
		switch r.URL.Path {
		case "/token":
			body, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(body))
			s.forms = append(s.forms, form)
			if s.refuses != "" && (s.times == 0 || len(s.forms) <= s.times) {
				return s.refuses, nil
			}
			return fmt.Sprintf(`{"access_token":"a%d","expires_in":60,"owner_id":%q}`, len(s.forms), s.owner), nil
		case "/revoke":
			body, _ := io.ReadAll(r.Body)
			s.revoked = append(s.revoked, string(body))
			return "", nil
		}
		return `{"rows":[]}`, nil
	}
	return s
}

func (s *signer) write(t *testing.T, token string) {
	t.Helper()
	require.NoError(t, os.WriteFile(s.file, []byte(token+"\n"), 0o600))
}

func (s *signer) start(t *testing.T, more string) *collector.FeedInfo {
	t.Helper()
	block := "client: app, hush: cl1ent, jwt_file: " + s.file + more + ", calls: "
	source, err := declaredtest.OpenWith(t.TempDir(), signing, block,
		collector.SourceSettings{
			Settings: httpclient.Settings{Transport: s}, Now: func() time.Time { return s.Now },
		})
	require.NoError(t, err)
	s.Source = source
	return &source.Feeds[0]
}

// read reads an hour after the last time, when a token has expired.
func (s *signer) read(t *testing.T, info *collector.FeedInfo) error {
	t.Helper()
	s.Now = s.Now.Add(time.Hour)
	_, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon, declaredtest.Noon.Add(1))
	return err
}

// TestAssertion: a signed token is exchanged as RFC 7523 says. Its expiry is the credential's, and its
// user belongs to the account but is shown as a hash. The session ends with the source.
func TestAssertion(t *testing.T) {
	token := signed(`{"sub":"256440016","exp":1795428120}`)
	s := newSigner(t, token)
	s.Now = declaredtest.Noon
	info := s.start(t, "")
	require.NoError(t, s.read(t, info))
	form := s.forms[0]
	if form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || form.Get("assertion") != token {
		t.Errorf("the form is %v", form)
	}
	if ends := s.Source.CredentialExpiry(); ends.Unix() != 1795428120 {
		t.Errorf("it expires at %s", ends)
	}
	if all := info.Fingerprint + s.Source.Account; strings.Contains(all, "256440016") ||
		strings.Count(all, "user-") != 2 || strings.Contains(info.Fingerprint, "app") {
		t.Errorf("the account is %q, the fingerprint %q", s.Source.Account, info.Fingerprint)
	}
	if s.Source.Close(); len(s.revoked) != 1 || s.revoked[0] != "token=a1" {
		t.Errorf("revoked %q", s.revoked)
	}
	other := newSigner(t, signed(`{"sub":"7"}`))
	other.Now = declaredtest.Noon
	if another := other.start(t, ""); another.Fingerprint == info.Fingerprint {
		t.Error("another user has the same fingerprint")
	}
}

// TestAnotherUsersAssertion (counting.md 33): it isn't used unless the operator says that the account
// is the same.
func TestAnotherUsersAssertion(t *testing.T) {
	ann, ben := signed(`{"sub":"1"}`), signed(`{"sub":"2"}`)
	for _, c := range []struct{ name, first, then, owner, more string }{
		{"by the token", ann, ben, "", ""},
		{"by the answer", "opaque-1", "opaque-2", "2", ""},
		{"the same account", ann, ben, "", ", account: same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSigner(t, c.first)
			s.Now = declaredtest.Noon
			if c.owner != "" {
				s.owner = "1"
			}
			info := s.start(t, c.more)
			require.NoError(t, s.read(t, info))
			s.write(t, c.then)
			s.owner = c.owner
			err := s.read(t, info)
			if c.more != "" {
				if err != nil || !info.SameAccount {
					t.Errorf("error %v, same %t", err, info.SameAccount)
				}
				return
			}
			if _, todo := s.Source.Advise(err); err == nil || !strings.Contains(err.Error(), "another user") ||
				!strings.Contains(todo, "account: same") || !strings.Contains(info.OtherAccount, "set account: same") {
				t.Errorf("error %v, remedy %s, %s", err, todo, info.OtherAccount)
			}
			s.write(t, c.first)
			if s.owner = ""; c.owner != "" {
				s.owner = "1"
			}
			if err := s.read(t, info); err != nil {
				t.Errorf("with the former user's token: %v", err)
			}
		})
	}
}

// TestRefusedCredentials: a refused credential is tried again after five minutes, another one at once.
func TestRefusedCredentials(t *testing.T) {
	s := newSigner(t, signed(`{"sub":"1"}`))
	s.Now = declaredtest.Noon
	info := s.start(t, "")
	s.refuses = "!401"
	tries := func(after time.Duration, want int) {
		t.Helper()
		s.Now = s.Now.Add(after)
		if _, err := declaredtest.ReadHour(t, info); err == nil || len(s.forms) != want {
			t.Errorf("%d requests, want %d, error %v", len(s.forms), want, err)
		}
	}
	tries(0, 1)
	tries(4*time.Minute, 1)
	tries(2*time.Minute, 2)
	s.write(t, signed(`{"sub":"1","exp":1795428120}`))
	tries(time.Second, 3)
}

// TestTokenRefusedOnce: only a refusal of the credentials makes all feeds wait. Another refusal may
// pass: the next request asks again.
func TestTokenRefusedOnce(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		// first and second are the requests for a token by the end of each read; failed: the first failed.
		first, second int
		failed        bool
	}{
		{"500", "!500", 2, 2, false},
		{"503", "!503", 2, 2, false},
		{"429", "!429", 2, 2, false},
		{"an outage in the words of OAuth", `!400 {"error":"temporarily_unavailable"}`, 2, 2, false},
		{"an error of the server in the words of OAuth", `!400 {"error":"server_error"}`, 2, 2, false},
		{"400 of something in between", "!400 <html>", 1, 2, true},
		{"404", "!404", 1, 2, true},
		{"another client", `!400 {"error":"invalid_client"}`, 1, 1, true},
		{"another grant", `!400 {"error":"invalid_grant"}`, 1, 1, true},
		{"401", "!401", 1, 1, true},
		{"403", "!403", 1, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSigner(t, signed(`{"sub":"1"}`))
				s.Now = declaredtest.Noon
				info := s.start(t, "")
				defer s.Source.Close()
				s.refuses, s.times = c.answer, 1
				if _, err := declaredtest.ReadHour(t, info); (err != nil) != c.failed || len(s.forms) != c.first {
					t.Errorf("first read: %d requests, want %d, error %v", len(s.forms), c.first, err)
				}
				_, err := declaredtest.ReadHour(t, info)
				if paused := c.failed && c.second == c.first; (err != nil) != paused || len(s.forms) != c.second {
					t.Errorf("second read: %d requests, want %d, error %v", len(s.forms), c.second, err)
				}
			})
		})
	}
}
