package ringcentral

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/net/http/httpguts"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	tokenPath  = "restapi/oauth/token"
	revokePath = "restapi/oauth/revoke"
	// grantJWT is the grant type of a signed token (RFC 7523).
	grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	// shortestLife is the shortest life of RingCentral's tokens, used for a token without one.
	shortestLife = 10 * time.Minute
	// refusalPause is how long the exporter waits after a refusal. RingCentral asks not to repeat a
	// refused request, but somebody may correct the app or the user, which the exporter can't see.
	refusalPause = 5 * time.Minute
	// revokeTimeout limits the end of a session, because the exporter's shutdown waits for it.
	revokeTimeout = 5 * time.Second
)

// credentials gets tokens for the user of the JWT. It reads the secrets for each token, so that it
// uses the files' current content. It requests one token at a time.
type credentials struct {
	config *Config
	client *httpclient.Client // for the OAuth endpoints
	now    func() time.Time
	user   string                    // user of the JWT at Open, whose calls count; empty if unknown
	ends   atomic.Pointer[time.Time] // expiry of the JWT last read
	owner  string                    // owner of the first token, if the JWT doesn't name its user

	refused error // stands until then for the credentials that were refused
	until   time.Time
	tried   [2]string
}

// errOtherUser: another user's JWT replaced the source's, perhaps one of another account. None of
// its calls may count under this source's name (counting.md 33).
var errOtherUser = &advice.Error{
	What: "the JWT now belongs to another user, so the exporter doesn't use it: its calls may be another account's",
	Todo: "restore a JWT of the former user; if the new user belongs to the same account, set account: same; " +
		"otherwise configure a separate source",
}

// token requests a new token, which starts a session.
func (c *credentials) token(ctx context.Context) (httpclient.Token, error) {
	secret, err := c.config.ClientSecret.Value(ctx)
	if err != nil {
		return httpclient.Token{}, advice.UnreadableSecret(err)
	}
	jwt, err := c.config.JWT.Value(ctx)
	if err != nil {
		return httpclient.Token{}, advice.UnreadableSecret(err)
	}
	if user := c.note(jwt); user != c.user && c.config.Account != accountSame {
		return httpclient.Token{}, errOtherUser
	}
	now, using := c.now(), [2]string{secret, jwt}
	if c.refused != nil && c.tried == using && now.Before(c.until) {
		return httpclient.Token{}, c.refused
	}
	body, err := c.post(ctx, tokenPath, secret,
		url.Values{"grant_type": {grantJWT}, "assertion": {strings.TrimSpace(jwt)}})
	if err != nil {
		c.refused = nil
		if _, answered := errors.AsType[*httpclient.Error](err); answered && !httpclient.IsRetryable(err) {
			c.refused, c.tried, c.until = err, using, now.Add(refusalPause)
		}
		return httpclient.Token{}, err
	}
	token, owner, err := readToken(body, now)
	if err != nil || c.user != "" || owner == "" {
		return token, err
	}
	c.owner = cmp.Or(c.owner, owner)
	if owner != c.owner && c.config.Account != accountSame {
		return httpclient.Token{}, errOtherUser
	}
	return token, nil
}

// post sends a form to an OAuth endpoint, once, with the app's credentials (RFC 6749 2.3.1).
func (c *credentials) post(ctx context.Context, path, secret string, form url.Values) ([]byte, error) {
	r := http.Request{Header: http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/x-www-form-urlencoded"},
	}}
	r.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(secret))
	return c.client.Get(ctx, httpclient.Request{
		Method: http.MethodPost, URL: path, Label: path, Header: r.Header, Body: []byte(form.Encode()),
	})
}

// readToken reads an answer: the token, and the id of the extension that it belongs to.
func readToken(body []byte, asked time.Time) (token httpclient.Token, owner string, err error) {
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
		OwnerID     string `json:"owner_id"`
	}
	err = json.Unmarshal(body, &answer, answerOptions)
	if value := answer.AccessToken; err != nil || value == "" || !httpguts.ValidHeaderFieldValue(value) {
		return httpclient.Token{}, "", httpclient.Retryable(&advice.Error{
			What: "RingCentral answered without a token", // the decoder's text may quote it
			Todo: "check for something between the exporter and RingCentral (a proxy, a gateway or a sign-in " +
				"page), and check base_url",
		})
	}
	life := cmp.Or(time.Duration(max(answer.ExpiresIn, 0))*time.Second, shortestLife)
	// Use the wall clock: while the machine slept, the token aged.
	return httpclient.Token{Value: answer.AccessToken, Expires: asked.Round(0).Add(life)}, answer.OwnerID, nil
}

// revoke ends the session of a token, so that it doesn't count towards the few that a user and an
// app may have.
func (c *credentials) revoke(token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), revokeTimeout)
	defer cancel()
	secret, err := c.config.ClientSecret.Value(ctx)
	if err != nil {
		return fmt.Errorf("read client_secret: %w", err)
	}
	_, err = c.post(ctx, revokePath, secret, url.Values{"token": {token}})
	return err
}

// note stores a JWT's expiry, and returns its user.
func (c *credentials) note(jwt string) (user string) {
	user, expires := readClaims(jwt)
	c.ends.Store(&expires)
	return user
}

// expiry is the JWT's expiry as of the latest token request; zero if it has none. It reads no file,
// so that a mount that hangs doesn't stop a scrape.
func (c *credentials) expiry() time.Time { return *c.ends.Load() }

// plainSubject matches what may become part of a fingerprint.
var plainSubject = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,128}$`)

// latestExpiry is the last second of the year 9999; a later time means never.
const latestExpiry = 253402300799

// readClaims reads the claims of a JWT (RFC 7519): the user, by the id of the extension, and the
// expiry. Each may be missing; a text that isn't a JWT has none. The exporter can't check the
// signature and doesn't have to: RingCentral does.
func readClaims(token string) (user string, expires time.Time) {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return user, expires
	}
	var body struct {
		Subject string  `json:"sub"`
		Expires float64 `json:"exp"` // may have a fraction
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &body, answerOptions) != nil {
		return user, expires
	}
	if plainSubject.MatchString(body.Subject) {
		user = body.Subject
	}
	if body.Expires > 0 && body.Expires <= latestExpiry {
		expires = time.Unix(int64(body.Expires), 0).UTC()
	}
	return user, expires
}
