package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Repeats is how often Fetch asks for the same link again before it gives up.
const Repeats = 3

// NewBackOff returns the steps between repeats: 0.6 to 1 s, doubling, at most 60 s. After a success the caller
// resets it. It is for one goroutine.
func NewBackOff() *backoff.ExponentialBackOff {
	// The bounds are those of the middle of each step; a quarter of it is jitter.
	steps := &backoff.ExponentialBackOff{
		InitialInterval: 800 * time.Millisecond, RandomizationFactor: 0.25, Multiplier: 2, MaxInterval: 48 * time.Second,
	}
	steps.Reset()
	return steps
}

// Fetch gets a link, reads the whole answer and hands it to decode. When the request, the body or decode fails with a fault that may pass, it
// is asked again, up to Repeats times; of an error of decode, Retryable says that it may. Decode may be called several times: it decodes, and
// what it decoded is used after Fetch has returned. The answer's memory isn't used again.
// Waiting while the provider throttles (429) is no failure: only ctx bounds it.
func (c *Client) Fetch(ctx context.Context, request Request, decode func(*Response) error) error {
	call, err := c.newCall(request)
	if err != nil {
		return err
	}
	steps := NewBackOff()
	for repeats := 0; ; {
		result := c.fetchOnce(ctx, call, decode)
		switch {
		case result.err == nil || !result.again || ctx.Err() != nil:
			return result.err
		case result.throttled:
			c.logThrottled(ctx, call, result.err)
			continue // the next request waits for its turn
		case call.method == http.MethodPost && result.err != nil && KindOf(result.err) != KindToken:
			return result.err // it may have been carried out
		case repeats == Repeats:
			return fmt.Errorf("asked %d times: %w", Repeats+1, result.err)
		}
		repeats++
		wait := c.pause(steps.NextBackOff(), result.err)
		c.settings.Logger.InfoContext(ctx, "request failed, asking again", "feed", call.feed, "endpoint", call.label,
			"repeat", repeats, "wait", wait, "error", result.err)
		if err := sleep(ctx, wait); err != nil {
			return call.ended(ctx)
		}
	}
}

// result is the end of one try.
type result struct {
	err       error
	again     bool // asking again may help
	throttled bool // and needn't count as a failure
}

func (c *Client) fetchOnce(ctx context.Context, call *call, decode func(*Response) error) result {
	resp, err := c.getWhole(ctx, call)
	if err != nil {
		return result{err: err, again: IsRetryable(err), throttled: KindOf(err) == KindThrottled}
	}
	err = decode(resp)
	return result{err: err, again: isMarked(err)}
}

// pause is how long Fetch itself waits. What all feeds are held for is waited, and counted, before the next request.
func (c *Client) pause(step time.Duration, err error) time.Duration {
	e, ok := errors.AsType[*Error](err)
	if ok && e.Status != http.StatusServiceUnavailable {
		step = max(step, e.RetryAfter)
	}
	if time.Until(c.ThrottledUntil()) >= step {
		return 0
	}
	return step
}

func (c *Client) logThrottled(ctx context.Context, call *call, err error) {
	c.settings.Logger.WarnContext(ctx, "the provider throttles", "feed", call.feed, "endpoint", call.label,
		"wait", RetryAfter(err), "error", err)
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
