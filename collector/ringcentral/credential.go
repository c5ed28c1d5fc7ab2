package ringcentral

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	tokenPath  = "restapi/oauth/token"
	revokePath = "restapi/oauth/revoke"
	// grantJWT is the grant type of a signed token (RFC 7523).
	grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	// shortestLife is the least life of a token that RingCentral gives; it stands in for
	// one that isn't given.
	shortestLife = 10 * time.Minute
	// revokeTimeout bounds the end of a session, which the exporter's own end waits for.
	revokeTimeout = 5 * time.Second
	// maxToken bounds an access token, in bytes: it goes into a header.
	maxToken = 16 << 10
)

// credentials gets tokens for the user of the JWT. The secrets are read for each, so
// that it has what their files hold now.
type credentials struct {
	config    *Config
	base      *url.URL
	transport http.RoundTripper
	observer  httpclient.Observer
	userAgent string
	now       func() time.Time
	pace      *pace
	user      string // whose calls are counted, by the JWT; empty if it doesn't say, or if any user may be

	mu    sync.Mutex
	known claims // of the JWT when it was last read; guarded by mu
}

// token asks for a new token, which begins a session. Errors are *TokenError, marked by
// httpclient.Retryable if they may pass, or the context's.
func (c *credentials) token(ctx context.Context) (httpclient.Token, error) {
	secret, jwt, err := c.read(ctx)
	if err != nil {
		return httpclient.Token{}, err
	}
	if user := readClaims(jwt).Subject; c.user != "" && user != c.user {
		return httpclient.Token{}, errOtherUser
	}
	now, key := c.now(), keyOf(secret, jwt)
	if err := c.pace.admit(now, key); err != nil {
		return httpclient.Token{}, err
	}
	x := c.exchange(tokenPath)
	grant := clientcredentials.Config{
		ClientID: c.config.ClientID, ClientSecret: secret, TokenURL: x.endpoint.String(), AuthStyle: oauth2.AuthStyleInHeader,
		EndpointParams: url.Values{"grant_type": {grantJWT}, "assertion": {jwt}},
	}
	got, err := grant.Token(context.WithValue(ctx, oauth2.HTTPClient, x.client()))
	if err != nil && ctx.Err() != nil {
		return httpclient.Token{}, context.Cause(ctx)
	}
	token, err := x.result(got, err, now)
	c.pace.answered(c.now(), err, x.Status, x.Header)
	return token, err
}

// errOtherUser is a JWT that was replaced by another user's, perhaps of another account: none of its calls may be counted under this
// source's name (counting.md 33).
var errOtherUser = &TokenError{
	what: "the JWT is now another user's, and nothing is read with it: its calls may be another account's",
	todo: "put a JWT of the former user back; or, if the new user is of the same account, set account: same; or give the other account a source of its own",
}

// read is what the app and the user authenticate with.
func (c *credentials) read(ctx context.Context) (secret, jwt string, err error) {
	if secret, err = c.config.ClientSecret.Value(ctx); err != nil {
		return "", "", unreadableSecret(err)
	}
	if jwt, err = c.config.JWT.Value(ctx); err != nil {
		return "", "", unreadableSecret(err)
	}
	return secret, strings.TrimSpace(jwt), nil
}

func (c *credentials) exchange(path string) *exchange {
	return &exchange{
		Exchange: httpclient.Exchange{Transport: c.transport, Observer: c.observer}, userAgent: c.userAgent, endpoint: c.base.JoinPath(path),
	}
}

// result is the token of an answer, if it can be used, or why there is none.
func (x *exchange) result(got *oauth2.Token, err error, asked time.Time) (httpclient.Token, error) {
	if err != nil {
		return httpclient.Token{}, x.failed(err)
	}
	life := shortestLife
	if !got.Expiry.IsZero() {
		life = time.Until(got.Expiry) // the library's clock is the machine's
	}
	if life <= 0 || !isHeaderToken(got.AccessToken) {
		return httpclient.Token{}, x.noToken()
	}
	if err := checkScope(got.Extra("scope")); err != nil {
		return httpclient.Token{}, err
	}
	// By the wall clock: a machine that slept has an old token.
	return httpclient.Token{Value: got.AccessToken, Expires: asked.Round(0).Add(life)}, nil
}

// isHeaderToken says whether a token can be put into a header (RFC 6750 2.1, and what
// else is printed).
func isHeaderToken(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return token != "" && len(token) <= maxToken
}

// checkScope says whether the app may read the call log, if the answer tells what it
// may. ReadCallRecording includes it; CallLog is its former name.
func checkScope(scope any) error {
	granted, ok := scope.(string)
	if !ok || strings.TrimSpace(granted) == "" {
		return nil
	}
	for one := range strings.FieldsSeq(granted) {
		switch one {
		case "ReadCallLog", "CallLog", "ReadCallRecording":
			return nil
		}
	}
	return &TokenError{
		what: "the app lacks the permission ReadCallLog, so its tokens can't read the call log",
		todo: appPermissionTodo("ReadCallLog"),
	}
}

// revoke ends the session of a token, so that it doesn't count among the few that a user
// and an app may have.
func (c *credentials) revoke(token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), revokeTimeout)
	defer cancel()
	secret, err := c.config.ClientSecret.Value(ctx)
	if err != nil {
		return unreadableSecret(err)
	}
	x := c.exchange(revokePath)
	form := strings.NewReader(url.Values{"token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.endpoint.String(), form)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(secret)) // as for tokens (RFC 6749 2.3.1)
	resp, err := x.client().Do(r)
	if err != nil {
		return x.failed(err)
	}
	_ = resp.Body.Close() // the exchange has read it
	if x.Status < 200 || x.Status > 299 {
		return x.failed(nil)
	}
	return nil
}

// claims are those of the JWT as it is now or, while it can't be read, as it was.
func (c *credentials) claims() claims {
	jwt, err := c.config.JWT.Value(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.known = readClaims(jwt)
	}
	return c.known
}

// expiry is when the JWT ends, zero if it doesn't.
func (c *credentials) expiry() time.Time { return c.claims().Expires }
