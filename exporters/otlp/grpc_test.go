package otlp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// newGRPCUploader connects to an endpoint.
func newGRPCUploader(t *testing.T, endpoint string) grpcUploader {
	t.Helper()
	conn, err := dial(Settings{Endpoint: endpoint, GRPC: true})
	require.NoError(t, err)
	closing(t, conn)
	return grpcUploader{conn, exportLogs}
}

func requestOf(t *testing.T, ids ...string) []byte {
	t.Helper()
	records, whole := splitBatch(batch(1, ids...).Data)
	if !whole || len(records) != len(ids) {
		t.Fatalf("%d of %d records", len(records), len(ids))
	}
	return newEnvelope(Settings{}).request(records)
}

// TestEveryGRPCCode: counting.md 26, as a server sends the codes.
func TestEveryGRPCCode(t *testing.T) {
	asking := func(code codes.Code) error {
		st, err := status.New(code, "the endpoint's own words").
			WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
		require.NoError(t, err)
		return st.Err()
	}
	tests := []struct {
		code    codes.Code
		verdict answerKind
		hint    string
	}{
		{codes.OK, accepted, ""},
		{codes.Canceled, retry, "Canceled"},
		{codes.DeadlineExceeded, retry, "DeadlineExceeded"},
		{codes.Aborted, retry, "Aborted"},
		{codes.OutOfRange, retry, "OutOfRange"},
		{codes.Unavailable, retry, "Unavailable"},
		{codes.DataLoss, retry, "DataLoss"},
		{codes.Unauthenticated, retry, "check the credentials"},
		{codes.PermissionDenied, retry, "check the credentials"},
		{codes.NotFound, retry, "check otlp.endpoint"},
		{codes.Unimplemented, retry, "check otlp.endpoint"},
		{codes.ResourceExhausted, tooLarge, "ResourceExhausted"},
		{codes.Unknown, refused, "Unknown"},
		{codes.InvalidArgument, refused, "InvalidArgument"},
		{codes.AlreadyExists, refused, "AlreadyExists"},
		{codes.FailedPrecondition, refused, "FailedPrecondition"},
		{codes.Internal, refused, "Internal"},
	}
	r := newReceiver()
	var answer error
	r.answer = func(proto.Message) (proto.Message, error) { return nil, answer }
	u := newGRPCUploader(t, r.serveGRPC(t, nil))
	for _, tc := range tests {
		t.Run(tc.code.String(), func(t *testing.T) {
			answer = status.Error(tc.code, "the endpoint's own words")
			got := u.upload(t.Context(), requestOf(t, "a"))
			if got.kind != tc.verdict || !strings.Contains(got.problem, tc.hint) ||
				strings.Contains(got.problem, "own words") || got.after != 0 {
				t.Errorf("got %+v, want verdict %d, %q", got, tc.verdict, tc.hint)
			}
		})
	}
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted} {
		t.Run(code.String()+" with RetryInfo", func(t *testing.T) {
			answer = asking(code)
			if got := u.upload(t.Context(), requestOf(t, "a")); got.kind != retry || got.after != 7*time.Second {
				t.Errorf("got %+v, want again after 7s", got)
			}
		})
	}
}

// TestGRPCToSomethingElse: a server that isn't gRPC, or a broken one that repeats a request's header in its own,
// refuses no record, and the problem holds no secret.
func TestGRPCToSomethingElse(t *testing.T) {
	const secret = "Basic dXNlcjpodW50ZXIy"
	page := func(code int, kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, secret)
		}
	}
	header := func(pairs ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Set(pairs[i], pairs[i+1])
			}
		}
	}
	for name, handler := range map[string]http.Handler{
		"a web page": page(200, "text/html"), "400": page(400, "text/plain"), "401": page(401, "text/plain"),
		"404": page(404, "text/plain"), "500": page(500, "text/plain"), "503": page(503, "text/plain"),
		"content type": page(200, secret), "status": header("Grpc-Status", secret),
		"message": header("Grpc-Status", "14", "Grpc-Message", secret), "binary metadata": header("X-Bin", secret),
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(handler)
			server.Config.Protocols = new(http.Protocols)
			server.Config.Protocols.SetUnencryptedHTTP2(true)
			server.Start()
			t.Cleanup(server.Close)
			got := newGRPCUploader(t, server.URL).upload(t.Context(), requestOf(t, "a"))
			checkNoSecret(t, "the problem", got.problem)
			if got.kind != retry || got.problem == "" {
				t.Errorf("got %+v, want again", got)
			}
		})
	}
	got := newGRPCUploader(t, "http://127.0.0.1:1").upload(t.Context(), requestOf(t, "a"))
	if got.kind != retry || !strings.Contains(got.problem, "connection refused") {
		t.Errorf("nobody: got %+v", got)
	}
}
