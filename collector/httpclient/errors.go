package httpclient

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind classifies a failure, where callers would act differently.
type Kind string

// The kinds of Error. A kind is permanent unless its comment says "retryable".
const (
	KindToken         Kind = "token"          // the token source returned an error; retryable if it says so
	KindUnauthorized  Kind = "unauthorized"   // 401, also with a fresh token
	KindForbidden     Kind = "forbidden"      // 403, also with a fresh token
	KindBadRequest    Kind = "bad_request"    // 400 or 422
	KindNotFound      Kind = "not_found"      // 404; a feed may know better
	KindNotAcceptable Kind = "not_acceptable" // 406 (Graph: the range is too long)
	KindGone          Kind = "gone"           // 410, such as an expired link
	KindThrottled     Kind = "throttled"      // 429; retryable
	KindServer        Kind = "server"         // 500 and above, 408 or 425; retryable, except 501 and 505
	KindNetwork       Kind = "network"        // no answer: look-up, connection, TLS, or no headers in time; retryable
	KindBody          Kind = "body"           // cut, slow, corrupt or HTML; retryable
	KindTooLarge      Kind = "too_large"      // a body longer than 64 MiB
	KindHost          Kind = "host"           // a link to another scheme, host or port, or none; nothing was sent
	KindRedirect      Kind = "redirect"       // 3xx; redirects are not followed
	KindStatus        Kind = "status"         // any other status that is not 2xx
)

// Error is a failed request. Its text names the endpoint, the status and the provider's request
// ids; it contains no query string, token or body. Don't change an Error after it was returned.
type Error struct {
	// Kind is the class of the failure.
	Kind Kind
	// Status is the HTTP status, or 0 without an answer.
	Status int
	// RetryAfter is the wait that the provider asks for. For a 429 without one, it is this client's
	// own wait. Otherwise it is 0.
	RetryAfter time.Duration
	// Body holds the first 8 KiB of a refused answer. Parse it, but don't print it.
	Body []byte

	method string // empty: GET
	target string // redacted URL or the request's Label
	reason string // what Error prints after the target; free of secrets
	ids    string // request ids, to quote to the provider's support
	quote  string // Settings.Quote of the body; Error prints it at the end
	cause  error
}

func (e *Error) Error() string {
	text := cmp.Or(e.method, "GET") + " " + e.target + ": " + e.reason
	if e.ids != "" {
		text += " (" + e.ids + ")"
	}
	if e.quote != "" {
		text += ", " + e.quote
	}
	return text
}

// GoString keeps the body out of %#v.
func (e *Error) GoString() string { return e.Error() }

// MarshalText keeps it out of JSON.
func (e *Error) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns the cause, or nil. The cause's own text isn't redacted.
func (e *Error) Unwrap() error { return e.cause }

// Retryable marks an error of a Fetch callback, or of a TokenSource, as one that may pass, such as
// a page that can't be decoded. The text stays the same. Retryable(nil) is nil.
func Retryable(err error) error {
	if err == nil {
		return nil
	}
	return &retryableError{err, 0}
}

// RetryableAfter is Retryable for an error with which the provider says how long to wait; 0 means
// that it doesn't say.
func RetryableAfter(err error, wait time.Duration) error { return &retryableError{err, wait} }

type retryableError struct {
	error

	after time.Duration
}

func (e *retryableError) Unwrap() error { return e.error }

// IsRetryable reports whether a retry may help: because of the kind of the *Error that err wraps,
// or because Retryable marked it.
func IsRetryable(err error) bool {
	e := find(err)
	switch {
	case isMarked(err):
		return true
	case e.Kind == KindToken:
		return IsRetryable(e.cause)
	case e.Kind == KindServer:
		return e.Status != http.StatusNotImplemented && e.Status != http.StatusHTTPVersionNotSupported
	}
	return e.Kind == KindThrottled || e.Kind == KindNetwork || e.Kind == KindBody
}

// find returns the first *Error that err wraps, or an empty one.
func find(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return new(Error)
}

// RetryAfter returns how long to wait before a retry, as Error.RetryAfter or RetryableAfter says,
// or 0.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*retryableError](err); ok && e.after > 0 {
		return e.after
	}
	return find(err).RetryAfter
}

// KindOf returns the kind of the first *Error that err wraps, or "".
func KindOf(err error) Kind { return find(err).Kind }

func isMarked(err error) bool {
	_, ok := errors.AsType[*retryableError](err)
	return ok
}

// kinds maps single statuses; kindOfStatus maps the ranges.
var kinds = map[int]Kind{
	http.StatusUnauthorized: KindUnauthorized, http.StatusForbidden: KindForbidden,
	http.StatusBadRequest: KindBadRequest, http.StatusUnprocessableEntity: KindBadRequest,
	http.StatusNotFound: KindNotFound, http.StatusNotAcceptable: KindNotAcceptable, http.StatusGone: KindGone,
	http.StatusTooManyRequests: KindThrottled, http.StatusRequestTimeout: KindServer, http.StatusTooEarly: KindServer,
}

// kindOfStatus maps a status that is not 2xx.
func kindOfStatus(status int) Kind {
	kind, known := kinds[status]
	switch {
	case known:
		return kind
	case status >= 300 && status < 400:
		return KindRedirect
	case status >= 500: // 600 and more too (RFC 9110 15)
		return KindServer
	}
	return KindStatus
}

// StatusText returns text such as "403 Forbidden", without the server's own reason phrase.
func StatusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// MaxRetryAfter limits the wait that a provider may ask for, so that its typing error doesn't stop
// a feed for days.
const MaxRetryAfter = time.Hour

// ParseRetryAfter reads Retry-After (RFC 9110 10.2.3). It accepts seconds, even with a fraction or
// a sign as some servers send them, or a date, also in RFC 3339 as Zoom writes it at a daily limit.
// It compares a date with the answer's own Date, or with now. It returns at most MaxRetryAfter, and
// 0 if the header is missing or can't be read.
func ParseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if strings.Trim(value, "-.0123456789") == "" {
		seconds, _ := strconv.ParseFloat(value, 64) // too many digits give infinity, none give 0
		return time.Duration(min(max(seconds, 0), MaxRetryAfter.Seconds()) * float64(time.Second))
	}
	until, err := http.ParseTime(value)
	if err != nil {
		if until, err = time.Parse(time.RFC3339, value); err != nil {
			return 0
		}
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return min(max(until.Sub(now), 0), MaxRetryAfter)
}
