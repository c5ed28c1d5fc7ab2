package otlpsink

import (
	"cmp"
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

const (
	// maxBody bounds a request's body, unpacked.
	maxBody  = 64 << 20
	protobuf = "application/x-protobuf"
)

func (s *Sink) httpLogs(w http.ResponseWriter, r *http.Request) {
	var request collogs.ExportLogsServiceRequest
	if s.decode(w, r, LogSignal, &request) {
		reply, rejected := s.receive(r.Context(), LogSignal, readLogs(&request), nil)
		answer(w, &reply, logsResponse(rejected, reply.Message))
	}
}

func (s *Sink) httpMetrics(w http.ResponseWriter, r *http.Request) {
	var request colmetrics.ExportMetricsServiceRequest
	if s.decode(w, r, MetricSignal, &request) {
		reply, _ := s.receive(r.Context(), MetricSignal, nil, readPoints(&request))
		answer(w, &reply, &colmetrics.ExportMetricsServiceResponse{})
	}
}

// decode checks and decodes a request; what it refuses it has answered.
func (s *Sink) decode(w http.ResponseWriter, r *http.Request, signal Signal, into proto.Message) bool {
	s.store.request(signal)
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
	}
	return err == nil
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

// answer sends the response, or the failure that the reply asks for: its body is a Status, as OTLP wants it.
func answer(w http.ResponseWriter, reply *Reply, response proto.Message) {
	status := http.StatusOK
	if reply.Drop {
		panic(http.ErrAbortHandler)
	}
	if reply.refuses() {
		status, response = cmp.Or(reply.Status, http.StatusServiceUnavailable), &rpcstatus.Status{Message: reply.Message}
		if reply.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((reply.RetryAfter+time.Second-1)/time.Second)))
		}
	}
	body, err := proto.Marshal(response)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", protobuf)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func logsResponse(rejected int, message string) *collogs.ExportLogsServiceResponse {
	response := &collogs.ExportLogsServiceResponse{}
	if rejected > 0 || message != "" {
		response.PartialSuccess = &collogs.ExportLogsPartialSuccess{RejectedLogRecords: int64(rejected), ErrorMessage: message}
	}
	return response
}
