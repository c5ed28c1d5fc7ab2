package httpclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	// Repeats is how often Fetch retries the same link before it gives up.
	Repeats = 3

	maxBody         = 64 << 20         // largest answer, in decompressed bytes
	requestTimeout  = 60 * time.Second // to get an answer's headers, and to get a token
	bodyIdleTimeout = 60 * time.Second // for a single read of a body
	bodyTimeout     = 10 * time.Minute // for all reads of one body

	errorBodyKept  = 8 << 10          // bytes of a refused answer for the provider to parse
	errorBodyRead  = 64 << 10         // with more, the connection is closed
	errorBodyLimit = 10 * time.Second // time to read it

	longestID = 64 // longest request id, in bytes
)

// timeout is the cause of errors about our own time limits. It isn't context.DeadlineExceeded, so
// that callers don't take it for the end of their own context.
type timeout string

func (t timeout) Error() string { return string(t) }

// complete checks the link of a request and sets defaults.
func (c *Client) complete(request *Request) error {
	target, err := c.Resolve(request.URL)
	if err != nil {
		e := find(err)
		e.target = cmp.Or(request.Label, e.target)
		return e
	}
	request.URL = target.String()
	request.Label = cmp.Or(request.Label, redact(target))
	request.Method = cmp.Or(request.Method, http.MethodGet)
	return nil
}

// failed makes the error for a request that ended before it was sent, or that the caller ended.
func (request *Request) failed(cause error) error {
	return fmt.Errorf("%s %s: %w", request.Method, request.Label, cause)
}

// Fetch gets a link, reads the whole answer, decompresses it and passes it to decode. If an answer
// has neither length nor chunks, only decode can notice that it was cut. If the request, the body
// or decode fails with a fault that may pass, Fetch retries up to Repeats times; decode marks such
// an error with Retryable. Fetch may call decode several times, so use its result only after Fetch
// has returned. The answer's memory isn't reused unless Request.Into says so. Waiting while the
// provider throttles (429) isn't a failure; only ctx limits it.
func (c *Client) Fetch(ctx context.Context, request Request, decode func(body []byte) error) error {
	if err := c.complete(&request); err != nil {
		return err
	}
	for repeats := 0; ; {
		body, err := c.get(ctx, &request)
		answered, retry := err == nil, IsRetryable(err)
		if answered {
			err = decode(body)
			retry = isMarked(err)
		}
		switch {
		case !retry || ctx.Err() != nil: // also without an error
			return err
		case !answered && KindOf(err) == KindThrottled:
			c.settings.Logger.WarnContext(ctx, "The provider throttles", "feed", request.Feed, "endpoint",
				request.Label, "wait", RetryAfter(err), "err", err)
			continue // the next request waits for its turn
		case request.Method == http.MethodPost && !request.Reads && KindOf(err) != KindToken:
			return err // the server may have executed it
		case repeats == Repeats:
			return fmt.Errorf("asked %d times: %w", Repeats+1, err)
		}
		repeats++
		wait := c.pause(c.settings.Waits.After(repeats, rand.Float64()), err)
		c.settings.Logger.InfoContext(ctx, "Request failed, retrying", "feed", request.Feed, "endpoint", request.Label,
			"repeat", repeats, "wait", wait, "err", err)
		sleep(ctx, wait)
	}
}

// pause is how long Fetch itself waits. A pause for all feeds is waited, and counted, before the
// next request.
func (c *Client) pause(step time.Duration, err error) time.Duration {
	if e := find(err); e.Status != http.StatusServiceUnavailable {
		step = max(step, e.RetryAfter)
	}
	if time.Until(c.ThrottledUntil()) >= step {
		return 0
	}
	return step
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Get sends one request and returns the body. It waits for the budget and while the provider
// throttles, but doesn't retry after a failure.
func (c *Client) Get(ctx context.Context, request Request) ([]byte, error) {
	if err := c.complete(&request); err != nil {
		return nil, err
	}
	return c.get(ctx, &request)
}

// get sends a request, and a second one with a fresh token after 401 or 403. A failure is an
// *Error, or wraps the cause of ctx if ctx ended first.
func (c *Client) get(ctx context.Context, request *Request) ([]byte, error) {
	a, token, err := c.ask(ctx, request)
	// A token may have been revoked, and a cached one lacks roles that were granted later.
	kind := KindOf(err)
	if c.settings.Token != nil && (kind == KindUnauthorized || kind == KindForbidden && !c.settings.KeepTokenOn403) {
		c.settings.Token.Invalidate(token)
		a, _, err = c.ask(ctx, request)
	}
	if err != nil {
		return nil, err
	}
	body := request.Into
	if body == nil {
		body = new(bytes.Buffer)
	}
	body.Reset()
	err = a.readBody(body, cmp.Or(request.MaxBody, maxBody), bodyIdleTimeout, bodyTimeout)
	none := a.StatusCode == http.StatusNoContent
	reads, answered := request.Method == http.MethodGet || request.Reads, a.StatusCode == http.StatusOK
	if err == nil && reads && !answered && (!none || !request.NoContent) {
		err = a.fail(KindBody, StatusText(a.StatusCode)+": only 200 is an answer with content",
			nil) // 206 is only part of one
	}
	if err == nil && request.ExpectJSON && !none {
		err = a.checkJSON(body)
	}
	if err != nil {
		return nil, err
	}
	if request.Answered != nil {
		request.Answered(a.StatusCode, a.Header)
	}
	return body.Bytes(), nil
}

// ask sends one request when the budget has room and the provider's limits allow it, and returns
// the token that it used. It leaves the body to be read: the next request doesn't wait for it.
func (c *Client) ask(ctx context.Context, request *Request) (a *received, token string, err error) {
	switch err := c.perMinute.Wait(ctx); {
	case ctx.Err() != nil:
		return nil, "", request.failed(context.Cause(ctx))
	case err != nil:
		return nil, "", request.failed(fmt.Errorf("the request budget has no room before the deadline: %w",
			context.DeadlineExceeded))
	}
	if request.Pace != nil {
		release, err := request.Pace.Acquire(ctx, nil)
		if err != nil {
			return nil, "", request.failed(err)
		}
		defer release()
	}
	release, err := c.limiter.Acquire(ctx, func(d time.Duration) { c.settings.Observer.Throttled(request.Feed, d) })
	if err != nil {
		return nil, "", request.failed(err)
	}
	defer release()
	if token, err = c.token(ctx, request); err != nil { // after the wait, in which an older token could expire
		return nil, "", err
	}
	a, err = c.send(ctx, request, token)
	return a, token, err
}

func (c *Client) token(ctx context.Context, request *Request) (string, error) {
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
		return "", request.failed(context.Cause(ctx))
	case bounded.Err() != nil:
		err = Retryable(timeout("no token within " + requestTimeout.String()))
	}
	wait := RetryAfter(err)
	if wait > 0 {
		c.limiter.hold(wait) // without a token no request can be sent
	}
	return "", &Error{
		Kind: KindToken, RetryAfter: wait, method: request.Method, target: request.Label, reason: "get token: " +
			err.Error(), cause: err,
	}
}

func (c *Client) newRequest(ctx context.Context, request *Request, id string) (*http.Request, error) {
	var body io.Reader
	if request.Body != nil {
		body = bytes.NewReader(request.Body)
	}
	r, err := http.NewRequestWithContext(ctx, request.Method, request.URL, body)
	if err != nil {
		return nil, errors.New(Describe(err)) // the URL may contain a key
	}
	if request.Header != nil {
		r.Header = request.Header.Clone()
	}
	if request.ExpectJSON && r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json")
	}
	if request.Body != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept-Encoding", "gzip") // else http.Transport asks for gzip and decompresses by itself
	r.Header.Set("User-Agent", c.settings.UserAgent)
	if id != "" {
		r.Header.Set(c.settings.ClientRequestIDHeader, id)
	}
	return r, nil
}

// send sends a request and leaves the body to be read. A status other than 2xx is an error.
func (c *Client) send(ctx context.Context, request *Request, token string) (*received, error) {
	a := &received{client: c, call: request}
	if c.settings.ClientRequestIDHeader != "" {
		a.id = uuid.NewString()
	}
	r, err := c.newRequest(ctx, request, a.id)
	if err != nil {
		return nil, err
	}
	c.settings.Authorize(r, token)

	a.ctx, a.cancel = context.WithCancelCause(ctx)
	late := time.AfterFunc(requestTimeout, func() { a.cancel(timeout("no answer within " + requestTimeout.String())) })
	sent := time.Now()
	a.Response, err = c.transport.RoundTrip(r.WithContext(a.ctx)) //nolint:bodyclose // readBody closes it
	took := time.Since(sent)
	late.Stop()
	if err != nil {
		c.settings.Observer.Request(request.Feed, "error", took)
		err = a.broken(KindNetwork, "", err)
		a.cancel(nil)
		return nil, err
	}
	c.settings.Observer.Request(request.Feed, strconv.Itoa(a.StatusCode), took)
	c.limiter.Learn(a.StatusCode, a.Header)
	c.observeDate(a.Header, sent, took)
	if a.StatusCode < 200 || a.StatusCode > 299 {
		return nil, a.refused()
	}
	return a, nil
}

// received is the answer to a request, or its failure.
type received struct {
	*http.Response // nil without an answer

	client *Client
	call   *Request
	id     string // the request id that was sent

	ctx    context.Context // ended by the caller, or by a timeout
	cancel context.CancelCauseFunc
}

func (a *received) fail(kind Kind, reason string, cause error) *Error {
	e := &Error{Kind: kind, method: a.call.Method, target: a.call.Label, reason: reason, cause: cause}
	var header http.Header
	if a.Response != nil {
		e.Status, header = a.StatusCode, a.Header
	}
	e.ids = a.ids(header)
	return e
}

// broken makes the error for an answer that is missing or incomplete. If the caller ended the
// request, it isn't a network fault.
func (a *received) broken(kind Kind, doing string, err error) error {
	cause := context.Cause(a.ctx)
	late, isLate := errors.AsType[timeout](cause)
	switch {
	case cause == nil:
		return a.fail(kind, doing+Describe(err), err)
	case isLate:
		return a.fail(kind, doing+late.Error(), late)
	}
	return a.call.failed(cause)
}

// refused makes the error for an answer other than 2xx and closes its body.
func (a *received) refused() error {
	body := new(bytes.Buffer)
	_ = a.readBody(body, errorBodyRead, errorBodyLimit, errorBodyLimit) // a part is enough
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

// readBody reads at most the given number of bytes of the body into memory and closes it. It limits
// the time of each read and of all reads together. After an error, content has the bytes that were
// read.
func (a *received) readBody(content *bytes.Buffer, most int64, idle, longest time.Duration) error {
	slow := time.AfterFunc(idle, func() { a.cancel(timeout("nothing came for " + idle.String())) })
	late := time.AfterFunc(longest, func() { a.cancel(timeout("it took too long")) })
	defer func() {
		slow.Stop()
		late.Stop()
		_ = a.Body.Close() // the content was read
		a.cancel(nil)
	}()
	content.Grow(int(min(a.ContentLength, most)) + bytes.MinRead) // a length that isn't known is -1
	read := readFrom
	if strings.EqualFold(a.Header.Get("Content-Encoding"), "gzip") { // as newRequest offers
		read = unzipFrom
	}
	err := read(content, &watchedReader{Reader: a.Body, slow: slow, idle: idle}, most+1)
	switch {
	case int64(content.Len()) > most, errors.Is(err, errTooLarge):
		return a.fail(KindTooLarge, fmt.Sprintf("the body is larger than %d bytes", most), nil)
	case err != nil:
		return a.broken(KindBody, "read body: ", err)
	}
	return nil
}

// watchedReader resets a timer with each read.
type watchedReader struct {
	io.Reader

	slow *time.Timer
	idle time.Duration
}

func (w *watchedReader) Read(p []byte) (int, error) {
	w.slow.Reset(w.idle)
	return w.Reader.Read(p)
}

// checkJSON refuses what a gateway or a sign-in page sends in place of JSON. It removes a byte
// order mark and blanks from the start of the body, because decoders treat the mark differently.
func (a *received) checkJSON(body *bytes.Buffer) error {
	begin := bytes.TrimLeft(body.Bytes(), "\xef\xbb\xbf \t\r\n")
	switch {
	case len(begin) > 0 && begin[0] == '<': // the type doesn't say: PHP sends JSON as text/html
		return a.fail(KindBody, "got HTML where JSON was expected", nil)
	case len(begin) == 0:
		return a.fail(KindBody, "got an empty body where JSON was expected", nil)
	}
	body.Next(body.Len() - len(begin))
	return nil
}

// ids lists the ids of a request and its answer as "name=value", to quote to the provider's
// support.
func (a *received) ids(header http.Header) string {
	var ids []string
	if a.id != "" {
		ids = append(ids, a.client.settings.ClientRequestIDHeader+"="+a.id)
	}
	for _, name := range a.client.settings.RequestIDHeaders {
		if id := notInIDs.ReplaceAllString(header.Get(name), ""); id != "" { // the provider chose the text
			ids = append(ids, name+"="+id[:min(len(id), longestID)])
		}
	}
	return strings.Join(ids, " ")
}

// notInIDs matches characters that don't belong in ids.
var notInIDs = regexp.MustCompile(`[^A-Za-z0-9._:-]`)
