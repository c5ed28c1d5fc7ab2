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

// maxTokenAnswer limits the answer to a token request, in bytes.
const maxTokenAnswer = 1 << 20

// exchange is the identity library's connection for one token. It remembers the last answer: the
// library's errors contain the answer only as text, so they are never printed. It is for one
// goroutine.
type exchange struct {
	*credentials

	// endpoint is the only address for requests. It is nil for a managed identity, whose endpoint
	// the library knows.
	endpoint *url.URL
	host     string // for messages

	asked   bool  // a request was sent
	network error // nil: an answer arrived, see the other fields
	status  int
	header  http.Header
	body    []byte
}

// Do implements the identity library's Transporter.
//
// The library first requests the tenant's OpenID configuration. Do returns it without a request:
// the token endpoint is documented, so an answer can't redirect the library elsewhere.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	switch {
	case x.endpoint == nil || r.URL.String() == x.endpoint.String():
		return x.send(r)
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		return x.discovery(r)
	}
	return nil, errors.New("refused: requests go to the token endpoint only")
}

func (x *exchange) send(r *http.Request) (*http.Response, error) {
	began, code := time.Now(), "error" //nolint:forbidigo // how long a request took
	resp, err := x.transport.RoundTrip(r)
	if err == nil {
		code = strconv.Itoa(resp.StatusCode)
	}
	if x.observer != nil {
		x.observer.Request("", code, time.Since(began)) //nolint:forbidigo // see above
	}
	x.asked, x.network = true, err
	if err != nil {
		return nil, err
	}
	x.status, x.header = resp.StatusCode, resp.Header
	x.body, x.network = io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	_ = resp.Body.Close() // the content was read
	resp.Body = io.NopCloser(bytes.NewReader(x.body))
	return resp, x.network
}

// discovery is the OpenID configuration of a tenant whose token endpoint is known.
func (x *exchange) discovery(r *http.Request) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{
		"issuer":                 "https://" + r.URL.Host + "/v2.0",
		"authorization_endpoint": x.endpoint.String(), // required but never used
		"token_endpoint":         x.endpoint.String(),
	})
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)),
	}, err
}

// tokenError explains why the exchange gave no token. It prints the library's error only if no
// request was sent.
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
			e.Todo = "run the exporter on an Azure resource that has a managed identity, or use another kind " +
				"of credential"
		}
		return httpclient.Retryable(e)
	case x.status == http.StatusOK:
		return httpclient.Retryable(&advice.Error{
			What: x.host + " answered without a token",
			Todo: "check for a proxy or a gateway between the exporter and the identity platform, and check login_url",
		})
	}
	return x.refusal()
}
