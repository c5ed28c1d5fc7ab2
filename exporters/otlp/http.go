package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// uploader sends log records once and says how that went. An answer given after
// the context ended means nothing.
type uploader interface {
	upload(ctx context.Context, p part) answer
}

// httpUploader posts to /v1/logs. One goroutine uses it.
type httpUploader struct {
	url      string
	client   *http.Client
	envelope envelope
	timeout  time.Duration
	now      func() time.Time
	plain    bool         // not compressed
	gzip     *gzip.Writer // made by the first request
}

func (u *httpUploader) upload(ctx context.Context, p part) answer {
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	body, err := u.body(u.envelope.head(len(p.data)), p.data)
	if err != nil {
		return answer{verdict: again, problem: err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, bytes.NewReader(body))
	if err != nil {
		return answer{verdict: again, problem: "the request couldn't be made; check otlp.endpoint"}
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if !u.plain {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := u.client.Do(req)
	if err != nil {
		return answer{verdict: again, problem: networkProblem(err, u.timeout)}
	}
	defer res.Body.Close()
	if !success(res.StatusCode) {
		return judgeHTTP(res.StatusCode, res.Header, u.now())
	}
	return u.judgeSuccess(res)
}

// judgeSuccess reads what an answer of 2xx says.
func (u *httpUploader) judgeSuccess(res *http.Response) answer {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err == nil && kind == "text/html" {
		return answer{verdict: again, problem: "a web page answered, not an OTLP endpoint; check otlp.endpoint"}
	}
	// 2xx says that the records were taken. If what else it says is cut off or isn't
	// OTLP, they still are.
	a := answer{verdict: accepted}
	var out collogspb.ExportLogsServiceResponse
	body, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return a
	case kind == "application/json":
		err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, &out)
	default:
		err = proto.Unmarshal(body, &out)
	}
	if err == nil {
		a.rejected = out.GetPartialSuccess().GetRejectedLogRecords()
	}
	return a
}

// body makes one body of all parts, gzipped as a rule. It is new each time: a
// transport may go on reading it after the answer.
func (u *httpUploader) body(parts ...[]byte) ([]byte, error) {
	if u.plain {
		return bytes.Join(parts, nil), nil
	}
	var out bytes.Buffer
	if u.gzip == nil {
		// The level is one that there is.
		u.gzip, _ = gzip.NewWriterLevel(&out, gzip.BestSpeed)
	}
	u.gzip.Reset(&out)
	for _, p := range parts {
		if _, err := u.gzip.Write(p); err != nil {
			return nil, fmt.Errorf("compress request: %w", err)
		}
	}
	if err := u.gzip.Close(); err != nil {
		return nil, fmt.Errorf("compress request: %w", err)
	}
	return out.Bytes(), nil
}

// networkProblem is what went wrong below HTTP, without the URL.
func networkProblem(err error, timeout time.Duration) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", timeout)
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}
