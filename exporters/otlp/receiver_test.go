package otlp

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // the server's side of compression
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// receiver is an OTLP receiver of both protocols that keeps what it gets.
type receiver struct {
	collogspb.UnimplementedLogsServiceServer

	mu      sync.Mutex
	logs    []*collogspb.ExportLogsServiceRequest
	metrics []*metricspb.ResourceMetrics
	spans   []*tracepb.Span
	headers []http.Header // of all requests, HTTP or gRPC
	paths   []string
	// judge answers requests of logs; nil accepts.
	judge func(ids []string) (*collogspb.ExportLogsServiceResponse, error)
	// inPart is in the answers to requests of metrics.
	inPart *colmetricspb.ExportMetricsPartialSuccess
	got    chan struct{} // one token per request
}

func newReceiver() *receiver { return &receiver{got: make(chan struct{}, 1024)} }

func (r *receiver) takeLogs(
	header http.Header, req *collogspb.ExportLogsServiceRequest,
) (*collogspb.ExportLogsServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.got <- struct{}{} }()
	r.headers = append(r.headers, header)
	if r.judge != nil {
		if res, err := r.judge(idsOf(req)); err != nil || res != nil {
			return res, err
		}
	}
	r.logs = append(r.logs, req)
	return &collogspb.ExportLogsServiceResponse{}, nil
}

func (r *receiver) takeMetrics(header http.Header, req *colmetricspb.ExportMetricsServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.got <- struct{}{} }()
	r.headers = append(r.headers, header)
	r.metrics = append(r.metrics, req.GetResourceMetrics()...)
}

// ids are the records that were accepted, in order.
func (r *receiver) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, req := range r.logs {
		all = append(all, idsOf(req)...)
	}
	return all
}

// Export implements LogsServiceServer.
func (r *receiver) Export(
	ctx context.Context, req *collogspb.ExportLogsServiceRequest,
) (*collogspb.ExportLogsServiceResponse, error) {
	return r.takeLogs(incoming(ctx), req)
}

// metricsService is the receiver's other gRPC service: both have an Export.
type metricsService struct {
	colmetricspb.UnimplementedMetricsServiceServer
	*receiver
}

func (m metricsService) Export(
	ctx context.Context, req *colmetricspb.ExportMetricsServiceRequest,
) (*colmetricspb.ExportMetricsServiceResponse, error) {
	m.takeMetrics(incoming(ctx), req)
	return &colmetricspb.ExportMetricsServiceResponse{PartialSuccess: m.inPart}, nil
}

// tracesService is its third. It refuses a span of the first request.
type tracesService struct {
	coltracepb.UnimplementedTraceServiceServer
	*receiver
}

func (s tracesService) Export(
	_ context.Context, req *coltracepb.ExportTraceServiceRequest,
) (*coltracepb.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := &coltracepb.ExportTraceServiceResponse{}
	if s.spans == nil {
		res.PartialSuccess = &coltracepb.ExportTracePartialSuccess{RejectedSpans: 1}
	}
	s.spans = append(s.spans, req.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()...)
	return res, nil
}

func incoming(ctx context.Context) http.Header {
	md, _ := metadata.FromIncomingContext(ctx)
	header := http.Header{}
	for name, values := range md {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return header
}

// serveGRPC starts the receiver on loopback and returns its endpoint.
func (r *receiver) serveGRPC(t *testing.T, creds credentials.TransportCredentials) string {
	t.Helper()
	var options []grpc.ServerOption
	scheme := "http://"
	if creds != nil {
		options, scheme = append(options, grpc.Creds(creds)), "https://"
	}
	server := grpc.NewServer(options...)
	collogspb.RegisterLogsServiceServer(server, r)
	colmetricspb.RegisterMetricsServiceServer(server, metricsService{receiver: r})
	coltracepb.RegisterTraceServiceServer(server, tracesService{receiver: r})
	listener := listen(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() { server.Stop(); wg.Wait() })
	return scheme + listener.Addr().String()
}

// ServeHTTP implements OTLP/HTTP.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	plain, err := gzip.NewReader(req.Body)
	if err != nil || req.Header.Get("Content-Type") != "application/x-protobuf" || req.Method != http.MethodPost {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(plain)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	if !slices.Contains(r.paths, req.URL.Path) {
		r.paths = append(r.paths, req.URL.Path)
	}
	r.mu.Unlock()
	var answer proto.Message
	switch req.URL.Path[strings.LastIndexByte(req.URL.Path, '/'):] {
	case "/metrics":
		in := &colmetricspb.ExportMetricsServiceRequest{}
		err = proto.Unmarshal(body, in)
		r.takeMetrics(req.Header, in)
		answer = &colmetricspb.ExportMetricsServiceResponse{}
	case "/traces":
		in := &coltracepb.ExportTraceServiceRequest{}
		if err = proto.Unmarshal(body, in); err == nil {
			answer, err = tracesService{receiver: r}.Export(req.Context(), in)
		}
	default:
		in := &collogspb.ExportLogsServiceRequest{}
		if err = proto.Unmarshal(body, in); err == nil {
			answer, err = r.takeLogs(req.Header, in)
		}
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	out, err := proto.Marshal(answer)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

// serveHTTP is serveGRPC of the other protocol.
func (r *receiver) serveHTTP(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server.URL
}
