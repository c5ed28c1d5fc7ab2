package httpclient

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Settings is what New needs. Don't change it afterwards.
type Settings struct {
	// BaseURL has the only scheme, host and port that the client sends requests to, such as
	// "https://graph.microsoft.com". Plain http is for loopback only. Relative links are resolved
	// against it. It must not have user information, a query or a fragment.
	BaseURL string

	// Token gives the token of each request; nil means no token.
	Token TokenSource
	// Authorize puts the token on a request ("" without a TokenSource); it may change headers and
	// query. If it is nil and there is a TokenSource, the client sends "Authorization: Bearer
	// <token>".
	Authorize func(r *http.Request, token string)

	// TLS is the source's tls_config. The client reads its files again when they change.
	TLS config.TLSConfig
	// ProxyURL is an http, https, socks5 or socks5h proxy; nil means HTTP_PROXY, HTTPS_PROXY and
	// NO_PROXY.
	ProxyURL *url.URL
	// Transport replaces the network in tests; TLS and ProxyURL are then not used.
	Transport http.RoundTripper

	// Waits are those between the retries of a request; zero means work.Poll.
	Waits work.Backoff

	// RequestsPerMinute limits the requests of all feeds together; 0 means no limit.
	RequestsPerMinute int
	// Share is the part of RequestsPerMinute, or else of Limit, that the client uses, to leave the
	// rest to other programs; 0 means all.
	Share float64
	// Limit is the provider's own limit, enforced in addition to RequestsPerMinute; zero if
	// unknown.
	Limit Limit
	// Quotas, with QuotaKey, shares the Limiter with clients of the same credential, also those
	// from before a reload.
	Quotas *Quotas
	// QuotaKey names the credential and the group of requests of its limit. It must not contain a
	// secret.
	QuotaKey string
	// KeepTokenOn403 says that a new token doesn't help after 403, so the client doesn't request
	// one.
	KeepTokenOn403 bool

	// UserAgent is sent with each request.
	UserAgent string
	// ClientRequestIDHeader is the header that carries a new id with each request, such as
	// "client-request-id"; empty means that the client sends none.
	ClientRequestIDHeader string
	// RequestIDHeaders are the answer's headers with ids to quote to the provider's support.
	RequestIDHeaders []string

	// Quote returns what an error's text repeats from the body of a refused answer, such as the
	// provider's own code, or an empty string. It must not repeat a secret. If Quote is nil, error
	// texts repeat nothing.
	Quote func(body []byte) string

	// Observer receives requests and throttling; may be nil.
	Observer Observer
	// Logger receives retries and throttling; nil means that they aren't logged.
	Logger *slog.Logger
}

// TokenSource gets and renews the token of requests. Its methods must be safe for concurrent use.
// Its errors' texts become part of ours, so they must not contain secrets.
type TokenSource interface {
	// Token returns a valid token, from a cache if possible. It marks an error that may pass with
	// Retryable.
	Token(ctx context.Context) (string, error)
	// Invalidate reports that the provider refused this token. Token must not return it from its
	// cache again. A token that is no longer cached is ignored.
	Invalidate(token string)
}

// Observer counts requests and waiting time. Its methods must be safe for concurrent use.
type Observer interface {
	// Request is called once for each request that was sent. code is the HTTP status, or "error"
	// without one; duration ends when the headers have arrived.
	Request(feed, code string, duration time.Duration)
	// Throttled is called during and after a feed's wait because the provider throttles or its
	// limit (Settings.Limit) is used up. duration is the time since the last call. It doesn't
	// include the wait behind another feed, or for RequestsPerMinute.
	Throttled(feed string, duration time.Duration)
}

// Request is one GET, unless Method says something else.
type Request struct {
	// Method is GET if it is empty. Fetch retries a POST only if the provider refused it: otherwise
	// the server may have executed it.
	Method string
	// Body is JSON, unless Header has another Content-Type; nil means no body.
	Body []byte
	// NextBody gives Pages the body of each further page; if nil, all pages use Body.
	NextBody func() []byte
	// Reads says that a POST only reads, so that it is treated as a GET.
	Reads bool
	// Feed is the value of the feed label in metrics and logs.
	Feed string
	// URL is absolute or relative to Settings.BaseURL. The client sends it unchanged.
	URL string
	// Label names the endpoint in errors and logs; if empty, they have the URL without its query.
	Label string
	// Header is added to the request.
	Header http.Header
	// NoContent accepts 204 No Content as an answer to a request that reads.
	NoContent bool
	// Answered receives an answer's status and headers, such as a Link, before it is decoded; may be nil.
	Answered func(status int, header http.Header)
	// ExpectJSON makes an answer that is HTML or empty a KindBody error.
	ExpectJSON bool
	// MaxBody limits an answer, in decompressed bytes; 0 means 64 MiB.
	MaxBody int64
	// Pace is an additional limit for requests of this kind; may be nil.
	Pace *Limiter
	// Into is memory for the answer, which is overwritten; if nil, each answer gets new memory.
	Into *bytes.Buffer
}

type noObserver struct{}

func (noObserver) Request(string, string, time.Duration) {}
func (noObserver) Throttled(string, time.Duration)       {}
