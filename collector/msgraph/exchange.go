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

// exchange is the way to the identity platform for one token. It remembers the last
// answer, because the identity library's errors hold it as text only and are not
// printed. It is for one goroutine.
type exchange struct {
	httpclient.Exchange

	// endpoint is the one address that is asked; nil for a managed identity, whose
	// endpoint the library knows.
	endpoint *url.URL
	managed  bool
	host     string // for messages
}

// Do implements the identity library's Transporter.
//
// The library begins by asking for the tenant's OpenID configuration. It is answered
// here: the token endpoint is a documented one, and so nobody can name another.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	if x.endpoint != nil {
		if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
			return x.discovery(r)
		}
		if r.URL.String() != x.endpoint.String() {
			return nil, errors.New("refused: only the token endpoint is asked")
		}
	}
	return x.Send(r)
}

// discovery is the OpenID configuration of a tenant whose token endpoint is known.
func (x *exchange) discovery(r *http.Request) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{
		"issuer":                 "https://" + r.URL.Host + "/v2.0",
		"authorization_endpoint": x.endpoint.String(), // wanted, never used
		"token_endpoint":         x.endpoint.String(),
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// failed says why there is no token. Of the library's error it uses nothing once
// something was asked.
func (x *exchange) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e
	}
	switch {
	case !x.Asked:
		return unusableCredential(err, x.managed)
	case x.Network != nil:
		return httpclient.Retryable(&TokenError{
			what: x.host + " can't be reached: " + x.Unreached(),
			todo: x.unreachable(),
		})
	case x.Status == http.StatusOK:
		return httpclient.Retryable(&TokenError{
			Status: x.Status,
			what:   x.host + " answered with something that is no token",
			todo:   "see what stands between the exporter and the identity platform (a proxy or a gateway), and login_url",
		})
	}
	return x.refused()
}

func (x *exchange) unreachable() string {
	if x.managed {
		return "run the exporter on an Azure resource that has a managed identity, or use another kind of credential"
	}
	return "check name resolution, proxy_url, the firewall and tls_config.ca_file, and login_url if it is set"
}
