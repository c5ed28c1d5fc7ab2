package otlp

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// verdict is what an answer means for the records that were sent (counting.md 26).
type verdict uint8

const (
	// accepted: the endpoint has the records.
	accepted verdict = iota
	// again: it isn't about the records; the same request later.
	again
	// refused: a record in the request may be at fault, or the endpoint.
	refused
	// tooMuch: less may pass; a single small record isn't at fault.
	tooMuch
)

// answer is how one request went.
type answer struct {
	verdict verdict
	// rejected is how many records of an accepted request were not (partial success).
	rejected int64
	// after is how long the endpoint asks to wait; zero if it doesn't.
	after time.Duration
	// problem says what happened, in our words: the endpoint's may quote a record
	// or a header.
	problem string
}

// judgeHTTP: OTLP 1.11 "OTLP/HTTP Response" retries 429, 502, 503 and 504.
// Credentials and addresses that are wrong (401, 403, 404, 405, 407, redirects,
// which are not followed) and a request that didn't arrive in time (408) aren't
// about a record either. All else may be about a record or not.
func judgeHTTP(code int, header http.Header, now time.Time) answer {
	a := answer{verdict: refused, problem: fmt.Sprintf("the endpoint answered HTTP %d %s", code, http.StatusText(code))}
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		a.verdict, a.after = again, retryAfter(header.Get("Retry-After"), now)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		a.verdict = again
		a.problem += "; check the credentials in otlp.headers"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		a.verdict = again
		a.problem += "; check otlp.endpoint"
	case http.StatusRequestTimeout:
		a.verdict = again
	default:
		if code >= 300 && code < 400 {
			a.verdict = again
			a.problem += "; redirects are not followed, check otlp.endpoint"
		}
	}
	return a
}

// retryAfter reads a Retry-After header, in seconds or as a date; zero if it is
// neither.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// judgeGRPC: the retryable codes are those of OTLP 1.11 "Failures", and what the
// HTTP codes 401, 403 and 404 are in gRPC. RESOURCE_EXHAUSTED without RetryInfo
// is not retryable there, as it also means a message over the endpoint's limit;
// it is used for quotas too, which are no fault of a record, so less is tried,
// and a single record again.
func judgeGRPC(st *status.Status) answer {
	a := answer{verdict: refused, problem: "the endpoint answered gRPC " + st.Code().String()}
	if st.Message() != "" { // ours: the endpoint's was taken out
		a.problem = st.Message()
	}
	after, asked := retryInfo(st)
	switch st.Code() {
	case codes.OK:
		return answer{verdict: accepted}
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		a.verdict, a.after = again, after
	case codes.ResourceExhausted:
		a.verdict = tooMuch
		if asked {
			a.verdict, a.after = again, after
		}
	case codes.Unauthenticated, codes.PermissionDenied:
		a.verdict = again
		a.problem += "; check the credentials in otlp.headers"
	case codes.NotFound, codes.Unimplemented:
		a.verdict = again
		a.problem += "; check otlp.endpoint"
	case codes.Unknown, codes.Internal, codes.InvalidArgument, codes.AlreadyExists, codes.FailedPrecondition:
	}
	return a
}

// retryInfo is the delay that a status asks for, and whether it does.
func retryInfo(st *status.Status) (time.Duration, bool) {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration()), true
		}
	}
	return 0, false
}
