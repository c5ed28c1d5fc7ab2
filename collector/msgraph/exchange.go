package msgraph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// exchange is the identity library's connection for one token. It remembers the last answer, because the library's errors hold it as text
// only and are never printed. It is for one goroutine.
type exchange struct {
	httpclient.Exchange

	// endpoint is the only address that is asked; nil for a managed identity, whose endpoint the library knows.
	endpoint *url.URL
	host     string // for messages
}

// Do implements the identity library's Transporter.
//
// The library first asks for the tenant's OpenID configuration. It is answered here: the token endpoint is documented, and so no answer can
// name another.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	switch {
	case x.endpoint == nil || r.URL.String() == x.endpoint.String():
		return x.Send(r)
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		return x.discovery(r)
	}
	return nil, errors.New("refused: only the token endpoint is asked")
}

// discovery is the OpenID configuration of a tenant whose token endpoint is known.
func (x *exchange) discovery(r *http.Request) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{
		"issuer":                 "https://" + r.URL.Host + "/v2.0",
		"authorization_endpoint": x.endpoint.String(), // must be given, is never used
		"token_endpoint":         x.endpoint.String(),
	})
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
	}, err
}

// tokenError says why there is no token. It prints the library's error only if nothing was asked.
func (x *exchange) tokenError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e
	}
	switch {
	case !x.Asked:
		return x.unusableCredential(err)
	case x.Network != nil:
		e := &TokenError{
			what: x.host + " can't be reached: " + x.Unreached(),
			todo: "check name resolution, proxy_url, the firewall and tls_config.ca_file, and login_url if it is set",
		}
		if x.endpoint == nil {
			e.todo = "run the exporter on an Azure resource that has a managed identity, or use another kind of credential"
		}
		return httpclient.Retryable(e)
	case x.Status == http.StatusOK:
		return httpclient.Retryable(&TokenError{
			what: x.host + " answered with something that is no token",
			todo: "see what stands between the exporter and the identity platform (a proxy or a gateway), and login_url",
		})
	}
	return x.refusal()
}
