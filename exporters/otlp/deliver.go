package otlp

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// Deliver takes one encoded request, such as an ExportLogsServiceRequest, in place of an endpoint.
// nil means that all of it was accepted. An error made by [Refused] means that something in it may
// be at fault. After any other error the exporter offers the same request again.
type Deliver func(ctx context.Context, request []byte) error

// Refused is the error for a request that would be refused again unchanged. The problem must quote
// nothing of the request.
func Refused(problem string) error { return answer{kind: refused, problem: problem} }

// RoundTrip implements http.RoundTripper, so that a client of an endpoint needs to know nothing of Deliver.
func (d Deliver) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read a request: %w", err)
	}
	if err := d(r.Context(), request); err != nil {
		return nil, answerOf(err)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}
