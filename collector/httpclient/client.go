package httpclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
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
}

// New checks the settings and makes a Client; it asks nothing yet. Its errors hold no secrets.
func New(settings Settings) (*Client, error) {
	base, err := parseBase(settings.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	if settings.RequestsPerMinute < 0 || settings.MaxBody < 0 || settings.RequestTimeout < 0 ||
		settings.BodyIdleTimeout < 0 || settings.BodyTimeout < 0 {
		return nil, errors.New("a bound or a timeout of the HTTP client is negative")
	}
	transport := settings.Transport
	if transport == nil {
		if transport, err = newTransport(settings); err != nil {
			return nil, err
		}
	}
	client := &Client{settings: withDefaults(settings), base: base, transport: transport}
	client.limiter = settings.Quotas.Keep(settings.QuotaKey, func() any { return NewLimiter(settings.Limit) }).(*Limiter)
	if perMinute := settings.RequestsPerMinute; perMinute > 0 {
		burst := min(max(perMinute/60, 1), maxBurst)
		client.perMinute = rate.NewLimiter(rate.Limit(float64(perMinute)/60), burst)
	}
	return client, nil
}

func withDefaults(s Settings) Settings {
	if s.MaxBody == 0 {
		s.MaxBody = DefaultMaxBody
	}
	if s.RequestTimeout == 0 {
		s.RequestTimeout = DefaultRequestTimeout
	}
	if s.BodyIdleTimeout == 0 {
		s.BodyIdleTimeout = DefaultBodyIdleTimeout
	}
	if s.BodyTimeout == 0 {
		s.BodyTimeout = DefaultBodyTimeout
	}
	if s.Authorize == nil {
		s.Authorize = bearer
	}
	if s.NewRequestID == nil {
		s.NewRequestID = uuid.NewString
	}
	if s.Observer == nil {
		s.Observer = noObserver{}
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

func bearer(r *http.Request, token string) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// Get asks once, and once more with a fresh token after 401 or 403. Before it asks it waits
// for the budget, and until the provider has stopped throttling. A failure is an *Error, or wraps the
// cause of ctx when ctx ended first.
func (c *Client) Get(ctx context.Context, request Request) (*Response, error) {
	call, err := c.newCall(request)
	if err != nil {
		return nil, err
	}
	return c.getWhole(ctx, call)
}

func (c *Client) get(ctx context.Context, call *call) (*Response, error) {
	resp, token, err := c.ask(ctx, call)
	if c.settings.Token == nil {
		return resp, err
	}
	// A token may have been revoked, and a cached one lacks roles that were granted after it was made.
	kind := KindOf(err)
	if kind != KindUnauthorized && (kind != KindForbidden || c.settings.KeepTokenOn403) {
		return resp, err
	}
	c.settings.Token.Invalidate(token)
	resp, _, err = c.ask(ctx, call)
	return resp, err
}

// ask sends one request when there is room, and returns the token that it used.
func (c *Client) ask(ctx context.Context, call *call) (resp *Response, token string, err error) {
	release, err := c.wait(ctx, call)
	if err != nil {
		return nil, "", err
	}
	defer release()
	if token, err = c.token(ctx, call); err != nil {
		return nil, "", err
	}
	resp, err = c.send(ctx, call, token)
	return resp, token, err
}

// token comes after the wait, during which an older one could expire.
func (c *Client) token(ctx context.Context, call *call) (string, error) {
	if c.settings.Token == nil {
		return "", nil
	}
	bounded, cancel := context.WithTimeout(ctx, c.settings.RequestTimeout)
	defer cancel()
	token, err := c.settings.Token.Token(bounded)
	switch {
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return "", call.ended(ctx)
	case bounded.Err() != nil:
		err = Retryable(fmt.Errorf("no token within %s: %w", c.settings.RequestTimeout, errTimeout))
	}
	return "", &Error{Kind: KindToken, method: call.method, target: call.label, reason: "get token: " + err.Error(), cause: err}
}

// wait returns when the budget has room and the provider's limits allow a request; release is called after its answer.
func (c *Client) wait(ctx context.Context, call *call) (release func(), err error) {
	if c.perMinute != nil {
		if err := c.perMinute.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, call.ended(ctx)
			}
			return nil, fmt.Errorf("%s %s: the request budget has no room before the deadline: %w", call.method, call.label, context.DeadlineExceeded)
		}
	}
	release, err = c.limiter.Acquire(ctx, func(d time.Duration) { c.settings.Observer.Throttled(call.feed, d) })
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", call.method, call.label, err)
	}
	return release, nil
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
