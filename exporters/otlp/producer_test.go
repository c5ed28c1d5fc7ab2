package otlp

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

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
