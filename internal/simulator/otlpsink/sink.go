package otlpsink

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
)

// Sink is an OTLP receiver. It is safe for concurrent use.
type Sink struct {
	settings Settings
	store    store
	failures failures

	http         *http.Server
	grpc         *grpc.Server
	httpListener net.Listener
	grpcListener net.Listener
	done         sync.WaitGroup
	closed       chan struct{}
	close        func()
}

// Start listens for HTTP and for gRPC. An error leaves nothing open.
func Start(s Settings) (*Sink, error) {
	sink := &Sink{
		settings: s, closed: make(chan struct{}),
		store: store{uids: map[string]int{}, requests: map[Signal]int{}, points: map[string]Point{}},
	}
	sink.close = sync.OnceFunc(func() { close(sink.closed) })
	var err error
	if sink.httpListener, err = listen(s.Listen); err != nil {
		return nil, err
	}
	if sink.grpcListener, err = listen(s.ListenGRPC); err != nil {
		_ = sink.httpListener.Close()
		return nil, err
	}
	sink.serveHTTP()
	sink.serveGRPC()
	return sink, nil
}

func listen(address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address) //nolint:noctx // A listener outlives any request.
	if err != nil {
		return nil, fmt.Errorf("listen for OTLP: %w", err)
	}
	return l, nil
}

func (s *Sink) serveHTTP() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", s.httpLogs)
	mux.HandleFunc("POST /v1/metrics", s.httpMetrics)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute, TLSConfig: s.settings.TLS.Clone()}
	s.done.Go(func() {
		// Either returns when Close closes the listener, and for nothing else.
		if s.settings.TLS != nil {
			_ = s.http.ServeTLS(s.httpListener, "", "")
			return
		}
		_ = s.http.Serve(s.httpListener)
	})
}

func (s *Sink) serveGRPC() {
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(64 << 20)}
	if s.settings.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.settings.TLS.Clone())))
	}
	s.grpc = grpc.NewServer(options...)
	collogs.RegisterLogsServiceServer(s.grpc, &grpcLogs{sink: s})
	colmetrics.RegisterMetricsServiceServer(s.grpc, &grpcMetrics{sink: s})
	s.done.Go(func() { _ = s.grpc.Serve(s.grpcListener) })
}

// HTTPURL is the endpoint for http/protobuf, without a path.
func (s *Sink) HTTPURL() string { return s.scheme() + s.httpListener.Addr().String() }

// GRPCURL is the endpoint for grpc, with its scheme.
func (s *Sink) GRPCURL() string { return s.scheme() + s.grpcListener.Addr().String() }

func (s *Sink) scheme() string {
	if s.settings.TLS != nil {
		return "https://"
	}
	return "http://"
}

// Close ends both servers and what they are doing. It may be called twice. What was received can still be asked for.
func (s *Sink) Close() {
	s.close()
	_ = s.http.Close()
	s.grpc.Stop()
	s.done.Wait()
}
