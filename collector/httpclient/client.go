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
	throttle  throttle
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
	client.throttle.steps = NewBackOff()
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
// cause of ctx when ctx ended first. The caller closes the response's body.
func (c *Client) Get(ctx context.Context, request Request) (*Response, error) {
	call, err := c.newCall(request)
	if err != nil {
		return nil, err
	}
	return c.get(ctx, call)
}

func (c *Client) get(ctx context.Context, call *call) (*Response, error) {
	resp, token, err := c.ask(ctx, call)
	if c.settings.Token == nil {
		return resp, err
	}
	// A token may have been revoked, and a cached one lacks roles that were granted after it was made.
	if kind := KindOf(err); kind != KindUnauthorized && kind != KindForbidden {
		return resp, err
	}
	c.settings.Token.Invalidate(token)
	resp, _, err = c.ask(ctx, call)
	return resp, err
}

// ask sends one request when its turn has come, and returns the token that it used.
func (c *Client) ask(ctx context.Context, call *call) (*Response, string, error) {
	if err := c.wait(ctx, call); err != nil {
		return nil, "", err
	}
	token, err := c.token(ctx, call)
	if err != nil {
		return nil, "", err
	}
	resp, err := c.send(ctx, call, token)
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
	return "", &Error{Kind: KindToken, target: call.label, reason: "get token: " + err.Error(), cause: err}
}

// wait returns when the budget has room and nobody throttles.
func (c *Client) wait(ctx context.Context, call *call) error {
	if c.limiter != nil {
		if err := c.limiter.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return call.ended(ctx)
			}
			return fmt.Errorf("GET %s: the request budget has no room before the deadline: %w", call.label, context.DeadlineExceeded)
		}
	}
	for {
		left := c.throttle.remaining()
		if left <= 0 {
			return nil
		}
		started := time.Now()
		err := sleep(ctx, min(left, throttleSlice))
		c.settings.Observer.Throttled(call.feed, time.Since(started))
		if err != nil {
			return call.ended(ctx)
		}
	}
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
