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
	limiter   *rate.Limiter // nil: no bound
	window    *window       // nil: none
	throttle  *throttle
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
	if client.window, client.throttle, err = settings.Quotas.of(settings.QuotaKey, settings.Window); err != nil {
		return nil, err
	}
	if perMinute := settings.RequestsPerMinute; perMinute > 0 {
		burst := min(max(perMinute/60, 1), maxBurst)
		client.limiter = rate.NewLimiter(rate.Limit(float64(perMinute)/60), burst)
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
	if c.window != nil {
		throttled := func(d time.Duration) { c.settings.Observer.Throttled(call.feed, d) }
		if err := c.window.line.take(ctx, throttled); err != nil {
			return nil, call.ended(ctx)
		}
		defer c.window.line.pass()
	}
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
	if err := c.wait(ctx, call); err != nil {
		return nil, "", err
	}
	if token, err = c.token(ctx, call); err != nil {
		return nil, "", err
	}
	if c.window != nil {
		sent := time.Now()
		defer func() { c.window.answered(sent, statusOf(resp, err), headerOf(resp, err)) }()
	}
	resp, err = c.send(ctx, call, token)
	return resp, token, err
}

// statusOf is an answer's status, also of one that was refused; 0 without one.
func statusOf(resp *Response, err error) int {
	if resp != nil {
		return resp.Status
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// headerOf is an answer's header, also of one that was refused; nil without one.
func headerOf(resp *Response, err error) http.Header {
	if resp != nil {
		return resp.Header
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Header
	}
	return nil
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

// wait returns when the budget has room and nobody throttles. It looks again after each sleep,
// since another request may have been refused meanwhile.
func (c *Client) wait(ctx context.Context, call *call) error {
	if c.limiter != nil {
		if err := c.limiter.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return call.ended(ctx)
			}
			return fmt.Errorf("%s %s: the request budget has no room before the deadline: %w", call.method, call.label, context.DeadlineExceeded)
		}
	}
	for {
		left := c.throttle.remaining()
		if c.window != nil {
			left = max(left, c.window.full())
		}
		if left <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && time.Until(deadline) < left {
			return fmt.Errorf("%s %s: the provider's limit has no room before the deadline: %w", call.method, call.label, context.DeadlineExceeded)
		}
		if err := c.throttled(ctx, call, min(left, throttleSlice)); err != nil {
			return call.ended(ctx)
		}
	}
}

// throttled waits for the provider, and says so.
func (c *Client) throttled(ctx context.Context, call *call, wait time.Duration) error {
	if c.window != nil {
		defer c.window.line.stall()()
	}
	began := time.Now()
	err := sleep(ctx, wait)
	c.settings.Observer.Throttled(call.feed, time.Since(began))
	return err
}

// Budget returns what the provider lets the credential ask: with Settings.Window its own
// limit, else RequestsPerMinute, of which isn't known what remains.
func (c *Client) Budget() Budget {
	b := Budget{Limit: c.settings.RequestsPerMinute, Remaining: -1, Per: time.Minute}
	if c.window != nil {
		b = c.window.budget()
	}
	b.FrozenUntil = c.throttle.frozenUntil()
	return b
}

// ThrottledUntil returns when the provider may be asked again, or zero if it may be now.
func (c *Client) ThrottledUntil() time.Time { return c.throttle.frozenUntil() }

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
