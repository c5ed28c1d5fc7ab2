package httpclient

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/config"
)

// Settings is what New needs. It is not changed afterwards.
type Settings struct {
	// BaseURL is the only scheme, host and port that is ever asked, such as
	// "https://graph.microsoft.com". Plain http is for loopback only. Relative links are resolved
	// against it; user information, a query and a fragment are refused.
	BaseURL string

	// Token gives the token of each request; nil: none.
	Token TokenSource
	// Authorize puts the token on a request ("" without a TokenSource); it may change headers and
	// query. Nil: "Authorization: Bearer <token>" if there is a TokenSource.
	Authorize func(r *http.Request, token string)

	// TLS is the source's tls_config. Its files are read again when they change.
	TLS config.TLSConfig
	// ProxyURL is an http, https, socks5 or socks5h proxy; nil: as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say.
	ProxyURL *url.URL
	// Transport replaces the network in tests; TLS and ProxyURL are then not used.
	Transport http.RoundTripper

	// RequestsPerMinute bounds what all feeds together send; 0: no bound.
	RequestsPerMinute int
	// Share is the part of RequestsPerMinute, or else of Limit, that is used, so that another program goes first; 0: all.
	Share float64
	// Limit is the provider's own, kept to beside RequestsPerMinute; zero: none is known.
	Limit Limit
	// Quotas, with QuotaKey, shares the Limiter with clients of the same credential, those before a reload among them.
	Quotas *Quotas
	// QuotaKey names the credential and the group of requests that its limit is for, without what is secret.
	QuotaKey string
	// KeepTokenOn403 says that a new token is no use after 403, so that none is asked
	// for.
	KeepTokenOn403 bool

	// UserAgent is sent with each request.
	UserAgent string
	// ClientRequestIDHeader names the header that carries a new id with each request, such as
	// "client-request-id"; "": none is sent.
	ClientRequestIDHeader string
	// RequestIDHeaders names the answer's headers that hold ids to quote to the provider.
	RequestIDHeaders []string

	// Quote returns what an error's text repeats of the body of a refused answer, such as the provider's own code; empty: nothing. It must not
	// repeat what may be secret. Nil: nothing is repeated.
	Quote func(body []byte) string

	// Observer takes requests and throttling; nil: they are dropped.
	Observer Observer
	// Logger gets retries and throttling; nil: nowhere.
	Logger *slog.Logger
}

// TokenSource gives and renews the token of requests. Its methods may be called from several
// goroutines at once. Its errors' texts become part of ours: they must not hold secrets.
type TokenSource interface {
	// Token returns a valid token, from a cache where it can. An error that may pass is marked by Retryable.
	Token(ctx context.Context) (string, error)
	// Invalidate says that the provider refused this token: Token must not return it again
	// from its cache. A token that is no longer cached is ignored.
	Invalidate(token string)
}

// Observer counts what requests cost. Its methods may be called from several goroutines at once.
type Observer interface {
	// Request is called once for each request that was sent. The code is the HTTP status, or "error"
	// without one; the duration is that until the headers were there.
	Request(feed, code string, duration time.Duration)
	// Throttled is called while, and after, a feed waits because the provider throttles or its
	// limit (Settings.Limit) is used up, with the time that has passed since the last call. Waiting in the queue behind
	// another feed, or for RequestsPerMinute, doesn't count.
	Throttled(feed string, duration time.Duration)
}

// Request is one GET, unless Method says something else.
type Request struct {
	// Method is GET if it is empty. A POST is never sent again by Fetch, unless the
	// provider refused it: it may have been carried out.
	Method string
	// Body is JSON, unless Header has another Content-Type; nil: none.
	Body []byte
	// NextBody gives Pages the body of each page in place of Body; nil: all have Body.
	NextBody func() []byte
	// Reads says that a POST only reads, so that it is treated as a GET.
	Reads bool
	// Feed is the label of metrics and logs.
	Feed string
	// URL is absolute or relative to Settings.BaseURL. It is sent as it stands.
	URL string
	// Label stands for the endpoint in errors and logs; "": the URL without its query.
	Label string
	// Header is added to the request.
	Header http.Header
	// Answered gets the headers of an answer before it is decoded, such as a Link; nil: nobody needs them.
	Answered func(header http.Header)
	// ExpectJSON makes an answer that is HTML or empty a KindBody error.
	ExpectJSON bool
	// MaxBody bounds an answer, in decompressed bytes; 0: 64 MiB.
	MaxBody int64
	// Pace is a further limit on requests such as this; nil: none.
	Pace *Limiter
	// Into gives the memory of an answer, which is overwritten; nil: each answer has new memory.
	Into func() *bytes.Buffer
}

type noObserver struct{}

func (noObserver) Request(string, string, time.Duration) {}
func (noObserver) Throttled(string, time.Duration)       {}
