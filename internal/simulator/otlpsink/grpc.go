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
	reply, rejected, err := g.sink.receiveGRPC(ctx, LogSignal, readLogs(request), nil)
	if err != nil {
		return nil, err
	}
	return logsResponse(rejected, reply.Message), nil
}

type grpcMetrics struct {
	colmetrics.UnimplementedMetricsServiceServer
	sink *Sink
}

// Export takes metric points.
func (g *grpcMetrics) Export(ctx context.Context, request *colmetrics.ExportMetricsServiceRequest) (*colmetrics.ExportMetricsServiceResponse, error) {
	if _, _, err := g.sink.receiveGRPC(ctx, MetricSignal, nil, readPoints(request)); err != nil {
		return nil, err
	}
	return &colmetrics.ExportMetricsServiceResponse{}, nil
}

// receiveGRPC is receive for gRPC: a failure is a status, with retry information if the reply has any.
func (s *Sink) receiveGRPC(ctx context.Context, signal Signal, logs []Log, points []Point) (Reply, int, error) {
	s.store.request(signal)
	md, _ := metadata.FromIncomingContext(ctx)
	for name, value := range s.settings.Headers {
		if got := md.Get(name); len(got) != 1 || got[0] != value {
			return Reply{}, 0, status.Errorf(codes.Unauthenticated, "metadata %s is missing or wrong", name)
		}
	}
	reply, rejected := s.receive(ctx, signal, logs, points)
	if !reply.refuses() {
		return reply, rejected, nil
	}
	if reply.Code == codes.OK {
		reply.Code = codes.Unavailable
	}
	st := status.New(reply.Code, reply.Message)
	if reply.RetryAfter > 0 {
		if detailed, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(reply.RetryAfter)}); err == nil {
			st = detailed
		}
	}
	return reply, rejected, st.Err()
}
