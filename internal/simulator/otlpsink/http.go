package otlpsink

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
)

// maxBody bounds a request's body, unpacked.
const maxBody = 64 << 20

const protobuf = "application/x-protobuf"

func (s *Sink) httpLogs(w http.ResponseWriter, r *http.Request) {
	s.store.request(LogSignal)
	var request collogs.ExportLogsServiceRequest
	if !s.receive(w, r, &request) {
		return
	}
	logs := readLogs(&request)
	reply, told := s.failures.next(LogSignal, logs)
	s.failures.wait(r.Context(), reply.Delay)
	kept, rejected := reply.split(logs)
	if !reply.refuses() || reply.Accept {
		s.store.keepLogs(kept)
	}
	if told && reply.refuses() {
		refuseHTTP(w, &reply)
		return
	}
	writeProto(w, http.StatusOK, logsResponse(rejected, reply.Message))
}

func (s *Sink) httpMetrics(w http.ResponseWriter, r *http.Request) {
	s.store.request(MetricSignal)
	var request colmetrics.ExportMetricsServiceRequest
	if !s.receive(w, r, &request) {
		return
	}
	reply, told := s.failures.next(MetricSignal, nil)
	s.failures.wait(r.Context(), reply.Delay)
	if !reply.refuses() || reply.Accept {
		s.store.keepPoints(readPoints(&request))
	}
	if told && reply.refuses() {
		refuseHTTP(w, &reply)
		return
	}
	writeProto(w, http.StatusOK, &colmetrics.ExportMetricsServiceResponse{})
}

// receive checks and decodes a request; what it refuses it has answered.
func (s *Sink) receive(w http.ResponseWriter, r *http.Request, into proto.Message) bool {
	for name, value := range s.settings.Headers {
		if r.Header.Get(name) != value {
			http.Error(w, "header "+name+" is missing or wrong", http.StatusUnauthorized)
			return false
		}
	}
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
		return false
	}
	return true
}

func readBody(r *http.Request) ([]byte, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, fmt.Errorf("unpack body: %w", err)
		}
		body = z
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return raw, nil
}

// refuseHTTP answers with a failure. Its body is a Status, as OTLP wants it.
func refuseHTTP(w http.ResponseWriter, reply *Reply) {
	if reply.Drop {
		panic(http.ErrAbortHandler)
	}
	if reply.RetryAfter > 0 {
		seconds := int((reply.RetryAfter + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	status := reply.Status
	if status == 0 {
		status = http.StatusServiceUnavailable
	}
	writeProto(w, status, &rpcstatus.Status{Message: reply.Message})
}

func writeProto(w http.ResponseWriter, status int, m proto.Message) {
	body, err := proto.Marshal(m)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", protobuf)
	w.WriteHeader(status)
	// A client that is gone gets nothing.
	_, _ = w.Write(body)
}

func logsResponse(rejected int, message string) *collogs.ExportLogsServiceResponse {
	response := &collogs.ExportLogsServiceResponse{}
	if rejected > 0 || message != "" {
		response.PartialSuccess = &collogs.ExportLogsPartialSuccess{RejectedLogRecords: int64(rejected), ErrorMessage: message}
	}
	return response
}
