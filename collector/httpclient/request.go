package httpclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
)

const (
	// Repeats is how often Fetch asks for the same link again before it gives up.
	Repeats = 3

	maxBody         = 64 << 20         // of an answer, in decompressed bytes
	requestTimeout  = 60 * time.Second // until an answer's headers are there, and to get a token in
	bodyIdleTimeout = 60 * time.Second // of a single read of a body
	bodyTimeout     = 10 * time.Minute // of all reads of one body

	errorBodyKept  = 8 << 10          // of a refused answer's body, for the provider to parse
	errorBodyRead  = 64 << 10         // more is not read; the connection is then not used again
	errorBodyLimit = 10 * time.Second // to read it in
)

// errTimeout is the cause of errors about our own time bounds. It is not context.DeadlineExceeded, so that they
// aren't taken for the end of the caller's context.
var errTimeout = errors.New("timeout")

// call is a request whose link was checked.
type call struct {
	Request

	target *url.URL // never changed
}

func (c *Client) newCall(request Request) (*call, error) {
	target, err := c.Resolve(request.URL)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && request.Label != "" {
			e.target = request.Label
		}
		return nil, err
	}
	request.Label = cmp.Or(request.Label, redact(target))
	request.Method = cmp.Or(request.Method, http.MethodGet)
	return &call{Request: request, target: target}, nil
}

// ended is the error for a context that the caller has ended.
func (call *call) ended(ctx context.Context) error {
	return fmt.Errorf("%s %s: %w", call.Method, call.Label, context.Cause(ctx))
}

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
// what it decoded is used after Fetch has returned. The answer's memory isn't used again, unless Request.Into says so.
// Waiting while the provider throttles (429) is no failure: only ctx bounds it.
func (c *Client) Fetch(ctx context.Context, request Request, decode func(*Response) error) error {
	call, err := c.newCall(request)
	if err != nil {
		return err
	}
	steps := NewBackOff()
	for repeats := 0; ; {
		resp, err := c.get(ctx, call)
		again := IsRetryable(err)
		if err == nil {
			err = decode(resp)
			again = isMarked(err)
		}
		switch {
		case err == nil || !again || ctx.Err() != nil:
			return err
		case resp == nil && KindOf(err) == KindThrottled:
			c.settings.Logger.WarnContext(ctx, "the provider throttles", "feed", call.Feed, "endpoint", call.Label, "wait", RetryAfter(err), "error", err)
			continue // the next request waits for its turn
		case call.Method == http.MethodPost && KindOf(err) != KindToken:
			return err // it may have been carried out
		case repeats == Repeats:
			return fmt.Errorf("asked %d times: %w", Repeats+1, err)
		}
		repeats++
		wait := c.pause(steps.NextBackOff(), err)
		c.settings.Logger.InfoContext(ctx, "request failed, asking again", "feed", call.Feed, "endpoint", call.Label,
			"repeat", repeats, "wait", wait, "error", err)
		if err := sleep(ctx, wait); err != nil {
			return call.ended(ctx)
		}
	}
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

// Get asks once: it waits for the budget and for as long as the provider throttles, but doesn't ask again after a failure.
func (c *Client) Get(ctx context.Context, request Request) (*Response, error) {
	call, err := c.newCall(request)
	if err != nil {
		return nil, err
	}
	return c.get(ctx, call)
}

// get asks once, and once more with a fresh token after 401 or 403. A failure is an *Error, or wraps the cause of ctx when ctx ended first.
func (c *Client) get(ctx context.Context, call *call) (*Response, error) {
	a, token, err := c.ask(ctx, call)
	// A token may have been revoked, and a cached one lacks roles that were granted after it was made.
	kind := KindOf(err)
	if c.settings.Token != nil && (kind == KindUnauthorized || kind == KindForbidden && !c.settings.KeepTokenOn403) {
		c.settings.Token.Invalidate(token)
		a, _, err = c.ask(ctx, call)
	}
	if err != nil {
		return nil, err
	}
	memory := new(bytes.Buffer)
	if call.Into != nil {
		memory = call.Into()
		memory.Reset()
	}
	body, err := a.readBody(memory, c.maxBody, bodyIdleTimeout, bodyTimeout)
	if err != nil {
		return nil, err
	}
	if call.ExpectJSON && a.StatusCode != http.StatusNoContent {
		if err := a.checkJSON(body); err != nil {
			return nil, err
		}
	}
	return &Response{Body: body}, nil
}

// ask sends one request when the budget has room and the provider's limits allow it, and returns the token that it used. The body is left to
// be read: the next request doesn't wait for it.
func (c *Client) ask(ctx context.Context, call *call) (a *received, token string, err error) {
	if c.perMinute != nil {
		if err := c.perMinute.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, "", call.ended(ctx)
			}
			return nil, "", fmt.Errorf("%s %s: the request budget has no room before the deadline: %w", call.Method, call.Label, context.DeadlineExceeded)
		}
	}
	if call.Pace != nil {
		release, err := call.Pace.Acquire(ctx, nil)
		if err != nil {
			return nil, "", fmt.Errorf("%s %s: %w", call.Method, call.Label, err)
		}
		defer release()
	}
	release, err := c.limiter.Acquire(ctx, func(d time.Duration) { c.settings.Observer.Throttled(call.Feed, d) })
	if err != nil {
		return nil, "", fmt.Errorf("%s %s: %w", call.Method, call.Label, err)
	}
	defer release()
	if token, err = c.token(ctx, call); err != nil { // after the wait, during which an older one could expire
		return nil, "", err
	}
	a, err = c.send(ctx, call, token)
	return a, token, err
}

func (c *Client) token(ctx context.Context, call *call) (string, error) {
	if c.settings.Token == nil {
		return "", nil
	}
	bounded, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	token, err := c.settings.Token.Token(bounded)
	switch {
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return "", call.ended(ctx)
	case bounded.Err() != nil:
		err = Retryable(fmt.Errorf("no token within %s: %w", requestTimeout, errTimeout))
	}
	return "", &Error{Kind: KindToken, method: call.Method, target: call.Label, reason: "get token: " + err.Error(), cause: err}
}

// newRequest makes a new HTTP request; authorize may change it.
func (c *Client) newRequest(ctx context.Context, call *call, id string) (*http.Request, error) {
	var body io.Reader
	if call.JSON != nil {
		body = bytes.NewReader(call.JSON)
	}
	r, err := http.NewRequestWithContext(ctx, call.Method, "", body)
	if err != nil {
		return nil, err
	}
	target := *call.target
	r.URL, r.Host = &target, target.Host
	if call.Header != nil {
		r.Header = call.Header.Clone()
	}
	if call.ExpectJSON && r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json")
	}
	if call.JSON != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.settings.UserAgent != "" {
		r.Header.Set("User-Agent", c.settings.UserAgent)
	}
	if id != "" {
		r.Header.Set(c.settings.ClientRequestIDHeader, id)
	}
	return r, nil
}

// send asks once, and leaves the body to be read. A status that is not 2xx is an error.
func (c *Client) send(ctx context.Context, call *call, token string) (*received, error) {
	a := &received{client: c, call: call, caller: ctx}
	if c.settings.ClientRequestIDHeader != "" {
		a.id = uuid.NewString()
	}
	a.request, a.cancel = context.WithCancelCause(ctx)
	r, err := c.newRequest(a.request, call, a.id)
	if err != nil {
		return nil, err
	}
	c.settings.Authorize(r, token)

	late := time.AfterFunc(requestTimeout, func() { a.cancel(errTimeout) })
	sent := time.Now()
	a.Response, err = c.transport.RoundTrip(r) //nolint:bodyclose // readBody closes it
	took := time.Since(sent)
	late.Stop()
	if err != nil {
		a.Response = nil
		c.settings.Observer.Request(call.Feed, "error", took)
		err = a.networkError(stripURL(err))
		a.cancel(nil)
		return nil, err
	}
	c.settings.Observer.Request(call.Feed, strconv.Itoa(a.StatusCode), took)
	c.limiter.Learn(a.StatusCode, a.Header)
	c.clock.observe(a.Header, sent, took)
	if a.StatusCode < 200 || a.StatusCode > 299 {
		return nil, a.refused()
	}
	return a, nil
}

// received is what came of a request.
type received struct {
	*http.Response // nil if there was none

	client *Client
	call   *call
	id     string // that was sent with it

	caller, request context.Context // ended by the caller; ended by a bound as well
	cancel          context.CancelCauseFunc
}

// fail makes an error about the answer.
func (a *received) fail(kind Kind, reason string, cause error) *Error {
	e := &Error{Kind: kind, method: a.call.Method, target: a.call.Label, reason: reason, cause: cause}
	if a.Response != nil {
		e.Status, e.Header = a.StatusCode, a.Header
	}
	e.RequestID = a.client.requestID(e.Header, a.id)
	return e
}

// networkError is for a request without an answer. That the caller ended it isn't the network's fault.
func (a *received) networkError(err error) error {
	switch {
	case a.caller.Err() != nil:
		return a.call.ended(a.caller)
	case a.request.Err() != nil:
		return a.fail(KindNetwork, "no answer within "+requestTimeout.String(), errTimeout)
	}
	return a.fail(KindNetwork, Describe(err), err)
}

// refused makes the error for an answer that is not 2xx and closes its body.
func (a *received) refused() error {
	body, _ := a.readBody(new(bytes.Buffer), errorBodyRead, errorBodyLimit, errorBodyLimit) // what came is enough
	e := a.fail(kindOfStatus(a.StatusCode), StatusText(a.StatusCode), nil)
	e.Body, e.RetryAfter = body.Next(errorBodyKept), ParseRetryAfter(a.Header, time.Now())
	if quote := a.client.settings.Quote; quote != nil {
		e.quote = quote(e.Body)
	}
	switch {
	case e.Status == http.StatusTooManyRequests:
		e.RetryAfter = a.client.limiter.hold(e.RetryAfter)
	case e.Status == http.StatusServiceUnavailable && e.RetryAfter > 0:
		a.client.limiter.hold(e.RetryAfter)
	case e.Kind == KindRedirect:
		e.reason += ": redirects are not followed" + a.client.redirectHost(a.Header.Get("Location"))
	}
	return e
}

// readBody reads the body into memory and closes it: at most so many bytes, none of which may be long in coming, nor all of them together. What
// was read is returned with an error too.
func (a *received) readBody(content *bytes.Buffer, most int64, idle, longest time.Duration) (*bytes.Buffer, error) {
	slow := time.AfterFunc(idle, func() { a.cancel(errTimeout) })
	began := time.Now()
	late := time.AfterFunc(longest, func() { a.cancel(errTimeout) })
	defer func() {
		slow.Stop()
		late.Stop()
		_ = a.Body.Close() // everything that matters was read
		a.cancel(nil)
	}()
	if a.ContentLength > 0 {
		content.Grow(int(min(a.ContentLength, most)) + bytes.MinRead)
	}
	_, err := content.ReadFrom(io.LimitReader(&watchedReader{Reader: a.Body, slow: slow, idle: idle}, most+1))
	switch {
	case int64(content.Len()) > most:
		return content, a.fail(KindTooLarge, fmt.Sprintf("the body is larger than %d bytes", most), nil)
	case err == nil:
		return content, nil
	case a.caller.Err() != nil:
		return content, a.call.ended(a.caller)
	case a.request.Err() == nil:
		return content, a.fail(KindBody, "read body: "+Describe(err), err)
	case time.Since(began) >= longest:
		return content, a.fail(KindBody, "read body: it took too long", errTimeout)
	}
	return content, a.fail(KindBody, "read body: nothing came for "+idle.String(), errTimeout)
}

// watchedReader puts a timer off with each read.
type watchedReader struct {
	io.Reader

	slow *time.Timer
	idle time.Duration
}

func (w *watchedReader) Read(p []byte) (int, error) {
	w.slow.Reset(w.idle)
	return w.Reader.Read(p)
}

// checkJSON refuses what a gateway or a sign-in page sends in place of JSON. It takes a byte order mark and blanks off
// the start of the body: decoders don't agree on the former.
func (a *received) checkJSON(body *bytes.Buffer) error {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")) // an odd type is left to the first byte
	begin := bytes.TrimLeft(body.Bytes(), "\xef\xbb\xbf \t\r\n")
	switch {
	case kind == "text/html", kind == "application/xhtml+xml", len(begin) > 0 && begin[0] == '<':
		return a.fail(KindBody, "got HTML where JSON was expected", nil)
	case len(begin) == 0:
		return a.fail(KindBody, "got an empty body where JSON was expected", nil)
	}
	body.Next(body.Len() - len(begin))
	return nil
}

// requestID lists the ids of a request and its answer for people who ask the provider's support.
func (c *Client) requestID(header http.Header, sent string) string {
	var pairs []string
	if sent != "" {
		pairs = append(pairs, c.settings.ClientRequestIDHeader+"="+cleanID(sent))
	}
	for _, name := range c.settings.RequestIDHeaders {
		if id := cleanID(header.Get(name)); id != "" && !strings.EqualFold(name, c.settings.ClientRequestIDHeader) {
			pairs = append(pairs, name+"="+id)
		}
	}
	return strings.Join(pairs, " ")
}

// cleanID keeps what ids are made of, since a header is the provider's text.
func cleanID(id string) string {
	const longest = 64
	id = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_.:", r):
			return r
		}
		return -1
	}, id)
	return id[:min(len(id), longest)]
}
