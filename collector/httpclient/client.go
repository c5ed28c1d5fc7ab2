package httpclient

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// maxBurst limits the requests that may follow one another without a pause.
const maxBurst = 10

// Client sends requests to one host. Its methods are safe for concurrent use; all callers share the
// request budget and the throttling.
type Client struct {
	settings  Settings
	base      *url.URL
	transport http.RoundTripper
	perMinute *rate.Limiter
	limiter   *Limiter
	offset    atomic.Pointer[time.Duration] // provider's clock minus ours; nil: not known yet
}

// New checks the settings and makes a Client. It sends no request. Its errors contain no secrets.
func New(settings Settings) (*Client, error) {
	base, err := parseBase(settings.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	if settings.RequestsPerMinute < 0 {
		return nil, errors.New("the requests per minute of the HTTP client are negative")
	}
	transport := settings.Transport
	if transport == nil {
		if transport, err = NewTransport(settings.TLS, settings.ProxyURL); err != nil {
			return nil, err
		}
	}
	if settings.Authorize == nil {
		settings.Authorize = bearer
	}
	settings.Observer = cmp.Or(settings.Observer, Observer(noObserver{}))
	if settings.Waits == (work.Backoff{}) {
		settings.Waits = work.Poll
	}
	settings.Logger = cmp.Or(settings.Logger, slog.New(slog.DiscardHandler))
	perSecond := rate.Inf
	if n := settings.RequestsPerMinute; n > 0 {
		perSecond = rate.Limit(float64(n) / 60)
	}
	if settings.Share > 0 {
		if limit := settings.Limit; limit.Requests > 0 {
			perSecond = min(perSecond, rate.Limit(float64(limit.Requests)/limit.Per.Seconds()))
		}
		perSecond *= rate.Limit(settings.Share)
	}
	return &Client{
		settings: settings, base: base, transport: transport,
		perMinute: rate.NewLimiter(perSecond, int(min(max(perSecond, 1), maxBurst))),
		limiter:   settings.Quotas.limiter(settings.QuotaKey, settings.Limit),
	}, nil
}

func bearer(r *http.Request, token string) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// Budget returns Settings.Limit as it is now, or RequestsPerMinute if that is less; for the latter
// the remaining requests aren't known.
func (c *Client) Budget() Budget {
	b := c.limiter.Budget()
	n := c.settings.RequestsPerMinute
	if b.Limit == 0 || n > 0 && float64(n) < float64(b.Limit)/b.Per.Minutes() {
		b.Limit, b.Remaining, b.Per = n, -1, time.Minute
	}
	return b
}

// ThrottledUntil returns when the client may send the next request, or zero if it may now.
func (c *Client) ThrottledUntil() time.Time { return c.limiter.Budget().FrozenUntil }

// observeDate reads an answer's Date. The server made the answer about halfway through the round
// trip.
func (c *Client) observeDate(header http.Header, sent time.Time, took time.Duration) {
	date, err := http.ParseTime(header.Get("Date"))
	age := header.Get("Age") // set by a cache, whose Date is old (RFC 9111 5.1)
	if err != nil || age != "" && age != "0" {
		return
	}
	offset := date.Sub(sent.Round(0).Add(took / 2)) // Round strips the monotonic reading, to compare wall clocks
	c.offset.Store(&offset)
}

// Offset returns the provider's clock minus the local one, and whether it is known. It comes from
// the latest answer's Date header and half its round trip. Date is cut to seconds, so the offset is
// up to a second too low, and never too high by more than half the round trip.
func (c *Client) Offset() (time.Duration, bool) {
	if offset := c.offset.Load(); offset != nil {
		return *offset, true
	}
	return 0, false
}

// Hostname returns the host name of Settings.BaseURL.
func (c *Client) Hostname() string { return c.base.Hostname() }

// Close closes idle connections. Requests in flight continue, and later ones still work.
func (c *Client) Close() { (&http.Client{Transport: c.transport}).CloseIdleConnections() }
