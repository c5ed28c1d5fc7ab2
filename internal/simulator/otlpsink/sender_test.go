package otlpsink

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
)

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

// request holds a record per uid.
func request(uids ...string) *collogs.ExportLogsServiceRequest {
	scope := &logspb.ScopeLogs{Scope: &common.InstrumentationScope{Name: "scope"}}
	for _, uid := range uids {
		scope.LogRecords = append(scope.LogRecords, &logspb.LogRecord{
			TimeUnixNano: 1_000_000_000, EventName: "cdr.call", SeverityNumber: 9, SeverityText: "INFO",
			Body:    &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: "a call"}},
			TraceId: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
			Attributes: []*common.KeyValue{
				text("log.record.uid", uid), text("cdr.source", "contoso"), text("cdr.feed", "pstn"), text("cdr.record.id", "r"+uid),
				{Key: "cdr.sip_code", Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: 486}}},
				{Key: "cdr.duration", Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 1.5}}},
				{Key: "cdr.changed", Value: &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{
					Values: []*common.AnyValue{{Value: &common.AnyValue_BoolValue{BoolValue: true}}},
				}}}},
			},
		})
	}
	return &collogs.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		Resource:  &resource.Resource{Attributes: []*common.KeyValue{text("service.name", "cdr-exporter")}},
		ScopeLogs: []*logspb.ScopeLogs{scope},
	}}}
}

// counted holds a counter, a gauge and a histogram.
func counted(value int64, start uint64) *colmetrics.ExportMetricsServiceRequest {
	const cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	attributes := []*common.KeyValue{text("source", "contoso")}
	return &colmetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metricspb.ResourceMetrics{{ScopeMetrics: []*metricspb.ScopeMetrics{{
		Metrics: []*metricspb.Metric{
			{Name: "cdr.calls", Unit: "{call}", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{
				IsMonotonic: true, AggregationTemporality: cumulative,
				DataPoints: []*metricspb.NumberDataPoint{{Attributes: attributes, StartTimeUnixNano: start, Value: &metricspb.NumberDataPoint_AsInt{AsInt: value}}},
			}}},
			{Name: "ratio", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{
				DataPoints: []*metricspb.NumberDataPoint{{Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: 0.5}}},
			}}},
			{Name: "cdr.call.duration", Unit: "s", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
				AggregationTemporality: cumulative,
				DataPoints: []*metricspb.HistogramDataPoint{{
					Count: uint64(value), Sum: proto.Float64(7), ExplicitBounds: []float64{1}, BucketCounts: []uint64{1, 2},
				}},
			}}},
		},
	}}}}}
}

// sender sends to a sink by one of the protocols.
type sender struct {
	t    *testing.T
	send func(path string, m proto.Message) (rejected int64, err error)
}

// httpError is a status that isn't 200.
type httpError struct {
	status     int
	retryAfter string
}

func (e *httpError) Error() string { return http.StatusText(e.status) }

func httpSender(t *testing.T, sink *Sink, transport *http.Transport, header http.Header, packed bool) sender {
	t.Cleanup(transport.CloseIdleConnections)
	return sender{t: t, send: func(path string, m proto.Message) (int64, error) {
		raw, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		body := bytes.NewBuffer(raw)
		if packed {
			body = &bytes.Buffer{}
			z := gzip.NewWriter(body)
			_, _ = z.Write(raw)
			_ = z.Close()
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sink.HTTPURL()+"/v1/"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("Content-Type", "application/x-protobuf")
		if packed {
			r.Header.Set("Content-Encoding", "gzip")
		}
		response, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			return 0, err
		}
		if response.StatusCode != http.StatusOK {
			return 0, &httpError{response.StatusCode, response.Header.Get("Retry-After")}
		}
		var out collogs.ExportLogsServiceResponse
		err = proto.Unmarshal(answer, &out)
		return out.GetPartialSuccess().GetRejectedLogRecords(), err
	}}
}

func grpcSender(t *testing.T, sink *Sink, security credentials.TransportCredentials, pairs ...string) sender {
	t.Helper()
	connection, err := grpc.NewClient(sink.grpcListener.Addr().String(), grpc.WithTransportCredentials(security))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return sender{t: t, send: func(path string, m proto.Message) (int64, error) {
		ctx := metadata.NewOutgoingContext(t.Context(), metadata.Pairs(pairs...))
		if path == "metrics" {
			_, err := colmetrics.NewMetricsServiceClient(connection).Export(ctx, m.(*colmetrics.ExportMetricsServiceRequest))
			return 0, err
		}
		response, err := collogs.NewLogsServiceClient(connection).Export(ctx, m.(*collogs.ExportLogsServiceRequest))
		return response.GetPartialSuccess().GetRejectedLogRecords(), err
	}}
}
