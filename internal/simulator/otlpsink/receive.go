package otlpsink

import (
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // Clients may compress.
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
)

// Reply is an answer of the sink other than acceptance.
type Reply struct {
	// OnlyLogs doesn't affect requests with metrics.
	OnlyLogs bool
	// Status is the HTTP status; over gRPC the answer is the code with the same meaning.
	Status int
	// Match limits it to requests with a matching record.
	Match func(Log) bool
	// Accept keeps the data although the answer is a failure: a lost acknowledgement.
	Accept bool
	// Drop closes the connection without an answer (HTTP), or is Unavailable.
	Drop bool
	// Times is how often; zero means until ClearFailures.
	Times int
}

// Fail makes the next matching requests get this answer. If several replies match, the oldest goes
// first.
func (s *Sink) Fail(r Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = append(s.replies, r)
}

// ClearFailures accepts everything again.
func (s *Sink) ClearFailures() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = nil
}

// reply removes and returns the reply to a request with these records; the zero Reply accepts it.
func (s *Sink) reply(isLogs bool, logs []Log) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.replies, func(r Reply) bool {
		return (isLogs || !r.OnlyLogs) && (r.Match == nil || slices.ContainsFunc(logs, r.Match))
	})
	if i < 0 {
		return Reply{}
	}
	reply := s.replies[i]
	if s.replies[i].Times--; s.replies[i].Times == 0 {
		s.replies = slices.Delete(s.replies, i, i+1)
	}
	return reply
}

// refuses says that the answer is a failure.
func (r *Reply) refuses() bool { return r.Status != 0 || r.Drop }

// receive keeps a request's data, as the reply to it says.
func (s *Sink) receive(request proto.Message) Reply {
	var logs []Log
	var points []Point
	exported, isLogs := request.(*collogs.ExportLogsServiceRequest)
	if isLogs {
		logs = readLogs(exported)
	} else if r, ok := request.(*colmetrics.ExportMetricsServiceRequest); ok {
		points = readPoints(r)
	}
	reply := s.reply(isLogs, logs)
	if !reply.refuses() || reply.Accept {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.storeLogs(logs)
		s.storePoints(points)
	}
	return reply
}

// authorise refuses requests without the required headers; gRPC clients know what 401 means, too.
func (s *Sink) authorise(handler http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for name, value := range s.settings.Headers {
			if r.Header.Get(name) != value {
				http.Error(w, "header "+name+" is missing or wrong", http.StatusUnauthorized)
				return
			}
		}
		handler.ServeHTTP(w, r)
	}
}

// DeliverLogs receives an encoded ExportLogsServiceRequest without a connection.
func (s *Sink) DeliverLogs(encoded []byte) error {
	request := new(collogs.ExportLogsServiceRequest)
	if err := proto.Unmarshal(encoded, request); err != nil {
		return fmt.Errorf("decode log records: %w", err)
	}
	if reply := s.receive(request); reply.refuses() {
		return fmt.Errorf("the endpoint answered %d", reply.Status)
	}
	return nil
}

// overHTTP handles requests over HTTP, each decoded into a new message.
func (s *Sink) overHTTP(request func() proto.Message) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if into := request(); s.decode(w, r, into) {
			respond(w, s.receive(into))
		}
	}
}

const protobuf = "application/x-protobuf"

// decode checks and decodes a request; if it refuses the request, it has also answered it.
func (s *Sink) decode(w http.ResponseWriter, r *http.Request, into proto.Message) bool {
	if r.Header.Get("Content-Type") != protobuf {
		http.Error(w, "want "+protobuf, http.StatusUnsupportedMediaType)
		return false
	}
	raw, err := readBody(r)
	if err == nil {
		err = proto.Unmarshal(raw, into)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func readBody(r *http.Request) ([]byte, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		body = z
	}
	return io.ReadAll(io.LimitReader(body, maxRequest))
}

// respond sends an empty response, which accepts, or the reply's failure, whose body is a Status,
// as OTLP requires.
func respond(w http.ResponseWriter, reply Reply) {
	if reply.Drop {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", protobuf)
	if !reply.refuses() {
		return
	}
	w.WriteHeader(cmp.Or(reply.Status, http.StatusServiceUnavailable))
	body, _ := proto.Marshal(&rpcstatus.Status{Message: "refused"}) // a valid text
	_, _ = w.Write(body)
}

type grpcLogs struct {
	collogs.UnimplementedLogsServiceServer
	sink *Sink
}

// Export takes log records.
func (g *grpcLogs) Export(
	_ context.Context, request *collogs.ExportLogsServiceRequest,
) (*collogs.ExportLogsServiceResponse, error) {
	return &collogs.ExportLogsServiceResponse{}, g.sink.receiveGRPC(request)
}

type grpcMetrics struct {
	colmetrics.UnimplementedMetricsServiceServer
	sink *Sink
}

// Export takes metric points.
func (g *grpcMetrics) Export(
	_ context.Context, request *colmetrics.ExportMetricsServiceRequest,
) (*colmetrics.ExportMetricsServiceResponse, error) {
	return &colmetrics.ExportMetricsServiceResponse{}, g.sink.receiveGRPC(request)
}

// receiveGRPC is receive for gRPC: a failure is a status.
func (s *Sink) receiveGRPC(request proto.Message) error {
	reply := s.receive(request)
	if !reply.refuses() {
		return nil
	}
	if reply.Status == http.StatusBadRequest {
		return status.Error(codes.InvalidArgument, "refused")
	}
	return status.Error(codes.Unavailable, "refused")
}
