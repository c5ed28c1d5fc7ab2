package msgraph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// maxTokenAnswer bounds an answer to a request for a token, in bytes.
const maxTokenAnswer = 1 << 20

// exchange is the identity library's connection for one token. It remembers the last answer, because the library's errors hold it as text
// only and are never printed. It is for one goroutine.
type exchange struct {
	*credentials

	// endpoint is the only address that is asked; nil for a managed identity, whose endpoint the library knows.
	endpoint *url.URL
	host     string // for messages

	asked   bool  // something was sent
	network error // what went wrong on the way; nil: the answer is in the others
	status  int
	header  http.Header
	body    []byte
}

// Do implements the identity library's Transporter.
//
// The library first asks for the tenant's OpenID configuration. It is answered here: the token endpoint is documented, and so no answer can
// name another.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	switch {
	case x.endpoint == nil || r.URL.String() == x.endpoint.String():
		return x.send(r)
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		return x.discovery(r)
	}
	return nil, errors.New("refused: only the token endpoint is asked")
}

func (x *exchange) send(r *http.Request) (*http.Response, error) {
	began, code := time.Now(), "error"
	resp, err := x.transport.RoundTrip(r)
	if err == nil {
		code = strconv.Itoa(resp.StatusCode)
	}
	if x.observer != nil {
		x.observer.Request("", code, time.Since(began))
	}
	x.asked, x.network = true, err
	if err != nil {
		return nil, err
	}
	x.status, x.header = resp.StatusCode, resp.Header
	x.body, x.network = io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	_ = resp.Body.Close() // everything that matters was read
	resp.Body = io.NopCloser(bytes.NewReader(x.body))
	return resp, x.network
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
	if e, ok := errors.AsType[*advice.Error](err); ok {
		return e
	}
	switch {
	case !x.asked:
		return x.unusableCredential(err)
	case x.network != nil:
		e := &advice.Error{
			What: x.host + " can't be reached: " + httpclient.Describe(x.network),
			Todo: "check name resolution, proxy_url, the firewall and tls_config.ca_file, and login_url if it is set",
		}
		if x.endpoint == nil {
			e.Todo = "run the exporter on an Azure resource that has a managed identity, or use another kind of credential"
		}
		return httpclient.Retryable(e)
	case x.status == http.StatusOK:
		return httpclient.Retryable(&advice.Error{
			What: x.host + " answered with something that is no token",
			Todo: "see what stands between the exporter and the identity platform (a proxy or a gateway), and login_url",
		})
	}
	return x.refusal()
}
