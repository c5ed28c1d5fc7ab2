package otlpsink

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
)

// maxRequest limits a decompressed request, in bytes.
const maxRequest = 64 << 20

// Settings say how the sink listens.
type Settings struct {
	// Listen is the address; 127.0.0.1:0 if empty.
	Listen string
	// TLS serves over TLS.
	TLS *tls.Config
	// Headers are required in every request, as HTTP headers or gRPC metadata.
	Headers map[string]string
}

// Sink is an OTLP receiver. It is safe for concurrent use.
type Sink struct {
	settings Settings

	http     *http.Server
	grpc     *grpc.Server
	listener net.Listener
	done     sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	replies []Reply
	// uids are the uids of log records.
	uids map[string]bool
	logs []Log
	// repeats counts log records that came again, unnamed those without a uid.
	repeats, unnamed int
	points           map[string]Point
	decreased        []string
}

// Start listens. After an error nothing stays open.
func Start(s Settings) (*Sink, error) {
	//nolint:noctx // A listener outlives any request.
	listener, err := net.Listen("tcp", cmp.Or(s.Listen, "127.0.0.1:0"))
	if err != nil {
		return nil, fmt.Errorf("listen for OTLP: %w", err)
	}
	sink := &Sink{
		settings: s, listener: listener, grpc: grpc.NewServer(grpc.MaxRecvMsgSize(maxRequest)), uids: map[string]bool{},
		points: map[string]Point{},
	}
	collogs.RegisterLogsServiceServer(sink.grpc, &grpcLogs{sink: sink})
	colmetrics.RegisterMetricsServiceServer(sink.grpc, &grpcMetrics{sink: sink})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs",
		sink.overHTTP(func() proto.Message { return new(collogs.ExportLogsServiceRequest) }))
	mux.HandleFunc("POST /v1/metrics",
		sink.overHTTP(func() proto.Message { return new(colmetrics.ExportMetricsServiceRequest) }))
	mux.Handle("/", sink.grpc) // which has its own paths
	sink.http = &http.Server{
		Handler: sink.authorise(mux), TLSConfig: s.TLS, Protocols: new(http.Protocols),
		ReadHeaderTimeout: time.Minute,
	}
	sink.http.Protocols.SetHTTP1(true)
	sink.http.Protocols.SetHTTP2(true)
	sink.http.Protocols.SetUnencryptedHTTP2(s.TLS == nil)
	// Both only return when Close closes the listener.
	if s.TLS == nil {
		sink.done.Go(func() { _ = sink.http.Serve(listener) })
	} else {
		sink.done.Go(func() { _ = sink.http.ServeTLS(listener, "", "") })
	}
	return sink, nil
}

// URL is the endpoint, without a path.
func (s *Sink) URL() string {
	if s.settings.TLS != nil {
		return "https://" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

// Close ends the server and the requests in progress. It may be called twice. The received data
// stays available.
func (s *Sink) Close() {
	_ = s.http.Close()
	s.grpc.Stop()
	s.done.Wait()
}

func (s *Sink) storeLogs(logs []Log) {
	for _, l := range logs {
		switch {
		case l.UID == "":
			s.unnamed++
		case s.uids[l.UID]:
			s.repeats++
			continue
		}
		s.uids[l.UID] = true
		s.logs = append(s.logs, l)
	}
}

func (s *Sink) storePoints(points []Point) {
	for _, p := range points {
		key := p.key()
		old, ok := s.points[key]
		if p.Delta {
			p.Value, p.Sum, p.Count = p.Value+old.Value, p.Sum+old.Sum, p.Count+old.Count
			s.points[key] = p
			continue
		}
		if ok && p.time.Before(old.time) {
			continue // a newer point overtook it, such as the last before a process ends
		}
		if ok && old.decreases(&p) {
			s.decreased = append(s.decreased, key)
		}
		s.points[key] = p
	}
}

// locked reads the received data under the lock.
func locked[T any](s *Sink, read func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return read()
}

// Logs are the distinct log records in the order of first arrival.
func (s *Sink) Logs() []Log { return locked(s, func() []Log { return slices.Clone(s.logs) }) }

// FeedLogs are the distinct records of one feed of one source, in the order of first arrival.
func (s *Sink) FeedLogs(source, feed string) []Log {
	return slices.DeleteFunc(s.Logs(), func(l Log) bool {
		return l.Attributes["cdr.source"] != source || l.Attributes["cdr.feed"] != feed
	})
}

// Repeats is how many log records came again.
func (s *Sink) Repeats() int { return locked(s, func() int { return s.repeats }) }

// Unnamed is how many log records had no uid; each is kept as a separate one.
func (s *Sink) Unnamed() int { return locked(s, func() int { return s.unnamed }) }

// Metrics are the newest values of all points.
func (s *Sink) Metrics() []Point {
	return locked(s, func() []Point { return slices.Collect(maps.Values(s.points)) })
}

// Metric are the newest points of one metric.
func (s *Sink) Metric(name string) []Point {
	return slices.DeleteFunc(s.Metrics(), func(p Point) bool { return p.Name != name })
}

// Decreased are the monotonic points that went down with the same start.
func (s *Sink) Decreased() []string {
	return locked(s, func() []string { return slices.Clone(s.decreased) })
}
