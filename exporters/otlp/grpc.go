package otlp

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// dial makes the connection of a signal, nil for HTTP. It connects with the first request.
func dial(s Settings) (*grpc.ClientConn, error) {
	if !s.GRPC {
		return nil, nil
	}
	endpoint, err := url.Parse(s.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	security, port := insecure.NewCredentials(), "80"
	if endpoint.Scheme == "https" {
		security, port = credentials.NewTLS(s.TLS), "443"
	}
	target := endpoint.Host
	if endpoint.Port() == "" {
		target += ":" + port
	}
	calls := []grpc.CallOption{grpc.MaxCallRecvMsgSize(maxResponse)}
	if !s.Uncompressed {
		calls = append(calls, grpc.UseCompressor(gzip.Name))
	}
	conn, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(security),
		grpc.WithUserAgent(userAgent(s)),
		grpc.WithUnaryInterceptor(s.Headers.intercept),
		grpc.WithDefaultCallOptions(calls...),
		// Our own backoff goes up to a minute; the connection's must not add to it.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2,
				MaxDelay: 2 * time.Second,
			},
			MinConnectTimeout: 10 * time.Second,
		}),
		// A ping without an answer for 20 s closes a dead connection. Servers refuse pings more
		// often than every five minutes.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 6 * time.Minute, Timeout: 20 * time.Second}),
	)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	return conn, nil
}

// intercept adds the headers to a call. Its error is an answer, without the endpoint's text.
func (h Headers) intercept(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) error {
	var pairs []string
	if err := h.each(func(name, value string) { pairs = append(pairs, name, value) }); err != nil {
		return answer{kind: retry, problem: err.Error()}
	}
	var header, trailer metadata.MD
	err := invoke(metadata.AppendToOutgoingContext(ctx, pairs...), method, req, reply, conn,
		append(opts, grpc.Header(&header), grpc.Trailer(&trailer))...)
	if metrics, ok := reply.(*colmetricspb.ExportMetricsServiceResponse); ok && err == nil {
		rejected := metrics.GetPartialSuccess().GetRejectedDataPoints()
		metrics.PartialSuccess = nil // the SDK turns a warning into an error, too
		if rejected > 0 {
			return acceptedInPart(rejected)
		}
	}
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	if len(header) > 0 || len(trailer) > 0 {
		return judgeGRPC(st, "the endpoint answered gRPC "+st.Code().String())
	}
	// No gRPC server answered, so the client made the status. For answers that aren't gRPC at all,
	// its code would look like the refusal of a record, and its message quotes the answer.
	words := withoutQuotes(strings.TrimPrefix(st.Message(), `connection error: desc = "`))
	if st.Code() == codes.DeadlineExceeded {
		words = "no answer in time"
	}
	a := judgeGRPC(st, words)
	a.kind = retry
	return a
}

// The methods for log records and spans.
const (
	exportLogs   = collogspb.LogsService_Export_FullMethodName
	exportTraces = coltracepb.TraceService_Export_FullMethodName
)

// grpcUploader calls a method with an encoded request. In protobuf, the answer to spans is the same
// message as the answer to log records.
type grpcUploader struct {
	conn   *grpc.ClientConn
	method string
}

func (u grpcUploader) upload(ctx context.Context, request []byte) answer {
	var res collogspb.ExportLogsServiceResponse
	err := u.conn.Invoke(ctx, u.method, request, &res, grpc.ForceCodecV2(encodedCodec{}))
	if err != nil {
		return answerOf(err)
	}
	return acceptedInPart(res.GetPartialSuccess().GetRejectedLogRecords())
}

// encodedCodec sends a []byte unchanged, and decodes answers as protobuf.
type encodedCodec struct{}

// Name implements encoding.CodecV2: the sent bytes are protobuf.
func (encodedCodec) Name() string { return "proto" }

// Marshal implements encoding.CodecV2.
func (encodedCodec) Marshal(v any) (mem.BufferSlice, error) {
	request, is := v.([]byte)
	if !is {
		return nil, fmt.Errorf("%T is not encoded", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(request)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (encodedCodec) Unmarshal(data mem.BufferSlice, v any) error {
	message, is := v.(proto.Message)
	if !is {
		return fmt.Errorf("%T isn't a message", v)
	}
	return proto.Unmarshal(data.Materialize(), message)
}

// judgeGRPC: the retryable codes are those of OTLP 1.11 "Failures", plus the gRPC equivalents of
// HTTP 401, 403 and 404. RESOURCE_EXHAUSTED without RetryInfo isn't retryable there, because it
// also means a message over the endpoint's limit. But it is used for quotas too, which aren't a
// record's fault. So the sender tries fewer records, and retries a single record.
func judgeGRPC(st *status.Status, problem string) answer {
	a := answer{kind: retry, problem: problem}
	asked := false
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			a.after, asked = max(0, info.GetRetryDelay().AsDuration()), true
		}
	}
	switch st.Code() {
	case codes.OK, codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable,
		codes.DataLoss:
	case codes.ResourceExhausted:
		if !asked {
			a.kind = tooLarge
		}
	case codes.Unauthenticated, codes.PermissionDenied:
		a.problem += checkCredentials
	case codes.NotFound, codes.Unimplemented:
		a.problem += checkEndpoint
	case codes.Unknown, codes.Internal, codes.InvalidArgument, codes.AlreadyExists, codes.FailedPrecondition:
		a.kind = refused
	}
	return a
}
