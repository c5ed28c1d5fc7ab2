package wavix

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// queryKey is the parameter with the key for older accounts.
const queryKey = "appid"

// errKey doesn't repeat the key.
var errKey = &advice.Error{
	What: "the API key contains spaces or other invalid characters",
	Todo: "check that api_key or the file of api_key_file contains the key and nothing else",
}

// keySource is the httpclient.TokenSource of a source. A key doesn't expire and is never renewed,
// but its file may change: keySource reads it for each request.
type keySource struct{ key config.Secret }

// Token implements httpclient.TokenSource.
func (k keySource) Token(ctx context.Context) (string, error) {
	key, err := k.key.Value(ctx)
	if err != nil {
		return "", httpclient.Retryable(advice.UnreadableSecret(err)) // the file may be about to be replaced
	}
	key = strings.TrimSpace(key)
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errKey
	}
	return key, nil
}

// Invalidate implements httpclient.TokenSource. There is no cache: the next Token reads the file
// again.
func (keySource) Invalidate(string) {}

// inQuery puts the key into the URL, which nothing prints: httpclient strips it from errors and
// logs.
func inQuery(r *http.Request, key string) {
	parameter := queryKey + "=" + url.QueryEscape(key)
	if r.URL.RawQuery != "" {
		parameter = r.URL.RawQuery + "&" + parameter
	}
	r.URL.RawQuery = parameter
}
