package httpclient

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/time/rate"
)

// maxBurst bounds how many requests may follow one another without a pause.
const maxBurst = 10

// Client asks one host. Its methods may be called from several goroutines at once; they share
// the budget of requests and the throttling.
type Client struct {
	settings  Settings
	base      *url.URL
	transport http.RoundTripper
	perMinute *rate.Limiter // nil: no bound
	limiter   *Limiter
	clock     clock
	maxBody   int64 // bounds one body, in decompressed bytes
}

// New checks the settings and makes a Client; it asks nothing yet. Its errors hold no secrets.
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
	client := &Client{settings: withDefaults(settings), base: base, transport: transport, maxBody: maxBody}
	client.limiter = settings.Quotas.limiter(settings.QuotaKey, settings.Limit)
	if perMinute := settings.RequestsPerMinute; perMinute > 0 {
		burst := min(max(perMinute/60, 1), maxBurst)
		client.perMinute = rate.NewLimiter(rate.Limit(float64(perMinute)/60), burst)
	}
	return client, nil
}

func withDefaults(s Settings) Settings {
	if s.Authorize == nil {
		s.Authorize = bearer
	}
	s.Observer = cmp.Or(s.Observer, Observer(noObserver{}))
	s.Logger = cmp.Or(s.Logger, slog.New(slog.DiscardHandler))
	return s
}

func bearer(r *http.Request, token string) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// Budget returns Settings.Limit as it is now, or RequestsPerMinute if that is less, of which isn't known what remains.
func (c *Client) Budget() Budget {
	b := c.limiter.Budget()
	if n := c.settings.RequestsPerMinute; b.Limit == 0 || n > 0 && n < b.Limit {
		b.Limit, b.Remaining, b.Per = n, -1, time.Minute
	}
	return b
}

// ThrottledUntil returns when the provider may be asked again, or zero if it may be now.
func (c *Client) ThrottledUntil() time.Time { return c.limiter.Budget().FrozenUntil }

// Hostname returns that of Settings.BaseURL.
func (c *Client) Hostname() string { return c.base.Hostname() }

// Offset returns the provider's clock minus the local one, by the Date header of the latest answer and
// less half its round trip, and whether there was one. As Date is cut to seconds
// it is up to a second too low, never too high by more than half the round trip.
func (c *Client) Offset() (time.Duration, bool) { return c.clock.get() }

// Close closes idle connections. Requests under way go on, and later ones still work.
func (c *Client) Close() {
	if transport, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		transport.CloseIdleConnections()
	}
}
