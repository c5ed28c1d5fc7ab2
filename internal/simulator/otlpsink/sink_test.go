package otlpsink

import (
	"bytes"
	"net/http"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logs are a request with a record for each uid.
func logs(uids ...string) proto.Message {
	scope := new(logspb.ScopeLogs)
	for _, uid := range uids {
		value := &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: uid}}
		scope.LogRecords = append(scope.LogRecords,
			&logspb.LogRecord{Attributes: []*common.KeyValue{{Key: "log.record.uid", Value: value}}})
	}
	return &collogs.ExportLogsServiceRequest{
		ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{scope}}},
	}
}

// counter is a request with a counter that was 0 at start.
func counter(value int64, start, at uint64) proto.Message {
	point := &metricspb.NumberDataPoint{
		StartTimeUnixNano: start, TimeUnixNano: at,
		Value: &metricspb.NumberDataPoint_AsInt{AsInt: value},
	}
	sum := &metricspb.Metric_Sum{Sum: &metricspb.Sum{
		IsMonotonic: true,
		DataPoints:  []*metricspb.NumberDataPoint{point},
	}}
	scope := &metricspb.ScopeMetrics{Metrics: []*metricspb.Metric{{Name: "calls", Data: sum}}}
	return &colmetrics.ExportMetricsServiceRequest{
		ResourceMetrics: []*metricspb.ResourceMetrics{{ScopeMetrics: []*metricspb.ScopeMetrics{scope}}},
	}
}

// TestSink checks what other tests take for granted: repeats and counters that went down are
// noticed, refused records aren't kept, and what was accepted in silence is.
func TestSink(t *testing.T) {
	sink, err := Start(Settings{})
	require.NoError(t, err)
	t.Cleanup(sink.Close)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	send := func(path string, message proto.Message, want int) {
		t.Helper()
		body, err := proto.Marshal(message)
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sink.URL()+path, bytes.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", protobuf)
		response, err := client.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("HTTP %d, want %d", response.StatusCode, want)
		}
	}
	send("/v1/logs", logs("b", "a"), 200)
	send("/v1/logs", logs("a", "c", ""), 200)
	sink.Fail(Reply{Status: 400, Match: func(l Log) bool { return l.UID == "bad" }})
	sink.Fail(Reply{OnlyLogs: true, Status: 503, Accept: true, Times: 1})
	send("/v1/logs", logs("bad", "d"), 400)
	send("/v1/logs", logs("e"), 503)
	if n := len(sink.Logs()); n != 5 || sink.Repeats() != 1 || sink.Unnamed() != 1 {
		t.Errorf("%d records, %d repeats, %d unnamed, want 5, 1 and 1", n, sink.Repeats(), sink.Unnamed())
	}
	send("/v1/metrics", counter(5, 1, 10), 200)
	send("/v1/metrics", counter(3, 1, 9), 200) // was overtaken
	send("/v1/metrics", counter(1, 2, 11), 200)
	if down := sink.Decreased(); len(down) != 0 {
		t.Errorf("%q went down", down)
	}
	send("/v1/metrics", counter(0, 2, 12), 200)
	if down, points := sink.Decreased(), sink.Metric("calls"); len(down) != 1 || len(points) != 1 ||
		points[0].Value != 0 {
		t.Errorf("%q went down, the points are %v", down, points)
	}
}
