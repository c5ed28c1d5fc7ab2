package declared

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
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// headers provides the headers of a definition, and the secrets in queries and bodies, with the
// current content of their files. It is a TokenSource. Its token is a list of names and values,
// each on a line. The name of a secret stands in braces.
type headers struct {
	block  *Block
	http   *HTTP
	tokens *httpclient.Tokens // for OAuth 2.0; nil without it
}

// An OAuth 2.0 token is the last line of a list.
const (
	authorization = "Authorization"
	bearer        = "Bearer "
)

// queryMark is what the name of a parameter of the address begins with in a list.
const queryMark = "?"

// Token implements httpclient.TokenSource.
func (h *headers) Token(ctx context.Context) (string, error) {
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
	for _, name := range slices.Sorted(maps.Keys(h.http.Headers)) {
		value, err := h.expand(ctx, h.http.Headers[name])
		if err == nil {
			err = add(name, value)
		}
		if err != nil {
			return "", err
		}
	}
	for _, name := range h.block.requestSecrets() {
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
	auth := h.http.Auth.chosen(h.block.Values)
	for _, name := range slices.Sorted(maps.Keys(auth.Query)) {
		value, err := h.expand(ctx, auth.Query[name])
		if err == nil {
			err = add(queryMark+name, value)
		}
		if err != nil {
			return "", err
		}
	}
	value, err := h.authorization(ctx, auth)
	if err == nil && value != "" {
		err = add(authorization, value)
	}
	return strings.Join(lines, "\n"), err
}

// Invalidate implements httpclient.TokenSource.
func (h *headers) Invalidate(list string) {
	if _, token, is := strings.Cut(list, authorization+"\n"+bearer); is && h.tokens != nil {
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

func (h *headers) authorization(ctx context.Context, a *authKeys) (value string, err error) {
	switch {
	case a.Basic != nil:
		user, err := h.expand(ctx, a.Basic.Username)
		if err != nil {
			return "", err
		}
		password, err := h.expand(ctx, a.Basic.Password)
		return basic(user, password), err
	case a.Bearer != "":
		token, err := h.expand(ctx, a.Bearer)
		return bearer + token, err
	case h.tokens != nil:
		token, err := h.tokens.Token(ctx)
		return bearer + token, err
	}
	return "", nil
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// requestSecrets are the secrets that queries and bodies of the block's feeds name, in braces.
func (b *Block) requestSecrets() (all []string) {
	for name := range b.Feeds {
		f := b.definition.Feeds[name]
		texts, _ := f.Request.texts()
		if f.Totals != nil {
			more, _ := f.Totals.Request.texts()
			addKeys(texts, "totals", more)
		}
		for _, text := range texts {
			for _, secret := range secretNames(text, f.secrets) {
				all = append(all, "{"+secret+"}")
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
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

// authorize puts a list of headers and secrets on a request.
func authorize(r *http.Request, list string) {
	lines := strings.Split(list, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		if name, is := strings.CutPrefix(lines[i], queryMark); is {
			parameter := url.Values{name: {lines[i+1]}}.Encode()
			r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+parameter, "&")
		} else if strings.HasPrefix(lines[i], "{") {
			r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, url.QueryEscape(lines[i]), url.QueryEscape(lines[i+1]))
			putIntoBody(r, lines[i], lines[i+1])
		} else {
			r.Header.Set(lines[i], lines[i+1])
		}
	}
}
