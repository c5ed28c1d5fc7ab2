package declared

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/net/http/httpguts"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// headers gives the headers of a definition, with the secrets as their files hold them now. It is a TokenSource: a token is a list of headers, one
// a line.
type headers struct {
	block  *Block
	http   *HTTP
	tokens *httpclient.Tokens // of OAuth 2.0; nil: none

	mu    sync.Mutex
	inner map[string]string // the token within a list of headers
}

// Token implements httpclient.TokenSource.
func (h *headers) Token(ctx context.Context) (string, error) {
	var lines []string
	add := func(name, value string) error {
		if !httpguts.ValidHeaderFieldValue(value) {
			return &advice.Error{What: "the header " + name + " can't have this value", Todo: "check the secrets: a file must hold one line"}
		}
		lines = append(lines, name+"\n"+value)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(h.http.Headers)) {
		value, err := h.expand(ctx, h.http.Headers[name])
		if err == nil {
			err = add(name, value)
		}
		if err != nil {
			return "", err
		}
	}
	value, token, err := h.authorization(ctx)
	if err == nil && value != "" {
		err = add("Authorization", value)
	}
	if err != nil {
		return "", err
	}
	list := strings.Join(lines, "\n")
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inner = map[string]string{list: token}
	return list, nil
}

// Invalidate implements httpclient.TokenSource.
func (h *headers) Invalidate(list string) {
	h.mu.Lock()
	token := h.inner[list]
	h.mu.Unlock()
	if h.tokens != nil && token != "" {
		h.tokens.Invalidate(token)
	}
}

func (h *headers) expand(ctx context.Context, text string) (string, error) {
	value, err := h.block.expand(ctx, text)
	if err != nil {
		return "", advice.UnreadableSecret(err)
	}
	return value, nil
}

func (h *headers) authorization(ctx context.Context) (value, token string, err error) {
	switch a := &h.http.Auth; {
	case a.Basic != nil:
		user, err := h.expand(ctx, a.Basic.Username)
		if err != nil {
			return "", "", err
		}
		password, err := h.expand(ctx, a.Basic.Password)
		return basic(user, password), "", err
	case a.Bearer != "":
		token, err := h.expand(ctx, a.Bearer)
		return "Bearer " + token, "", err
	case h.tokens != nil:
		token, err := h.tokens.Token(ctx)
		return "Bearer " + token, token, err
	}
	return "", "", nil
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// authorize puts a list of headers on a request.
func authorize(r *http.Request, list string) {
	lines := strings.Split(list, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		r.Header.Set(lines[i], lines[i+1])
	}
}

// oauth asks for tokens of OAuth 2.0.
type oauth struct {
	*OAuth2

	headers *headers
	client  *httpclient.Client
	path    string
	now     func() time.Time
	title   string
}

// newOAuth prepares the way to the token's address, which may be on a host of its own: the definition's headers go with it on the API's host only.
func newOAuth(o *OAuth2, h *headers, settings *collector.SourceSettings, title string) (*oauth, error) {
	address := expand(o.TokenURL, h.block.Values)
	s := settings.Settings
	s.BaseURL, s.Token, s.Authorize = h.block.BaseURL, nil, nil
	if !strings.HasPrefix(address, "/") {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return nil, errors.New("token_url is no address")
		}
		s.BaseURL = u.Scheme + "://" + u.Host
	}
	client, err := httpclient.New(s)
	if err != nil {
		return nil, err
	}
	return &oauth{o, h, client, address, settings.Now, title}, nil
}

// ask gets a new token.
func (o *oauth) ask(ctx context.Context) (token httpclient.Token, err error) {
	form, header := url.Values{}, http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	for key, text := range o.Params {
		value, err := o.headers.expand(ctx, text)
		if err != nil {
			return token, err
		}
		form.Set(key, value)
	}
	id, err := o.headers.expand(ctx, o.ClientID)
	if err != nil {
		return token, err
	}
	secret, err := o.headers.expand(ctx, o.ClientSecret)
	switch {
	case err != nil:
		return token, err
	case id == "":
	case o.ClientIn == "header":
		header.Set("Authorization", basic(url.QueryEscape(id), url.QueryEscape(secret))) // RFC 6749 2.3.1
	default:
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	asked := o.now()
	body, err := o.client.Get(ctx, httpclient.Request{
		Method: http.MethodPost, URL: o.path, Label: "token", Header: header, Body: []byte(form.Encode()),
	})
	if err != nil {
		return token, err
	}
	return o.read(body, asked)
}

// shortestLife stands in for a life that an answer doesn't give.
const shortestLife = 10 * time.Minute

func (o *oauth) read(body []byte, asked time.Time) (token httpclient.Token, err error) {
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
	}
	err = json.Unmarshal(body, &answer)
	if err != nil || answer.AccessToken == "" || !httpguts.ValidHeaderFieldValue(answer.AccessToken) {
		return token, httpclient.Retryable(&advice.Error{
			What: o.title + " answered with something that is no token", // the decoder's text may quote it
			Todo: "see what stands between the exporter and " + o.title + " (a proxy, a gateway or its sign-in page), and base_url",
		})
	}
	life := time.Duration(max(answer.ExpiresIn, 0)) * time.Second
	if life == 0 {
		life = shortestLife
	}
	return httpclient.Token{Value: answer.AccessToken, Expires: asked.Round(0).Add(life)}, nil
}
