package otlp

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// readMetrics reads a request to /v1/metrics.
func readMetrics(t *testing.T, req *http.Request) *colmetricspb.ExportMetricsServiceRequest {
	t.Helper()
	out := new(colmetricspb.ExportMetricsServiceRequest)
	require.NoError(t, unpack(req.Body, out))
	return out
}

// sumPoints counts the data points of the sums in a request.
func sumPoints(req *colmetricspb.ExportMetricsServiceRequest) int {
	n := 0
	for _, resource := range req.GetResourceMetrics() {
		for _, scope := range resource.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				n += len(m.GetSum().GetDataPoints())
			}
		}
	}
	return n
}

// exportMetrics runs an exporter of metrics for a while of the bubble's time.
func exportMetrics(t *testing.T, source metrics.Source, log io.Writer, transport roundTripper, during func(*Exporter)) {
	t.Helper()
	e := newMetrics(t, Settings{
		Endpoint: "http://otlp.example.com/v1/metrics", Interval: 15 * time.Second, Transport: transport,
		Headers: Headers{"x-token": func() (string, error) { return "t0p-s3cret-token", nil }},
	}, parts{sources: []metrics.Source{source}, logger: slog.New(slog.NewTextHandler(log, nil))})
	stop := started(t, e)
	during(e)
	stop()
}

func TestMetricsAreExportedAtTheIntervalAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var at []time.Duration
		exportMetrics(t, oneCall(1), io.Discard, func(req *http.Request) (*http.Response, error) {
			at = append(at, time.Since(begin))
			if got := sumPoints(readMetrics(t, req)); got != 1 {
				t.Errorf("%d points, want 1", got)
			}
			return respond(200, asProtobuf, ""), nil
		}, func(*Exporter) { elapse(50 * time.Second) })
		want := []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second, 50 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("exports at %v, want %v", at, want)
		}
	})
}

func TestTroubleWithMetricsIsShownAndPasses(t *testing.T) {
	tests := []struct {
		name     string
		answer   func() *http.Response
		want     string
		retrying bool
		lines    int
	}{
		{
			"503", func() *http.Response { return respond(503, nil, "t0p-s3cret-token") },
			"HTTP 503 Service Unavailable", true, 2,
		},
		{
			"401", func() *http.Response { return respond(401, nil, "t0p-s3cret-token") },
			"HTTP 401 Unauthorized", true, 2,
		},
		{"partial success", func() *http.Response {
			return respond(200, asProtobuf, logsAnswer(t, 3, "token t0p-s3cret-token"))
		}, "in part", false, 1},
		{"a warning", func() *http.Response {
			return respond(200, asProtobuf, logsAnswer(t, 0, "token t0p-s3cret-token"))
		}, "", false, 0},
		{"a warning that is cut off", func() *http.Response {
			return respond(200, asProtobuf, logsAnswer(t, 0, "token t0p-s3cret-token")[:9])
		}, "", false, 0},
		{"a web page", func() *http.Response {
			return respond(200, map[string]string{"Content-Type": "text/html; charset=utf-8"},
				"<h1>t0p-s3cret-token</h1>")
		}, "a web page answered", true, 2},
	}
	for _, tc := range tests {
		inBubble(t, tc.name, func(t *testing.T) {
			begin := time.Now()
			log := &bytes.Buffer{}
			exportMetrics(t, oneCall(1), log, func(*http.Request) (*http.Response, error) {
				if time.Since(begin) < time.Minute {
					return tc.answer(), nil
				}
				return respond(200, asProtobuf, ""), nil
			}, func(e *Exporter) {
				elapse(50 * time.Second)
				if s := e.Status(); s.Retrying != tc.retrying || !strings.Contains(s.LastError, tc.want) {
					t.Errorf("in trouble: %+v, want %v, %q", s, tc.retrying, tc.want)
				}
				elapse(32 * time.Second)
				if s := e.Status(); s.Retrying {
					t.Errorf("afterwards: %+v", s)
				}
			})
			checkNoSecret(t, "the log", log.String())
			if strings.Count(log.String(), "\n") != tc.lines {
				t.Errorf("want %d lines, not\n%s", tc.lines, log)
			}
		})
	}
}

// TestMetricsOverGRPCInPart: a warning isn't a refusal.
func TestMetricsOverGRPCInPart(t *testing.T) {
	for rejected, want := range []string{"", "the endpoint accepted a request in part"} {
		t.Run(strconv.Itoa(rejected)+" rejected", func(t *testing.T) {
			r := newReceiver()
			r.answer = func(proto.Message) (proto.Message, error) {
				inPart := &colmetricspb.ExportMetricsPartialSuccess{
					RejectedDataPoints: int64(rejected), ErrorMessage: "t0p-s3cret-token",
				}
				return &colmetricspb.ExportMetricsServiceResponse{PartialSuccess: inPart}, nil
			}
			e := newMetrics(t, Settings{Endpoint: r.serveGRPC(t, nil), GRPC: true, Interval: time.Hour}, parts{
				sources: []metrics.Source{oneCall(1)}, logger: slog.New(slog.DiscardHandler),
			})
			closing(t, e)
			drain(t, e) // exports once
			if s := e.Status(); s.Retrying || s.LastError != want {
				t.Errorf("status %+v, want %q", s, want)
			}
		})
	}
}

func TestManySeriesGoInSeveralRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		family := metrics.Family{Def: metrics.Calls}
		for i := range 2*maxPoints + 10 {
			family.Points = append(family.Points, metrics.Point{
				Labels: labelSet(metrics.Calls, strconv.Itoa(i)),
				Value:  1,
			})
		}
		var sizes []int
		source := fixed{metrics.Snapshot{Families: []metrics.Family{family}}}
		exportMetrics(t, source, io.Discard, func(req *http.Request) (*http.Response, error) {
			sizes = append(sizes, sumPoints(readMetrics(t, req)))
			return respond(200, asProtobuf, ""), nil
		}, func(*Exporter) {})
		if len(sizes) != 3 || sizes[0] != maxPoints || sizes[1] != maxPoints || sizes[2] != 10 {
			t.Errorf("requests of %v points, want two of %d and one of 10", sizes, maxPoints)
		}
	})
}

func TestNothingToShowSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exportMetrics(t, fixed{}, io.Discard, func(*http.Request) (*http.Response, error) {
			t.Error("a request without metrics was sent")
			return respond(200, asProtobuf, ""), nil
		}, func(*Exporter) { elapse(50 * time.Second) })
	})
}

// TestTheEnvironmentIsForTheConfigurationToRead: the SDK would read it too, and
// metrics would go elsewhere than logs.
func TestTheEnvironmentIsForTheConfigurationToRead(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":                       "http://elsewhere.example.com",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT":               "https://elsewhere.example.com",
		"OTEL_EXPORTER_OTLP_HEADERS":                        "x-other=value",
		"OTEL_EXPORTER_OTLP_COMPRESSION":                    "none",
		"OTEL_EXPORTER_OTLP_TIMEOUT":                        "1",
		"OTEL_METRIC_EXPORT_INTERVAL":                       "1",
		"OTEL_RESOURCE_ATTRIBUTES":                          "other=value",
		"OTEL_SERVICE_NAME":                                 "other",
		"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
	} {
		t.Setenv(name, value)
	}
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		exportMetrics(t, oneCall(1), io.Discard, func(req *http.Request) (*http.Response, error) {
			requests++
			if req.URL.String() != "http://otlp.example.com/v1/metrics" || req.Header.Get("X-Other") != "" {
				t.Errorf("%s with %v", req.URL, req.Header)
			}
			resource := readMetrics(t, req).GetResourceMetrics()[0]
			checkAttributes(t, resource.GetResource().GetAttributes(),
				map[string]string{"service.name": "cdr-exporter"})
			sum := resource.GetScopeMetrics()[0].GetMetrics()[0].GetSum()
			if sum.GetAggregationTemporality() != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE ||
				!sum.GetIsMonotonic() {
				t.Errorf("sum %v", sum)
			}
			return respond(200, asProtobuf, ""), nil
		}, func(*Exporter) { elapse(20 * time.Second) })
		if requests != 2 {
			t.Errorf("%d requests, want 2", requests)
		}
	})
}

func produce(t *testing.T, p Producer) map[string]metricdata.Metrics {
	t.Helper()
	scopes, err := p.Produce(t.Context())
	if err != nil {
		t.Fatalf("produce: %v", err)
	}
	byName := make(map[string]metricdata.Metrics)
	for _, scope := range scopes {
		for _, m := range scope.Metrics {
			byName[m.Name] = m
		}
	}
	return byName
}

func labelSet(d *metrics.Def, values ...string) *metrics.LabelSet {
	all := make([]string, len(d.LabelNames()))
	copy(all, values)
	return &metrics.LabelSet{Def: d, Values: all}
}

// anExemplar is an exemplar with this value.
func anExemplar(value float64) *metrics.Exemplar {
	e := &metrics.Exemplar{TraceID: [16]byte{0xc9, 0x8e, 15: 0xe0}, Value: value, At: callStart.Add(time.Minute)}
	copy(e.RecordUID[:], "0123456789abcdef0123456789abcdef")
	return e
}

// TestMetricsGolden: a request with a point of every sort, with and without a start and exemplars.
func TestMetricsGolden(t *testing.T) {
	one := func(d *metrics.Def, value float64) metrics.Family {
		return metrics.Family{Def: d, Points: []metrics.Point{{Labels: labelSet(d, "s"), Value: value}}}
	}
	charges, failures := one(metrics.CallCharges, 1.25), one(metrics.CallFailures, 9)
	charges.Points[0].Start = callStart
	withSpan := anExemplar(1)
	withSpan.SpanID = [8]byte{0xab, 7: 0xcd}
	failures.Points[0].Exemplars = []*metrics.Exemplar{withSpan}
	failures.Points = append(failures.Points, metrics.Point{Labels: labelSet(metrics.CallFailures, "x"), Value: 9})
	durations := metrics.Family{Def: metrics.CallDuration, Points: []metrics.Point{{
		Labels: labelSet(metrics.CallDuration, "s"), Start: callStart,
		Hist:      &metrics.HistValue{Count: 2, Sum: 62.5e6, Buckets: []uint64{0: 1, 6: 1, 14: 0}},
		Exemplars: []*metrics.Exemplar{1: anExemplar(2.5), 14: nil},
	}}}
	calls := metrics.Family{Def: metrics.Calls, Points: []metrics.Point{{
		Labels: labelSet(metrics.Calls, "s", "p\xff", "f", "inbound"), Value: 9,
	}}}
	source := fixed{metrics.Snapshot{Families: []metrics.Family{
		charges, durations, calls, one(metrics.ConnectedSeconds, 0.5), failures, one(metrics.MediaBypassRatio, 0.75),
	}}}
	synctest.Test(t, func(t *testing.T) { // time stands still
		exportMetrics(t, source, io.Discard, func(req *http.Request) (*http.Response, error) {
			goldenJSON(t, "metrics", readMetrics(t, req))
			return respond(200, asProtobuf, ""), nil
		}, func(*Exporter) {})
	})
}

// TestNamesBecomeThoseOfPrometheus: Prometheus makes our names on /metrics of the OTLP names and units, for every
// metric.
func TestNamesBecomeThoseOfPrometheus(t *testing.T) {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	for _, d := range slices.Concat(metrics.Catalogue(), metrics.SelfCatalogue()) {
		point := metrics.Point{Labels: labelSet(d), Value: 1}
		if d.Kind == metrics.Histogram {
			point.Hist = &metrics.HistValue{Buckets: make([]uint64, len(d.Bounds)+1)}
		}
		source := fixed{metrics.Snapshot{Families: []metrics.Family{{Def: d, Points: []metrics.Point{point}}}}}
		m := produce(t, Producer{Sources: []metrics.Source{source}})[d.OTel]
		var kind otlptranslator.MetricType = otlptranslator.MetricTypeMonotonicCounter
		switch m.Data.(type) {
		case metricdata.Gauge[float64]:
			kind = otlptranslator.MetricTypeGauge
		case metricdata.Histogram[float64]:
			kind = otlptranslator.MetricTypeHistogram
		}
		got, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
		if err != nil || got != d.Name {
			t.Errorf("%s in %s becomes %s, %v; want %s", m.Name, m.Unit, got, err, d.Name)
		}
	}
}
