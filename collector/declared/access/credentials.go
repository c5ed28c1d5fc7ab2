package access

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// Source is how requests of a source are authorized.
type Source struct {
	// Provider and Title name the provider: in accounts, and in messages.
	Provider, Title string
	BaseURL         string
	Auth            *Auth
	Headers         map[string]string
	// Secrets are the secrets, in braces, that queries and bodies name.
	Secrets []string
	// Values are the source's parameters, without secrets; Expand puts both into a text.
	Values map[string][]string
	Expand func(ctx context.Context, text string) (string, error)
	// Describe says what errors repeat of refused answers.
	Describe func(*httpclient.Settings)
}

// Credentials provides the headers of a definition, and the secrets in queries and bodies, with the
// current content of their files. It is a TokenSource. Its token is a list of names and values,
// each on a line. The name of a secret stands in braces.
type Credentials struct {
	Source *Source
	Tokens *httpclient.Tokens // for OAuth 2.0; nil without it
}

// An OAuth 2.0 token is the last line of a list.
const (
	authorization = "Authorization"
	bearer        = "Bearer "
)

// queryMark is what the name of a parameter of the address begins with in a list.
const queryMark = "?"

// Token implements httpclient.TokenSource.
func (h *Credentials) Token(ctx context.Context) (string, error) {
	var lines []string
	add := func(name, value string) error {
		if !httpguts.ValidHeaderFieldValue(value) {
			return &advice.Error{
				What: "the header " + name + " can't have this value",
				Todo: "check the secrets: a file must contain one line",
			}
		}
		lines = append(lines, name+"\n"+value)
		return nil
	}
	for _, name := range h.Source.Secrets {
		value, err := h.expand(ctx, name)
		if err != nil {
			return "", err
		}
		if strings.Contains(value, "\n") {
			return "", &advice.Error{
				What: "the secret " + name + " has several lines",
				Todo: "check the secrets: a file must contain one line",
			}
		}
		lines = append(lines, name, value)
	}
	auth, texts := h.Source.Auth.chosen(h.Source.Values), make(map[string]string)
	maps.Copy(texts, h.Source.Headers)
	for name, text := range auth.Query {
		texts[queryMark+name] = text
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		value, err := h.expand(ctx, texts[name])
		if err == nil {
			err = add(name, value)
		}
		if err != nil {
			return "", err
		}
	}
	name, value, err := h.authorization(ctx, auth)
	if err == nil && value != "" {
		err = add(name, value)
	}
	return strings.Join(lines, "\n"), err
}

// Invalidate implements httpclient.TokenSource.
func (h *Credentials) Invalidate(list string) {
	if h.Tokens != nil {
		h.Tokens.Invalidate(strings.TrimPrefix(list[strings.LastIndexByte(list, '\n')+1:], bearer))
	}
}

func (h *Credentials) expand(ctx context.Context, text string) (string, error) {
	value, err := h.Source.Expand(ctx, text)
	if err != nil {
		return "", advice.UnreadableSecret(err)
	}
	return value, nil
}

// authorization is the name and the value of a list that authorize a request.
func (h *Credentials) authorization(ctx context.Context, a *authKeys) (name, value string, err error) {
	switch {
	case a.Basic != nil:
		user, err := h.expand(ctx, a.Basic.Username)
		if err != nil {
			return "", "", err
		}
		password, err := h.expand(ctx, a.Basic.Password)
		return authorization, basic(user, password), err
	case a.Bearer != "":
		token, err := h.expand(ctx, a.Bearer)
		return authorization, bearer + token, err
	case h.Tokens != nil:
		token, err := h.Tokens.Token(ctx)
		if parameter := a.OAuth2.Query; parameter != "" {
			return queryMark + language.Expand(parameter, h.Source.Values), token, err
		}
		return authorization, bearer + token, err
	}
	return "", "", nil
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// putIntoBody replaces the name of a secret in a JSON body by the secret.
func putIntoBody(r *http.Request, name, secret string) {
	if r.Body == nil || r.Header.Get("Content-Type") != "application/json" {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // reading memory doesn't fail
	}
	value := rows.Quoted(secret)
	body = bytes.ReplaceAll(body, []byte(name), value[1:len(value)-1])
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

// WithParameter is a query that has a parameter once, with this value. Other parameters stay as they are written.
func WithParameter(query, name, value string) string {
	pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		key, _, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		return pair == "" || err == nil && key == name
	})
	return strings.Join(append(pairs, url.Values{name: {value}}.Encode()), "&")
}

// Authorize puts a list of headers and secrets on a request.
func Authorize(r *http.Request, list string) {
	lines := strings.Split(list, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		if name, is := strings.CutPrefix(lines[i], queryMark); is {
			r.URL.RawQuery = WithParameter(r.URL.RawQuery, name, lines[i+1])
		} else if strings.HasPrefix(lines[i], "{") {
			r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, url.QueryEscape(lines[i]), url.QueryEscape(lines[i+1]))
			putIntoBody(r, lines[i], lines[i+1])
		} else {
			r.Header.Set(lines[i], lines[i+1])
		}
	}
}
