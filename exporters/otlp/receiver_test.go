package otlp

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // the server's side of compression
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// receiver is an OTLP endpoint of all signals and both protocols, which keeps what it gets.
type receiver struct {
	// answer may answer a request with a message or an error; nil, or neither, accepts it.
	answer func(request proto.Message) (proto.Message, error)
	got    chan struct{} // one token per request

	mu       sync.Mutex
	requests []received
}

// received is a request.
type received struct {
	path    string // the method, over gRPC
	header  http.Header
	message proto.Message
}

func newReceiver() *receiver { return &receiver{got: make(chan struct{}, 1024)} }

// signals are the messages of each signal, by a word of its paths and methods.
var signals = map[string]struct{ request, accepts proto.Message }{
	"logs":    {new(collogspb.ExportLogsServiceRequest), new(collogspb.ExportLogsServiceResponse)},
	"metrics": {new(colmetricspb.ExportMetricsServiceRequest), new(colmetricspb.ExportMetricsServiceResponse)},
	"trace":   {new(coltracepb.ExportTraceServiceRequest), new(coltracepb.ExportTraceServiceResponse)},
}

// receive keeps a request, and returns the answer to it.
func (r *receiver) receive(path string, header http.Header, decode func(any) error) (proto.Message, error) {
	for word, signal := range signals {
		if !strings.Contains(path, word) {
			continue
		}
		message := signal.request.ProtoReflect().New().Interface()
		if err := decode(message); err != nil {
			return nil, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, received{path, header, message})
		defer func() { r.got <- struct{}{} }()
		if r.answer != nil {
			if answer, err := r.answer(message); answer != nil || err != nil {
				return answer, err
			}
		}
		return signal.accepts, nil
	}
	return nil, errors.New("no signal of OTLP is at " + path)
}

// requestsOf are the requests of one signal, in order.
func requestsOf[M proto.Message](r *receiver) (all []M) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.requests {
		if message, is := one.message.(M); is {
			all = append(all, message)
		}
	}
	return all
}

// serveGRPC starts the receiver on loopback and returns its endpoint.
func (r *receiver) serveGRPC(t *testing.T, creds credentials.TransportCredentials) string {
	t.Helper()
	options := []grpc.ServerOption{grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		header := http.Header{}
		pairs, _ := metadata.FromIncomingContext(stream.Context())
		for name, values := range pairs {
			header[http.CanonicalHeaderKey(name)] = values
		}
		answer, err := r.receive(method, header, stream.RecvMsg)
		if err != nil {
			return err
		}
		return stream.SendMsg(answer)
	})}
	scheme := "http://"
	if creds != nil {
		options, scheme = append(options, grpc.Creds(creds)), "https://"
	}
	server, listener := grpc.NewServer(options...), listen(t)
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
	answer, err := r.receive(req.Method+" "+req.URL.Path, req.Header, func(into any) error {
		if req.Header.Get("Content-Type") != "application/x-protobuf" {
			return http.ErrNotSupported
		}
		return unpack(req.Body, into.(proto.Message))
	})
	out, failed := proto.Marshal(answer)
	if errors.Join(err, failed) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

// serveHTTP is serveGRPC of the other protocol, over TLS if there is a configuration.
func (r *receiver) serveHTTP(t *testing.T, secured *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(r)
	if server.TLS = secured; secured != nil {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server.URL
}
