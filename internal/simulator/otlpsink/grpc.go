package otlpsink

import (
	"context"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // Clients may compress.
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
)

type grpcLogs struct {
	collogs.UnimplementedLogsServiceServer
	sink *Sink
}

// Export takes log records.
func (g *grpcLogs) Export(ctx context.Context, request *collogs.ExportLogsServiceRequest) (*collogs.ExportLogsServiceResponse, error) {
	s := g.sink
	s.store.request(LogSignal)
	if err := s.checkMetadata(ctx); err != nil {
		return nil, err
	}
	logs := readLogs(request)
	reply, told := s.failures.next(LogSignal, logs)
	s.failures.wait(ctx, reply.Delay)
	kept, rejected := reply.split(logs)
	if !reply.refuses() || reply.Accept {
		s.store.keepLogs(kept)
	}
	if told && reply.refuses() {
		return nil, refuseGRPC(&reply)
	}
	return logsResponse(rejected, reply.Message), nil
}

type grpcMetrics struct {
	colmetrics.UnimplementedMetricsServiceServer
	sink *Sink
}

// Export takes metric points.
func (g *grpcMetrics) Export(ctx context.Context, request *colmetrics.ExportMetricsServiceRequest) (*colmetrics.ExportMetricsServiceResponse, error) {
	s := g.sink
	s.store.request(MetricSignal)
	if err := s.checkMetadata(ctx); err != nil {
		return nil, err
	}
	reply, told := s.failures.next(MetricSignal, nil)
	s.failures.wait(ctx, reply.Delay)
	if !reply.refuses() || reply.Accept {
		s.store.keepPoints(readPoints(request))
	}
	if told && reply.refuses() {
		return nil, refuseGRPC(&reply)
	}
	return &colmetrics.ExportMetricsServiceResponse{}, nil
}

func (s *Sink) checkMetadata(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	for name, value := range s.settings.Headers {
		if got := md.Get(name); len(got) != 1 || got[0] != value {
			return status.Errorf(codes.Unauthenticated, "metadata %s is missing or wrong", name)
		}
	}
	return nil
}

// refuseGRPC is the failure as a status, with retry information if there is any.
func refuseGRPC(reply *Reply) error {
	code := reply.Code
	if code == codes.OK {
		code = codes.Unavailable
	}
	st := status.New(code, reply.Message)
	if reply.RetryAfter > 0 {
		detailed, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(reply.RetryAfter)})
		if err == nil {
			st = detailed
		}
	}
	return st.Err()
}
