package otlp

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
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

// TestEverySignalByBothProtocols is the whole exporter against a receiver over the network: order, resource, scope,
// headers, compression and TLS. The endpoint accepts the first request of spans in part.
func TestEverySignalByBothProtocols(t *testing.T) {
	secured, trusting := serverTLS(t)
	for _, tc := range []struct {
		name     string
		settings Settings
		serve    func(*testing.T, *receiver) string
	}{
		{"HTTP", Settings{}, func(t *testing.T, r *receiver) string { return r.serveHTTP(t, nil) + "/base" }},
		{
			"HTTPS",
			Settings{TLS: trusting},
			func(t *testing.T, r *receiver) string { return r.serveHTTP(t, secured) + "/base" },
		},
		{"gRPC", Settings{GRPC: true}, func(t *testing.T, r *receiver) string { return r.serveGRPC(t, nil) }},
		{"gRPC over TLS", Settings{GRPC: true, TLS: trusting}, func(t *testing.T, r *receiver) string {
			return r.serveGRPC(t, credentials.NewTLS(secured))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, inPart := newReceiver(), &coltracepb.ExportTraceServiceResponse{
				PartialSuccess: &coltracepb.ExportTracePartialSuccess{RejectedSpans: 1},
			}
			r.answer = func(request proto.Message) (answer proto.Message, err error) {
				if _, isOfSpans := request.(*coltracepb.ExportTraceServiceRequest); isOfSpans && inPart != nil {
					answer, inPart = inPart, nil
				}
				return answer, nil
			}
			s := tc.settings
			endpoint := tc.serve(t, r)
			s.Version, s.InstanceID, s.Interval = "1.2.3", "instance", time.Hour
			s.Resource = map[string]string{"service.name": "mine", "deployment.environment.name": "prod"}
			s.Headers = Headers{"X-Api-Key": func() (string, error) { return "the-key", nil }}
			of := func(path string) Settings {
				s.Endpoint, s.TLS = endpoint, tc.settings.TLS.Clone() // a transport changes it
				if !s.GRPC {
					s.Endpoint += path
				}
				return s
			}
			spans, ends := Encoder{}.AppendSpans(nil, nil, fullRecord(t), &counting.Span{Event: *fullEvent()})
			n := len(ends)
			logs, logCount := newOutbox(batch(1, "a", "b"), batch(2, "c")), &tally{}
			traces, spanCount := newOutbox(&outbox.Batch{ID: 1, Records: n, Data: spans},
				&outbox.Batch{ID: 2, Records: n, Data: spans}), &tally{}
			var stops []func()
			for _, e := range []*Exporter{
				newLogs(t, of("/v1/logs"), parts{outbox: logs, count: logCount.count}),
				newTraces(t, of("/v1/traces"), parts{outbox: traces, count: spanCount.count}),
				newMetrics(t, of("/v1/metrics"), parts{sources: []metrics.Source{oneCall(7)}}),
			} {
				closing(t, e)
				stops = append(stops, started(t, e))
			}
			for range 4 { // the batches
				<-r.got
			}
			for _, stop := range stops {
				stop()
			}
			checkLogs(t, r)
			checkMetrics(t, r)
			checkHeaders(t, r, tc.settings.GRPC)
			if got, want := logCount.counts(), [2]int{3, 0}; got != want || logs.left()+traces.left() != 0 {
				t.Errorf("log records counted %v, %d and %d batches left", got, logs.left(), traces.left())
			}
			var got []*tracepb.Span
			for _, request := range requestsOf[*coltracepb.ExportTraceServiceRequest](r) {
				got = append(got, request.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()...)
			}
			if len(got) != 2*n || spanCount.counts() != [2]int{2*n - 1, 1} {
				t.Fatalf("%d spans, counted %v", len(got), spanCount.counts())
			}
			if want := fmt.Sprintf("%x %x", got[0].GetTraceId(), got[0].GetSpanId()); uidOf(spans[:ends[0]]) != want {
				t.Errorf("in the log a span is %q, want %q", uidOf(spans[:ends[0]]), want)
			}
		})
	}
}

var wantResource = map[string]string{
	"service.name": "mine", "service.version": "1.2.3", "service.instance.id": "instance",
	"deployment.environment.name": "prod",
}

func checkScope(t *testing.T, scope *commonpb.InstrumentationScope) {
	t.Helper()
	if scope.GetName() != "github.com/cdr-exporter/cdr-exporter" || scope.GetVersion() != "1.2.3" {
		t.Errorf("scope %v", scope)
	}
}

func checkLogs(t *testing.T, r *receiver) {
	t.Helper()
	var ids []string
	for _, request := range requestsOf[*collogspb.ExportLogsServiceRequest](r) {
		if len(request.GetResourceLogs()) != 1 || len(request.GetResourceLogs()[0].GetScopeLogs()) != 1 {
			t.Fatalf("a request of %v", request)
		}
		ids = append(ids, idsOf(request)...)
		checkAttributes(t, request.GetResourceLogs()[0].GetResource().GetAttributes(), wantResource)
		checkScope(t, request.GetResourceLogs()[0].GetScopeLogs()[0].GetScope())
	}
	if !slices.Equal(ids, []string{"a", "b", "c"}) {
		t.Errorf("got records %q", ids)
	}
}

func checkMetrics(t *testing.T, r *receiver) {
	t.Helper()
	all := requestsOf[*colmetricspb.ExportMetricsServiceRequest](r)
	if len(all) != 1 || len(all[0].GetResourceMetrics()) != 1 ||
		len(all[0].GetResourceMetrics()[0].GetScopeMetrics()) != 1 {
		t.Fatalf("metrics %v", all)
	}
	resource := all[0].GetResourceMetrics()[0]
	checkAttributes(t, resource.GetResource().GetAttributes(), wantResource)
	scope := resource.GetScopeMetrics()[0]
	checkScope(t, scope.GetScope())
	if point := scope.GetMetrics()[0].GetSum().GetDataPoints()[0]; point.GetAsInt() != 7 ||
		point.GetStartTimeUnixNano() != uint64(callStart.UnixNano()) {
		t.Errorf("point %v", point)
	}
}

func checkHeaders(t *testing.T, r *receiver, overGRPC bool) {
	t.Helper()
	for _, request := range r.requests {
		if request.header.Get("X-Api-Key") != "the-key" ||
			!slices.ContainsFunc(request.header.Values("User-Agent"), func(agent string) bool {
				return strings.HasPrefix(agent, "cdr-exporter/1.2.3")
			}) {
			t.Errorf("%s with %v", request.path, request.header)
		}
		if !overGRPC && !strings.HasPrefix(request.path, "POST /base/v1/") {
			t.Errorf("asked %s", request.path)
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
