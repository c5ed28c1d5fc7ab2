package ringcentral

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// exchange is the way to one OAuth endpoint for one request. It remembers the answer,
// because the errors of the OAuth library hold it as text, and aren't printed. It is for
// one goroutine.
type exchange struct {
	httpclient.Exchange

	userAgent string
	// endpoint is the one address that is asked.
	endpoint *url.URL
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
	return x.Send(r)
}
