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
	// shortestLife is the least life of a token that RingCentral gives; it stands in for
	// one that isn't given.
	shortestLife = 10 * time.Minute
	// refusalPause is how long a refusal stands: RingCentral wants what it refused not to be asked again, but the app or the user may be
	// repaired where nothing here changes.
	refusalPause = 5 * time.Minute
	// revokeTimeout bounds the end of a session, which the exporter's own end waits for.
	revokeTimeout = 5 * time.Second
)

// credentials gets tokens for the user of the JWT. The secrets are read for each, so
// that it has what their files hold now. Tokens are asked for one at a time.
type credentials struct {
	config *Config
	client *httpclient.Client // of the OAuth endpoints
	now    func() time.Time
	user   string                    // whose calls are counted, by the JWT that the source was opened with; empty if that doesn't say
	ends   atomic.Pointer[time.Time] // of the JWT as it was read last
	owner  string                    // of the first token, where the JWT doesn't say whose it is

	refused error // stands until then for the credentials that were refused
	until   time.Time
	tried   [2]string
}

// errOtherUser is a JWT that was replaced by another user's, perhaps of another account: none of its calls may be counted under this
// source's name (counting.md 33).
var errOtherUser = &advice.Error{
	What: "the JWT is now another user's, and nothing is read with it: its calls may be another account's",
	Todo: "put a JWT of the former user back; or, if the new user is of the same account, set account: same; or give the other account a source of its own",
}

// token asks for a new token, which begins a session.
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
	body, err := c.post(ctx, tokenPath, secret, url.Values{"grant_type": {grantJWT}, "assertion": {strings.TrimSpace(jwt)}})
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
	r := http.Request{Header: http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}}
	r.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(secret))
	return c.client.Get(ctx, httpclient.Request{
		Method: http.MethodPost, URL: path, Label: path, Header: r.Header, Body: []byte(form.Encode()),
	})
}

// readToken reads an answer: the token, and the id of the extension whose it is.
func readToken(body []byte, asked time.Time) (token httpclient.Token, owner string, err error) {
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
		OwnerID     string `json:"owner_id"`
	}
	err = json.Unmarshal(body, &answer, answerOptions)
	if value := answer.AccessToken; err != nil || value == "" || !httpguts.ValidHeaderFieldValue(value) {
		return httpclient.Token{}, "", httpclient.Retryable(&advice.Error{
			What: "RingCentral answered with something that is no token", // the decoder's text may quote it
			Todo: "see what stands between the exporter and RingCentral (a proxy, a gateway or its sign-in page), and base_url",
		})
	}
	life := cmp.Or(time.Duration(max(answer.ExpiresIn, 0))*time.Second, shortestLife)
	// By the wall clock: a machine that slept has an old token.
	return httpclient.Token{Value: answer.AccessToken, Expires: asked.Round(0).Add(life)}, answer.OwnerID, nil
}

// revoke ends the session of a token, so that it doesn't count among the few that a user
// and an app may have.
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

// note notes when a JWT ends, and returns its user.
func (c *credentials) note(jwt string) (user string) {
	user, expires := readClaims(jwt)
	c.ends.Store(&expires)
	return user
}

// expiry is when the JWT ends, as it was when the latest token was asked for; zero if it doesn't. It reads no file: a mount that hangs stops no scrape.
func (c *credentials) expiry() time.Time { return *c.ends.Load() }

// plainSubject is what may become part of a fingerprint.
var plainSubject = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,128}$`)

// latestExpiry is the last second of the year 9999: beyond it, a time means never.
const latestExpiry = 253402300799

// readClaims reads the claims of a JWT (RFC 7519): the user, by the id of the extension, and when it ends. Each may be missing; what is no JWT has
// none. The exporter can't check the signature, and needn't: RingCentral does.
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
