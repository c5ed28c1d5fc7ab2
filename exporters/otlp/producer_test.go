package otlp

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
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

func TestProducer(t *testing.T) {
	source := fixed{metrics.Snapshot{Families: []metrics.Family{
		{Def: metrics.CallCharges, Points: []metrics.Point{{
			Labels: labelSet(metrics.CallCharges, "s"),
			Start:  callStart, Value: 1.25,
		}}},
		{Def: metrics.CallDuration, Points: []metrics.Point{{
			Labels: labelSet(metrics.CallDuration, "s"), Start: callStart,
			Hist: &metrics.HistValue{
				Count: 2, Sum: 62.5e6,
				Buckets: []uint64{1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},
			},
		}}},
		{Def: metrics.Calls, Points: []metrics.Point{{
			Labels: labelSet(metrics.Calls, "s", "p\xff", "f", "inbound"),
			Value:  9,
		}}},
		{Def: metrics.ConnectedSeconds, Points: []metrics.Point{{
			Labels: labelSet(metrics.ConnectedSeconds, "s"),
			Value:  0.5,
		}}},
		{Def: metrics.MediaBypassRatio, Points: []metrics.Point{{
			Labels: labelSet(metrics.MediaBypassRatio, "s"),
			Value:  0.75,
		}}},
	}}}
	var now time.Time
	var got map[string]metricdata.Metrics
	synctest.Test(t, func(t *testing.T) { // time stands still
		now = time.Now()
		got = produce(t, Producer{"1", []metrics.Source{source}})
	})
	if len(got) != 5 {
		t.Errorf("%d metrics, want 5", len(got))
	}

	calls, ok := got["cdr.calls"].Data.(metricdata.Sum[int64])
	if !ok || !calls.IsMonotonic || calls.Temporality != metricdata.CumulativeTemporality {
		t.Fatalf("cdr.calls is %+v", got["cdr.calls"])
	}
	point := calls.DataPoints[0]
	want := []attribute.KeyValue{
		attribute.String("direction", "inbound"), attribute.String("feed", "f"),
		attribute.String("provider", "p\uFFFD"), attribute.String("source", "s"),
	}
	if !slices.Equal(point.Attributes.ToSlice(), want) {
		t.Errorf("attributes %v, want %v", point.Attributes.ToSlice(), want)
	}
	if point.Value != 9 || !point.StartTime.IsZero() || !point.Time.Equal(now) {
		t.Errorf("point %+v", point)
	}

	charges, ok := got["cdr.call.charges"].Data.(metricdata.Sum[float64])
	if !ok || !charges.IsMonotonic || charges.DataPoints[0].Value != 1.25 ||
		!charges.DataPoints[0].StartTime.Equal(callStart) {
		t.Errorf("cdr.call.charges is %+v", got["cdr.call.charges"])
	}
	connected, ok := got["cdr.call.connected"].Data.(metricdata.Sum[float64])
	if !ok || !connected.IsMonotonic || connected.DataPoints[0].Value != 0.5 {
		t.Errorf("cdr.call.connected is %+v", got["cdr.call.connected"])
	}
	if gauge, ok := got["cdr.media_bypass_ratio"].Data.(metricdata.Gauge[float64]); !ok ||
		gauge.DataPoints[0].Value != 0.75 {
		t.Errorf("cdr.media_bypass_ratio is %+v", got["cdr.media_bypass_ratio"])
	}

	duration, ok := got["cdr.call.duration"].Data.(metricdata.Histogram[float64])
	if !ok || duration.Temporality != metricdata.CumulativeTemporality {
		t.Fatalf("cdr.call.duration is %+v", got["cdr.call.duration"])
	}
	h := duration.DataPoints[0]
	if h.Count != 2 || h.Sum != 62.5 || !slices.Equal(h.Bounds, metrics.CallDuration.Bounds) ||
		len(h.BucketCounts) != len(h.Bounds)+1 ||
		h.BucketCounts[0] != 1 || h.BucketCounts[6] != 1 || !h.StartTime.Equal(callStart) {
		t.Errorf("histogram %+v", h)
	}
	if m := got["cdr.call.duration"]; m.Unit != "s" || m.Description != metrics.CallDuration.Help {
		t.Errorf("unit %q, description %q", m.Unit, m.Description)
	}
}

// shifting shows another snapshot each time.
type shifting struct{ snapshots []metrics.Snapshot }

func (s *shifting) Snapshot() metrics.Snapshot {
	next := s.snapshots[0]
	s.snapshots = s.snapshots[1:]
	return next
}

func TestProducerForgetsWhatVanished(t *testing.T) {
	show := func(sets ...*metrics.LabelSet) metrics.Snapshot {
		f := metrics.Family{Def: metrics.Calls}
		for i, l := range sets {
			f.Points = append(f.Points, metrics.Point{Labels: l, Value: float64(i)})
		}
		return metrics.Snapshot{Families: []metrics.Family{f}}
	}
	a, b := labelSet(metrics.Calls, "a"), labelSet(metrics.Calls, "b")
	p := Producer{Sources: []metrics.Source{&shifting{[]metrics.Snapshot{show(a, b), show(b), show()}}}}
	for _, want := range []int{2, 1, 0} {
		got := produce(t, p)
		sum, _ := got["cdr.calls"].Data.(metricdata.Sum[int64])
		if len(sum.DataPoints) != want {
			t.Errorf("%d points, want %d", len(sum.DataPoints), want)
		}
	}
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
