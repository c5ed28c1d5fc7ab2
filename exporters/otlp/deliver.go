package otlp

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// Deliver takes one request, an encoded ExportLogsServiceRequest or that of another signal, in place of an endpoint. nil says that all of it was
// accepted, an error made by [Refused] that something in it may be at fault; after any other error the same is offered again.
type Deliver func(ctx context.Context, request []byte) error

// Refused is the error of a request that would be refused again as it is. The problem must quote nothing of the request.
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
