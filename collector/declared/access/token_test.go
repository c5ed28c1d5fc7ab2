package access_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// signingIn is a definition that signs in by JSON, and sends the token in the query.
const signingIn = `provider: acmetel
parameters: {user: {}, hush: {secret: true}, name: {default: token}}
http:
  base_url: https://api.acmetel.example
  auth: {oauth2: {token_url: /sign-in, format: json, query: "{name}", params: {username: "{user}", password: "{hush}"}}}
feeds:
  calls:
    {request: {path: /calls}, filter: {by: start}, rows: rows, next: {url: next},
     record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}}}
`

// TestTokenInQuery: user and password are sent as JSON. The token goes into the address, and a new one is requested
// when the provider refuses it.
func TestTokenInQuery(t *testing.T) {
	api, bodies, queries := &declaredtest.API{Now: declaredtest.Noon}, []string(nil), []string(nil)
	api.Answer = func(r *http.Request) (string, http.Header) {
		if r.URL.Path == "/sign-in" {
			body, _ := io.ReadAll(r.Body)
			bodies = append(bodies, r.Header.Get("Content-Type")+" "+string(body))
			return fmt.Sprintf(`{"errcode":0,"access_token":"a%d"}`, len(bodies)), nil
		}
		queries = append(queries, r.URL.Query().Get("token"))
		if len(queries) == 1 {
			return "!401", nil
		}
		return `{"rows":[]}`, nil
	}
	source, err := declaredtest.OpenWith(t.TempDir(), signingIn, `user: ann, hush: 'pa"ss', calls: `,
		collector.SourceSettings{Settings: httpclient.Settings{Transport: api}})
	require.NoError(t, err)
	_, _, err = declaredtest.ReadIDs(t, &source.Feeds[0], declaredtest.Noon, declaredtest.Noon.Add(1))
	require.NoError(t, err)
	if want := strings.Repeat(`application/json {"password":"pa\"ss","username":"ann"}|`, 2); strings.Join(bodies, "|")+
		"|" != want {
		t.Errorf("it signs in with %q", bodies)
	}
	if !slices.Equal(queries, []string{"a1", "a2"}) {
		t.Errorf("tokens %q", queries)
	}
}

// TestSignInRefused: an answer of JSON without a token refuses the credentials. They aren't sent again for five
// minutes.
func TestSignInRefused(t *testing.T) {
	asked, now := 0, declaredtest.Noon
	api := &declaredtest.API{Answer: func(r *http.Request) (string, http.Header) {
		if r.URL.Path != "/sign-in" {
			return `{"rows":[]}`, nil
		}
		if asked++; asked == 1 {
			return `{"errcode":10001}`, nil
		}
		return `{"access_token":"a"}`, nil
	}}
	source, err := declaredtest.OpenWith(t.TempDir(), signingIn, `user: ann, hush: x, calls: `, collector.SourceSettings{
		Settings: httpclient.Settings{Transport: api}, Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	read := func() error {
		_, _, err := declaredtest.ReadIDs(t, &source.Feeds[0], declaredtest.Noon, declaredtest.Noon.Add(1))
		return err
	}
	for range 2 {
		err := read()
		if _, todo := source.Advise(err); err == nil || asked != 1 || !strings.Contains(todo, "check the user") {
			t.Errorf("%v, signed in %d times", err, asked)
		}
	}
	now = now.Add(6 * time.Minute)
	if err := read(); err != nil || asked != 2 {
		t.Errorf("%v, signed in %d times", err, asked)
	}
}

// TestTokenInLinks: a link to the next page gets the current token in place of the one that the provider wrote into it.
func TestTokenInLinks(t *testing.T) {
	api, signed := &declaredtest.API{Now: declaredtest.Noon}, 0
	api.Answer = func(r *http.Request) (string, http.Header) {
		switch {
		case r.URL.Path == "/sign-in":
			signed++
			return fmt.Sprintf(`{"access_token":"a%d"}`, signed), nil
		case !r.URL.Query().Has("page"):
			return fmt.Sprintf(`{"rows":%s,"next":"/calls?%s&page=2"}`, declaredtest.Rows(1), r.URL.RawQuery), nil
		case signed == 1:
			return "!401", nil
		}
		return `{"rows":[]}`, nil
	}
	source, err := declaredtest.OpenWith(t.TempDir(), signingIn, `user: ann, hush: pass, calls: `,
		collector.SourceSettings{Settings: httpclient.Settings{Transport: api}})
	require.NoError(t, err)
	_, _, err = declaredtest.ReadIDs(t, &source.Feeds[0], declaredtest.Noon, declaredtest.Noon.Add(1))
	want := []string{
		"/sign-in", "/calls?token=a1", "/calls?page=2&token=a1", "/sign-in", "/calls?page=2&token=a2",
	}
	if !slices.Equal(api.Asked, want) || err != nil {
		t.Errorf("asked %q, %v", api.Asked, err)
	}
}
