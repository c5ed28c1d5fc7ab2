package otlp_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	ours "github.com/cdr-exporter/cdr-exporter/exporters/prometheus"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// catalogue shows two series of every metric, one with empty labels, one without,
// every number another.
type catalogue struct{}

func (catalogue) Snapshot() metrics.Snapshot {
	var s metrics.Snapshot
	n := uint64(1)
	for _, d := range append(metrics.Catalogue(), metrics.SelfCatalogue()...) {
		f := metrics.Family{Def: d}
		for series := range 2 {
			if series == 1 && len(d.LabelNames()) == 0 {
				continue
			}
			p := metrics.Point{Labels: &metrics.LabelSet{Def: d, Values: make([]string, len(d.LabelNames()))}}
			for i := range p.Labels.Values {
				if series == 1 || i%2 == 0 {
					p.Labels.Values[i] = strconv.Itoa(series) + "-" + strconv.Itoa(i)
				}
			}
			if series == 1 {
				p.Start = time.Unix(1_790_000_000, 250_000_000)
			}
			if d.Kind == metrics.Histogram {
				p.Hist = &metrics.HistValue{Sum: int64(n) * d.Scale / 8}
				for range len(d.Bounds) + 1 {
					n++
					p.Hist.Buckets, p.Hist.Count = append(p.Hist.Buckets, n), p.Hist.Count+n
				}
			} else {
				n++
				p.Value = float64(n)
				if d.Kind != metrics.Counter {
					p.Value /= 4
				}
			}
			f.Points = append(f.Points, p)
		}
		s.Families = append(s.Families, f)
	}
	return s
}

// series is what is compared: values and starts by name and labels.
type series map[string]float64

func (s series) add(t *testing.T, name string, labels map[string]string, v float64) {
	t.Helper()
	id := name
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		id += "," + label + "=" + labels[label]
	}
	if _, twice := s[id]; twice {
		t.Errorf("%s is there twice", id)
	}
	s[id] = v
}

// TestBothExportersShowTheSameNumbers: one snapshot through both, Prometheus's
// rules applied to the one that is OTLP (contract 4; architecture: two exporters,
// one truth). Prometheus takes an empty label for none.
func TestBothExportersShowTheSameNumbers(t *testing.T) {
	scraped, exported := scrape(t), export(t)
	if len(scraped) < 2*len(metrics.Catalogue()) {
		t.Fatalf("only %d numbers are shown", len(scraped))
	}
	for id, want := range scraped {
		if got, ok := exported[id]; !ok || got != want {
			t.Errorf("%s: Prometheus shows %v, OTLP %v (%v)", id, want, got, ok)
		}
	}
	for id := range exported {
		if _, ok := scraped[id]; !ok {
			t.Errorf("%s: OTLP alone shows it", id)
		}
	}
}

func scrape(t *testing.T) series {
	t.Helper()
	families, err := ours.Gatherer{catalogue{}}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := series{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			all.scraped(t, f.GetName(), m)
		}
	}
	return all
}

func (s series) scraped(t *testing.T, name string, m *dto.Metric) {
	t.Helper()
	labels := make(map[string]string)
	for _, pair := range m.GetLabel() {
		if pair.GetValue() != "" {
			labels[pair.GetName()] = pair.GetValue()
		}
	}
	switch {
	case m.Histogram != nil:
		h := m.GetHistogram()
		s.add(t, name+"_count", labels, float64(h.GetSampleCount()))
		s.add(t, name+"_sum", labels, h.GetSampleSum())
		for _, b := range h.GetBucket() {
			s.add(t, name+"_bucket "+strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64), labels,
				float64(b.GetCumulativeCount()))
		}
		if h.CreatedTimestamp != nil {
			s.add(t, name+" start", labels, float64(h.GetCreatedTimestamp().AsTime().UnixNano()))
		}
	case m.Counter != nil:
		s.add(t, name, labels, m.GetCounter().GetValue())
		if created := m.GetCounter().GetCreatedTimestamp(); created != nil {
			s.add(t, name+" start", labels, float64(created.AsTime().UnixNano()))
		}
	default:
		s.add(t, name, labels, m.GetGauge().GetValue())
	}
}

func export(t *testing.T) series {
	t.Helper()
	scopes, err := otlp.Producer{Sources: []metrics.Source{catalogue{}}}.Produce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := series{}
	for _, m := range scopes[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				all.exported(t, name(t, m, otlptranslator.MetricTypeMonotonicCounter), p.Attributes, p.StartTime,
					float64(p.Value))
			}
		case metricdata.Sum[float64]:
			for _, p := range data.DataPoints {
				all.exported(t, name(t, m, otlptranslator.MetricTypeMonotonicCounter), p.Attributes, p.StartTime,
					p.Value)
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				all.exported(t, name(t, m, otlptranslator.MetricTypeGauge), p.Attributes, time.Time{}, p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				all.histogram(t, name(t, m, otlptranslator.MetricTypeHistogram), p)
			}
		default:
			t.Errorf("%s is a %T", m.Name, m.Data)
		}
	}
	return all
}

func name(t *testing.T, m metricdata.Metrics, kind otlptranslator.MetricType) string {
	t.Helper()
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	out, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s series) exported(t *testing.T, name string, set attribute.Set, start time.Time, v float64) {
	t.Helper()
	labels := make(map[string]string)
	for _, kv := range set.ToSlice() {
		labels[string(kv.Key)] = kv.Value.AsString()
	}
	s.add(t, name, labels, v)
	if !start.IsZero() {
		s.add(t, strings.TrimSuffix(name, "_count")+" start", labels, float64(start.UnixNano()))
	}
}

func (s series) histogram(t *testing.T, name string, p metricdata.HistogramDataPoint[float64]) {
	t.Helper()
	s.exported(t, name+"_count", p.Attributes, p.StartTime, float64(p.Count))
	s.exported(t, name+"_sum", p.Attributes, time.Time{}, p.Sum)
	var cumulated uint64
	for i, bound := range p.Bounds {
		cumulated += p.BucketCounts[i]
		s.exported(t, name+"_bucket "+strconv.FormatFloat(bound, 'g', -1, 64), p.Attributes, time.Time{},
			float64(cumulated))
	}
}
