package ringcentral

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// maxTokenAnswer bounds an answer of an OAuth endpoint, in bytes.
const maxTokenAnswer = 1 << 20

// exchange is the way to one OAuth endpoint for one request. It remembers the answer,
// because the errors of the OAuth library hold it as text, and aren't printed. It is for
// one goroutine.
type exchange struct {
	transport http.RoundTripper
	observer  httpclient.Observer
	userAgent string
	// endpoint is the one address that is asked.
	endpoint *url.URL

	asked   bool
	network error
	status  int
	header  http.Header
	body    []byte
}

// client asks through the exchange and follows no redirect: what is sent is a secret.
func (x *exchange) client() *http.Client {
	return &http.Client{
		Transport:     x,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip implements http.RoundTripper.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.String() != x.endpoint.String() {
		return nil, errors.New("refused: only the OAuth endpoint is asked")
	}
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	if x.userAgent != "" {
		r.Header.Set("User-Agent", x.userAgent)
	}
	x.asked = true
	started := time.Now()
	resp, err := x.transport.RoundTrip(r)
	x.observe(resp, time.Since(started))
	if err != nil {
		x.network = err
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	_ = resp.Body.Close() // everything that matters was read
	if err != nil {
		x.network = err
		return nil, err
	}
	x.status, x.header, x.body = resp.StatusCode, resp.Header, body
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (x *exchange) observe(resp *http.Response, took time.Duration) {
	if x.observer == nil {
		return
	}
	code := "error"
	if resp != nil {
		code = strconv.Itoa(resp.StatusCode)
	}
	x.observer.Request("", code, took)
}
