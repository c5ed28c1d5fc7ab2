package otlp

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

	"github.com/klauspost/compress/gzip"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// maxResponse limits how much of an answer is read; a partial success is far smaller.
const maxResponse = 1 << 20

// deadAfter is how long an HTTP/2 connection may be silent before it is pinged, as in Prometheus's
// clients. Without an answer it is closed.
const deadAfter = time.Minute

func newHTTPClient(s Settings) *http.Client {
	if s.Deliver != nil {
		return &http.Client{Transport: s.Deliver}
	}
	base := s.Transport
	if base == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.TLSClientConfig, base = s.TLS, own
		// A request without an answer doesn't end its connection, so pings find out whether the
		// other end still exists.
		own.HTTP2 = &http.HTTP2Config{SendPingTimeout: deadAfter}
		own.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK { // otherwise the error has the proxy's own text
				return fmt.Errorf("the proxy answered HTTP %d", res.StatusCode)
			}
			return nil
		}
	}
	return &http.Client{Transport: &transport{base: base, settings: s}}
}

func userAgent(s Settings) string { return "cdr-exporter/" + s.Version }

// transport carries all HTTP requests, the SDK's included. It adds the headers and judges the
// answer. If the answer isn't a full success, RoundTrip returns it as an error without the
// endpoint's text; it has already read the body of a success.
type transport struct {
	base     http.RoundTripper
	settings Settings
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.send(req)
	if err != nil {
		return nil, answer{kind: retry, problem: networkProblem(err, t.settings.Timeout)}
	}
	if a := judgeHTTP(res.StatusCode, res.Header); a.kind != accepted {
		// Reading a little allows the connection to be reused.
		_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
		res.Body.Close()
		return nil, a
	}
	defer res.Body.Close()
	if a := judgeSuccess(res); a.rejected > 0 {
		return nil, a
	}
	res.Body, res.ContentLength = http.NoBody, 0
	return res, nil
}

// send sends the request with the configured headers, which don't replace headers that describe the
// body.
func (t *transport) send(req *http.Request) (*http.Response, error) {
	own := req.Clone(req.Context())
	own.Header.Set("User-Agent", userAgent(t.settings))
	if err := t.settings.Headers.each(own.Header.Set); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if values := req.Header.Values(name); len(values) > 0 {
			own.Header[name] = values
		}
	}
	return t.base.RoundTrip(own)
}

// httpUploader posts to the path of one signal. It is for one goroutine.
type httpUploader struct {
	url    string
	client *http.Client
	zip    *gzip.Writer // reused: a new one takes almost a megabyte; nil: uncompressed
}

func newHTTPUploader(s Settings) *httpUploader {
	u := &httpUploader{url: s.Endpoint, client: newHTTPClient(s)}
	if !s.Uncompressed {
		u.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	}
	return u
}

func (u *httpUploader) upload(ctx context.Context, request []byte) answer {
	body := bytes.NewBuffer(request)
	if u.zip != nil {
		body = new(bytes.Buffer)
		u.zip.Reset(body)
		_, _ = u.zip.Write(request) // a buffer never fails
		_ = u.zip.Close()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, body)
	if err != nil {
		return answer{kind: retry, problem: "the request couldn't be made; check otlp.endpoint"}
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if u.zip != nil {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := u.client.Do(req)
	if err != nil {
		return answerOf(err)
	}
	res.Body.Close()
	return answer{kind: accepted}
}

// judgeSuccess reads the body of a 2xx answer. The records were accepted even if the body is cut
// off or isn't OTLP. In protobuf, an answer to metrics or spans is the same message.
func judgeSuccess(res *http.Response) answer {
	var out collogspb.ExportLogsServiceResponse
	var traces coltracepb.ExportTraceServiceResponse
	body, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	switch {
	case err != nil:
	case mediaType(res.Header) == "application/json":
		lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
		err = cmp.Or(lenient.Unmarshal(body, &out), lenient.Unmarshal(body, &traces))
	default:
		err = proto.Unmarshal(body, &out)
	}
	if err != nil {
		return answer{kind: accepted}
	}
	return acceptedInPart(out.GetPartialSuccess().GetRejectedLogRecords() + traces.GetPartialSuccess().
		GetRejectedSpans())
}

// acceptedInPart means that all but some records were accepted. If none was rejected, it may carry
// a warning, which isn't shown.
func acceptedInPart(rejected int64) answer {
	return answer{kind: accepted, rejected: rejected, problem: "the endpoint accepted a request in part"}
}

// mediaType is the Content-Type without its parameters, even if they can't be read.
func mediaType(header http.Header) string {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind
}

// judgeHTTP: OTLP 1.11 "OTLP/HTTP Response" retries 429, 502, 503 and 504. Wrong credentials and
// addresses (401, 403, 404, 405, 407, redirects: a POST would become a GET, whose 200 doesn't mean
// acceptance) and a late request (408) aren't about a record either. Every other answer may be.
func judgeHTTP(code int, header http.Header) answer {
	switch success := code >= 200 && code <= 299; {
	case success && mediaType(header) == "text/html":
		return answer{kind: retry, problem: "a web page answered, not an OTLP endpoint; check otlp.endpoint"}
	case success:
		return answer{kind: accepted}
	}
	a := answer{kind: retry, problem: fmt.Sprintf("the endpoint answered HTTP %d %s", code, http.StatusText(code))}
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		a.after = retryAfter(header.Get("Retry-After"), time.Now()) //nolint:forbidigo // the header may be a date
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		a.problem += checkCredentials
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		a.problem += checkEndpoint
	case http.StatusRequestTimeout:
	default:
		if code >= 300 && code < 400 {
			a.problem += "; redirects are not followed, check otlp.endpoint"
		} else {
			a.kind = refused
		}
	}
	return a
}

// retryAfter reads a Retry-After header, in seconds or as a date; zero if it is neither.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// networkProblem describes a failure below HTTP.
func networkProblem(err error, timeout time.Duration) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", timeout)
	}
	return withoutQuotes(err.Error())
}

// withoutQuotes is the text of an error up to the first quoted text, which may repeat the request's
// headers.
func withoutQuotes(text string) string {
	if quote := strings.IndexAny(text, "\"\n"); quote >= 0 {
		text = text[:quote]
	}
	return strings.TrimRight(text, `: \`)
}
