package otlp

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"
)

// maxResponse bounds what is read of an answer; a partial success is far smaller.
const maxResponse = 1 << 20

// transport is under all HTTP requests, those of the SDK included: it adds the
// headers, bounds the answer, and throws away the text of a refusal.
type transport struct {
	base      http.RoundTripper
	headers   *headers
	userAgent string
	timeout   time.Duration
	now       func() time.Time
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.send(req)
	switch {
	case err != nil:
		note(req.Context(), networkProblem(err, t.timeout))
		return nil, err
	case !success(res.StatusCode):
		note(req.Context(), judgeHTTP(res.StatusCode, res.Header, t.now()).problem)
		// Reading a little lets the connection be used again.
		_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
		res.Body.Close()
		res.Body, res.ContentLength = http.NoBody, 0
	default:
		note(req.Context(), "")
		res.Body = bounded{io.LimitReader(res.Body, maxResponse), res.Body}
	}
	return res, nil
}

// send adds the headers. What the body is isn't for the configuration to say.
func (t *transport) send(req *http.Request) (*http.Response, error) {
	own := req.Clone(req.Context())
	own.Header.Set("User-Agent", t.userAgent)
	if err := t.headers.each(own.Header.Set); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if values := req.Header.Values(name); len(values) > 0 {
			own.Header[name] = values
		}
	}
	return t.base.RoundTrip(own)
}

func success(code int) bool { return code >= 200 && code <= 299 }

// bounded is the beginning of a body.
type bounded struct {
	io.Reader
	io.Closer
}

// newTransport is the HTTP transport if none was passed in.
func newTransport(config *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          4,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// newHTTPClient makes the client of both signals. Redirects aren't followed: a
// POST would become a GET, whose 200 is no acceptance.
func newHTTPClient(s Settings, h *headers, now func() time.Time) *http.Client {
	base := s.Transport
	if base == nil {
		base = newTransport(s.TLS)
	}
	return &http.Client{
		Transport:     &transport{base: base, headers: h, userAgent: userAgent(s), timeout: s.Timeout, now: now},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func userAgent(s Settings) string { return "cdr-exporter/" + s.Version }
