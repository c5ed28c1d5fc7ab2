package httpclient

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	errorBodyKept  = 8 << 10          // of a refused answer's body, for the provider to parse
	errorBodyRead  = 64 << 10         // more is not read; the connection is then not used again
	errorBodyLimit = 10 * time.Second // to read it in
)

// send asks once, and leaves the body to be read. A status that is not 2xx is an error.
func (c *Client) send(ctx context.Context, call *call, token string) (*Response, error) {
	requestCtx, cancel := context.WithCancelCause(ctx)
	r, id := c.request(requestCtx, call)
	c.settings.Authorize(r, token)

	late := time.AfterFunc(c.settings.RequestTimeout, func() { cancel(errTimeout) })
	sent := time.Now()
	resp, err := c.transport.RoundTrip(r) //nolint:bodyclose // the response is handed on; refused and readWhole close it
	took := time.Since(sent)
	late.Stop()
	if err != nil {
		c.settings.Observer.Request(call.feed, "error", took)
		err = c.networkError(ctx, requestCtx, call, id, err)
		cancel(nil)
		return nil, err
	}
	c.settings.Observer.Request(call.feed, strconv.Itoa(resp.StatusCode), took)
	date := c.clock.observe(resp.Header, sent, took)

	b := &body{
		reader: resp.Body, caller: ctx, request: requestCtx, cancel: cancel, call: call,
		most: c.settings.MaxBody, left: c.settings.MaxBody, idle: c.settings.BodyIdleTimeout, budget: c.settings.BodyTimeout,
	}
	b.failed = func(e *Error) *Error {
		e.method, e.Status, e.Header, e.RequestID = call.method, resp.StatusCode, resp.Header, c.requestID(resp.Header, id)
		return e
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, c.refused(call, resp, b, date)
	}
	c.throttle.succeeded()
	return &Response{Status: resp.StatusCode, Header: resp.Header, Date: date, body: b, length: resp.ContentLength}, nil
}

// refused makes the error for an answer that is not 2xx and closes its body.
func (c *Client) refused(call *call, resp *http.Response, b *body, date time.Time) error {
	b.left, b.idle, b.budget = errorBodyRead, min(b.idle, errorBodyLimit), min(b.budget, errorBodyLimit)
	kept, _ := io.ReadAll(io.LimitReader(b, errorBodyKept)) // whatever came is enough: the status decides
	_, _ = io.Copy(io.Discard, b)                           // so that the connection can be used again
	b.close()

	e := b.failed(&Error{
		Kind: kindOfStatus(resp.StatusCode), Body: kept,
		target: call.label, reason: StatusText(resp.StatusCode),
	})
	if after, ok := parseRetryAfter(resp.Header.Get("Retry-After"), date, time.Now()); ok {
		e.RetryAfter = after
	}
	switch {
	case e.Status == http.StatusTooManyRequests:
		e.RetryAfter = c.throttle.hold(e.RetryAfter)
	case e.Status == http.StatusServiceUnavailable && e.RetryAfter > 0:
		c.throttle.hold(e.RetryAfter)
	case e.Kind == KindRedirect:
		e.reason += ": redirects are not followed" + c.redirectHost(resp.Header.Get("Location"))
	}
	return e
}

// networkError is for a request without an answer. That the caller ended it isn't the network's fault.
func (c *Client) networkError(caller, request context.Context, call *call, id string, err error) error {
	if caller.Err() != nil {
		return call.ended(caller)
	}
	e := &Error{Kind: KindNetwork, method: call.method, target: call.label, RequestID: c.requestID(nil, id), cause: stripURL(err)}
	if request.Err() != nil {
		e.reason, e.cause = "no answer within "+c.settings.RequestTimeout.String(), errTimeout
	} else {
		e.reason = describe(e.cause)
	}
	return e
}
