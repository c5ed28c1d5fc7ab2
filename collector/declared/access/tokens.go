package access

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/net/http/httpguts"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// TokenClient requests OAuth 2.0 tokens.
type TokenClient struct {
	*OAuth2

	headers *Credentials
	client  *httpclient.Client
	path    string
	ownHost bool // the token endpoint is on the API's host, so it gets the definition's headers too
	vault   vault
	now     func() time.Time
	title   string
	Signed  *assertion // nil without one

	refused error // stands until then for the request that was refused
	until   time.Time
	tried   [sha256.Size]byte
}

const (
	// refusalPause is how long the exporter waits after refused credentials. Somebody may correct the client or
	// the user, which the exporter can't see. Other credentials are tried at once.
	refusalPause = 5 * time.Minute
	// revokeTimeout limits the end of a session, because the exporter's shutdown waits for it.
	revokeTimeout = 5 * time.Second
)

// NewTokenClient makes the connection to the token endpoint, which may be on another host than the API.
func NewTokenClient(
	o *OAuth2, h *Credentials, settings *collector.SourceSettings,
) (*TokenClient, error) {
	address := language.Expand(o.TokenURL, h.Source.Values)
	s := settings.Settings
	s.BaseURL, s.Token, s.Authorize = h.Source.BaseURL, nil, nil
	if o.Limit != nil {
		s.RequestsPerMinute = 0 // the source's is for the API
		s.Limit = *o.Limit
		client := language.Expand(o.ClientID, h.Source.Values)
		s.QuotaKey = strings.Join([]string{h.Source.Provider, "token", s.BaseURL, client}, " ")
	}
	h.Source.Describe(&s)
	client, err := httpclient.New(s)
	if err != nil {
		return nil, err
	}
	_, elsewhere := client.Resolve(address)
	if elsewhere != nil {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return nil, errors.New("token_url isn't an address")
		}
		s.BaseURL = u.Scheme + "://" + u.Host
		if client, err = httpclient.New(s); err != nil {
			return nil, err
		}
	}
	var signed *assertion
	if o.Assertion != "" {
		if signed, err = openAssertion(o, h); err != nil {
			return nil, err
		}
	}
	return &TokenClient{
		Signed: signed,
		OAuth2: o, headers: h, client: client, path: address, ownHost: elsewhere == nil, now: settings.Now,
		title: h.Source.Title,
		vault: vault{load: settings.LoadSecret, replace: settings.ReplaceSecret, title: h.Source.Title},
	}, nil
}

// Ask requests a new token. One call runs at a time.
func (o *TokenClient) Ask(ctx context.Context) (token httpclient.Token, err error) {
	if o.RefreshToken == "" {
		got, err := o.request(ctx, url.Values{})
		return httpclient.Token{Value: got.Access, Expires: got.Expires}, err
	}
	configured, err := o.headers.expand(ctx, o.RefreshToken)
	if err != nil {
		return token, err
	}
	secret, err := o.headers.expand(ctx, o.ClientSecret)
	if err != nil {
		return token, err
	}
	return o.vault.renewed(ctx, configured, secret, o.now(), func(refresh string) (grant, error) {
		return o.request(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	})
}

// request sends a form with the definition's additions.
func (o *TokenClient) request(ctx context.Context, form url.Values) (got grant, err error) {
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	if o.ownHost {
		for name, text := range o.headers.Source.Headers {
			value, err := o.headers.expand(ctx, text)
			if err != nil {
				return got, err
			}
			header.Set(name, value)
		}
	}
	if o.Signed != nil {
		text, err := o.headers.expand(ctx, o.Signed.text)
		if err == nil {
			err = o.Signed.check(text)
		}
		if err != nil {
			return got, err
		}
		form.Set("grant_type", grantJWT)
		form.Set("assertion", strings.TrimSpace(text))
	}
	for key, text := range o.Params {
		value, err := o.headers.expand(ctx, text)
		if err != nil {
			return got, err
		}
		form.Set(key, value)
	}
	if err := o.addClient(ctx, form, header); err != nil {
		return got, err
	}
	asked, text := o.now(), form.Encode()
	if o.Format == jsonFormat {
		if text, err = jsonOf(form); err != nil {
			return got, err
		}
		header.Set("Content-Type", "application/json")
	}
	using := sha256.Sum256([]byte(header.Get(authorization) + "\n" + text))
	if o.refused != nil && o.tried == using && asked.Before(o.until) {
		return got, o.refused
	}
	body, err := o.client.Get(ctx, httpclient.Request{
		Method: http.MethodPost, URL: o.path, Label: "token", Header: header, Body: []byte(text),
	})
	if err != nil {
		o.refused = nil
		switch answer, answered := errors.AsType[*httpclient.Error](err); {
		case answered && refusesCredentials(answer):
			o.refused, o.tried, o.until = err, using, asked.Add(refusalPause)
		case answered && slices.Contains(mayPass, oauthError(answer.Body)):
			err = httpclient.Retryable(err)
		}
		return got, err
	}
	got, err = o.read(body, asked)
	switch {
	case err == nil && o.Signed != nil:
		err = o.Signed.checkOwner(o.ownerIn(body))
	case err != nil && o.Format == jsonFormat && rows.IsJSON(rows.Trimmed(body)): // so they refuse credentials
		err = &advice.Error{
			What: o.title + " answered the sign-in without a token",
			Todo: "check the user and the password; the exporter tries them again after five minutes, and others " +
				"at once",
		}
		o.refused, o.tried, o.until = err, using, asked.Add(refusalPause)
	}
	return got, err
}

// jsonOf is a form as a JSON object of texts.
func jsonOf(form url.Values) (string, error) {
	members := make(map[string]string)
	for key := range form {
		members[key] = form.Get(key)
	}
	text, err := json.Marshal(members, json.Deterministic(true))
	return string(text), err
}

// What an answer without a token says (RFC 6749 4.1.2.1 and 5.2): the client, the user or the grant is
// refused, or the refusal may pass.
var (
	ofCredentials = []string{"invalid_client", "invalid_grant", "unauthorized_client"}
	mayPass       = []string{"server_error", "temporarily_unavailable"}
)

// refusesCredentials says whether an answer refuses the credentials. Anything else may be a fault of
// the provider, or of something in between.
func refusesCredentials(answer *httpclient.Error) bool {
	switch answer.Kind {
	case httpclient.KindUnauthorized, httpclient.KindForbidden:
		return true
	case httpclient.KindBadRequest:
		return slices.Contains(ofCredentials, oauthError(answer.Body))
	default:
		return false
	}
}

// oauthError is the code in a refused answer, or empty.
func oauthError(body []byte) string {
	var answer struct {
		Code string `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.Code
}

// ownerIn is the user whom the answer with a token names.
func (o *TokenClient) ownerIn(body []byte) string {
	var answer language.Row
	if o.Owner == nil || !answer.SetJSON(rows.Trimmed(body)) {
		return ""
	}
	text, _ := answer.Text(o.Owner)
	return strings.Clone(text)
}

// revoke ends the session of a token (RFC 7009), so that it doesn't count towards the few that a
// user and a client may have.
func (o *TokenClient) revoke(token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), revokeTimeout)
	defer cancel()
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	form := url.Values{"token": {token}}
	if err := o.addClient(ctx, form, header); err != nil {
		return err
	}
	_, err := o.client.Get(ctx, httpclient.Request{
		Method: http.MethodPost, URL: language.Expand(o.RevokeURL, o.headers.Source.Values), Label: "revoke",
		Header: header, Body: []byte(form.Encode()),
	})
	return err
}

// addClient adds the client's credentials. A definition may have none: then params identify the
// client.
func (o *TokenClient) addClient(ctx context.Context, form url.Values, header http.Header) error {
	id, err := o.headers.expand(ctx, o.ClientID)
	if err != nil {
		return err
	}
	secret, err := o.headers.expand(ctx, o.ClientSecret)
	switch {
	case err != nil:
		return err
	case id == "":
	case o.ClientIn == "header":
		header.Set("Authorization", basic(url.QueryEscape(id), url.QueryEscape(secret))) // RFC 6749 2.3.1
	default:
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	return nil
}

// shortestLife replaces a life that can't be read from an answer. The token is still used, since it
// may have cost a refresh token.
const shortestLife = 10 * time.Minute

func (o *TokenClient) read(body []byte, asked time.Time) (got grant, err error) {
	var answer struct {
		AccessToken  string         `json:"access_token"`
		RefreshToken string         `json:"refresh_token"`
		ExpiresIn    jsontext.Value `json:"expires_in"` // seconds, a number; a text at some providers
	}
	err = json.Unmarshal(body, &answer)
	if err != nil || answer.AccessToken == "" || !httpguts.ValidHeaderFieldValue(answer.AccessToken) {
		return got, httpclient.Retryable(&advice.Error{
			What: o.title + " answered without a token", // the decoder's text may quote it
			Todo: "check for something between the exporter and " + o.title +
				" (a proxy, a gateway or a sign-in page), and check base_url",
		})
	}
	text, _ := language.TextOf(answer.ExpiresIn)
	whole, _, _ := strings.Cut(text, ".")
	seconds, _ := strconv.ParseInt(whole, 10, 32) // 0 if it isn't a number; the maximum if it is larger
	life := cmp.Or(time.Duration(max(seconds, 0))*time.Second, shortestLife)
	return grant{Refresh: answer.RefreshToken, Access: answer.AccessToken, Expires: asked.Round(0).Add(life)}, nil
}

// Close ends the session, if there is one, within a time limit.
func (o *TokenClient) Close(logger *slog.Logger) {
	if token := o.headers.Tokens.Take(); token != "" && o.RevokeURL != "" {
		if err := o.revoke(token); err != nil {
			logger.Info("Can't end the session; the provider ends it when its token expires", "err", err)
		}
	}
	o.client.Close()
}
