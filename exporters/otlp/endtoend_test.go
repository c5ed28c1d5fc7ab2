package otlp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/grpc/credentials"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// fixed is a source that always shows the same.
type fixed struct{ snapshot metrics.Snapshot }

func (f fixed) Snapshot() metrics.Snapshot { return f.snapshot }

func oneCall(value float64) fixed {
	labels := &metrics.LabelSet{
		Def:    metrics.Calls,
		Values: []string{"wave", "wavix", "call_log", "inbound", "", "answered", "", "false"},
	}
	return fixed{metrics.Snapshot{Families: []metrics.Family{{
		Def: metrics.Calls, Points: []metrics.Point{{
			Labels: labels, Start: callStart, Value: value,
			Exemplars: []*metrics.Exemplar{anExemplar(1)},
		}},
	}}}}
}

// serverTLS is the configuration of a test server and of a client that trusts it.
func serverTLS(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, NextProtos: []string{"h2"}},
		&tls.Config{RootCAs: roots, ServerName: "example.com"}
}

// TestBothSignalsByBothProtocols is the whole exporter against a receiver over
// the network: order, resource, scope, headers, compression and TLS.
func TestBothSignalsByBothProtocols(t *testing.T) {
	secured, trusting := serverTLS(t)
	tests := []struct {
		name     string
		settings Settings
		serve    func(*testing.T, *receiver) string
	}{
		{"HTTP", Settings{}, func(t *testing.T, r *receiver) string {
			return r.serveHTTP(t) + "/base"
		}},
		{"HTTPS", Settings{TLS: trusting}, func(t *testing.T, r *receiver) string {
			s := httptest.NewUnstartedServer(r)
			s.TLS = secured
			s.StartTLS()
			t.Cleanup(s.Close)
			return s.URL + "/base"
		}},
		{"gRPC", Settings{GRPC: true}, func(t *testing.T, r *receiver) string { return r.serveGRPC(t, nil) }},
		{"gRPC over TLS", Settings{GRPC: true, TLS: trusting}, func(t *testing.T, r *receiver) string {
			return r.serveGRPC(t, credentials.NewTLS(secured))
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := newReceiver()
			s := tc.settings
			s.Endpoint, s.Interval = tc.serve(t, r), time.Hour
			s.Version, s.InstanceID = "1.2.3", "instance"
			s.Resource = map[string]string{"service.name": "mine", "deployment.environment.name": "prod"}
			s.Headers = Headers{"X-Api-Key": func() (string, error) { return "the-key", nil }}
			outbox, count := newOutbox(batch(1, "a", "b"), batch(2, "c")), &tally{}
			ofLogs, ofMetrics := s, s
			if !s.GRPC {
				ofLogs.Endpoint, ofMetrics.Endpoint = s.Endpoint+"/v1/logs", s.Endpoint+"/v1/metrics"
			}
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			for _, e := range []*Exporter{
				newLogs(t, ofLogs, parts{outbox: outbox, count: count.count}),
				newMetrics(t, ofMetrics, parts{sources: []metrics.Source{oneCall(7)}}),
			} {
				closing(t, e)
				running.Go(func() {
					if err := e.Run(ctx); err != nil {
						t.Errorf("run: %v", err)
					}
				})
			}
			<-r.got
			<-r.got
			stop()
			running.Wait()
			if got := r.ids(); !slices.Equal(got, []string{"a", "b", "c"}) || count.counts() != [2]int{3, 0} ||
				outbox.left() != 0 {
				t.Errorf("got records %q, counted %v, %d batches left", got, count.counts(), outbox.left())
			}
			checkSurroundings(t, r)
			if !tc.settings.GRPC && !slices.Equal(r.paths, []string{"/base/v1/logs", "/base/v1/metrics"}) {
				t.Errorf("paths %q", r.paths)
			}
		})
	}
}

// checkSurroundings checks what stands around records and metrics.
func checkSurroundings(t *testing.T, r *receiver) {
	t.Helper()
	want := map[string]string{
		"service.name": "mine", "service.version": "1.2.3", "service.instance.id": "instance",
		"deployment.environment.name": "prod",
	}
	for _, req := range r.logs {
		if len(req.GetResourceLogs()) != 1 || len(req.GetResourceLogs()[0].GetScopeLogs()) != 1 {
			t.Fatalf("a request of %v", req)
		}
		checkAttributes(t, req.GetResourceLogs()[0].GetResource().GetAttributes(), want)
		scope := req.GetResourceLogs()[0].GetScopeLogs()[0].GetScope()
		if scope.GetName() != "github.com/cdr-exporter/cdr-exporter" || scope.GetVersion() != "1.2.3" {
			t.Errorf("scope of logs %v", scope)
		}
	}
	if len(r.metrics) != 1 || len(r.metrics[0].GetScopeMetrics()) != 1 ||
		len(r.metrics[0].GetScopeMetrics()[0].GetMetrics()) != 1 {
		t.Fatalf("metrics %v", r.metrics)
	}
	checkAttributes(t, r.metrics[0].GetResource().GetAttributes(), want)
	scope := r.metrics[0].GetScopeMetrics()[0]
	if scope.GetScope().GetName() != "github.com/cdr-exporter/cdr-exporter" ||
		scope.GetScope().GetVersion() != "1.2.3" {
		t.Errorf("scope of metrics %v", scope.GetScope())
	}
	if point := scope.GetMetrics()[0].GetSum().GetDataPoints()[0]; point.GetAsInt() != 7 ||
		point.GetStartTimeUnixNano() != uint64(callStart.UnixNano()) {
		t.Errorf("point %v", point)
	}
	for _, h := range r.headers {
		if h.Get("X-Api-Key") != "the-key" || !slices.ContainsFunc(h.Values("User-Agent"), func(v string) bool {
			return len(v) >= len("cdr-exporter/1.2.3") && v[:len("cdr-exporter/1.2.3")] == "cdr-exporter/1.2.3"
		}) {
			t.Errorf("headers %v", h)
		}
	}
}

func checkAttributes(t *testing.T, got []*commonpb.KeyValue, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("attributes %v, want %v", got, want)
	}
	for _, kv := range got {
		if want[kv.GetKey()] != kv.GetValue().GetStringValue() {
			t.Errorf("attribute %s = %q, want %q", kv.GetKey(), kv.GetValue().GetStringValue(), want[kv.GetKey()])
		}
	}
}

func TestCloseTwiceAndWithoutRun(t *testing.T) {
	for _, grpc := range []bool{false, true} {
		e := newMetrics(t, Settings{Endpoint: "http://127.0.0.1:1", GRPC: grpc}, parts{})
		for range 2 {
			if err := e.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	}
}
