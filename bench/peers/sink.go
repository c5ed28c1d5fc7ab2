package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
)

// sink receives log records, over OTLP or as lines of JSON from Telegraf, and keeps only their
// uids. It is safe for concurrent use.
type sink struct {
	server *http.Server
	url    string
	done   sync.WaitGroup

	mu   sync.Mutex
	uids map[string]struct{} // guarded by mu
}

func startSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // A listener outlives any request.
	if err != nil {
		return nil, err
	}
	s := &sink{uids: map[string]struct{}{}, url: "http://" + listener.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", s.take)
	mux.HandleFunc("POST /lines", s.takeLines)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	s.done.Go(func() { _ = s.server.Serve(listener) }) // until it is closed
	return s, nil
}

func (s *sink) close() {
	_ = s.server.Close()
	s.done.Wait()
}

// distinct is the number of distinct log records received.
func (s *sink) distinct() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uids)
}

func (s *sink) take(w http.ResponseWriter, r *http.Request) {
	var request collogs.ExportLogsServiceRequest
	raw, err := readBody(r)
	if err == nil {
		err = proto.Unmarshal(raw, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range request.ResourceLogs {
		for _, scope := range resource.ScopeLogs {
			for _, record := range scope.LogRecords {
				for _, attribute := range record.Attributes {
					if attribute.Key == "log.record.uid" {
						s.uids[attribute.Value.GetStringValue()] = struct{}{}
					}
				}
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty message: everything is accepted
}

// takeLines receives a batch of Telegraf's.
func (s *sink) takeLines(w http.ResponseWriter, r *http.Request) {
	raw, err := readBody(r)
	var batch struct {
		Metrics []struct {
			Fields struct {
				ID string `json:"id"`
			} `json:"fields"`
		} `json:"metrics"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &batch)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range batch.Metrics {
		s.uids[batch.Metrics[i].Fields.ID] = struct{}{}
	}
}

func readBody(r *http.Request) ([]byte, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = z
	}
	return io.ReadAll(body)
}
