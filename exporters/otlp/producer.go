package otlp

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Producer passes the sources' snapshots to an SDK reader: cumulative, with the ledger's start
// times, histograms with their classic bounds. Names and units come from the catalogue. Attributes
// are the labels without empty ones, which don't exist for Prometheus, so both show the same
// series. It is safe for concurrent use.
type Producer struct {
	Version string
	Sources []metrics.Source
}

var _ sdkmetric.Producer = Producer{}

// Produce implements metric.Producer. It never fails.
func (p Producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	out := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: scopeName, Version: p.Version}}
	for _, source := range p.Sources {
		families, now := source.Snapshot().Families, time.Now() //nolint:forbidigo // as the SDK's own times
		for _, f := range families {
			out.Metrics = append(out.Metrics, metricdata.Metrics{
				Name: f.Def.OTel, Description: f.Def.Help, Unit: f.Def.Unit, Data: dataOf(f, now),
			})
		}
	}
	if len(out.Metrics) == 0 {
		return nil, nil
	}
	return []metricdata.ScopeMetrics{out}, nil
}

// attributeSet is a label set without its empty values.
func attributeSet(l *metrics.LabelSet) attribute.Set {
	names := l.Def.LabelNames()
	all := make([]attribute.KeyValue, 0, len(names))
	for i, name := range names {
		if l.Values[i] != "" {
			all = append(all, attribute.String(name, strings.ToValidUTF8(l.Values[i], "\uFFFD")))
		}
	}
	for name, value := range l.Operator().All() {
		all = append(all, attribute.String(name, value))
	}
	return attribute.NewSet(all...)
}

func dataOf(f metrics.Family, now time.Time) metricdata.Aggregation {
	const cumulative = metricdata.CumulativeTemporality
	switch f.Def.Kind {
	case metrics.Counter:
		return metricdata.Sum[int64]{Temporality: cumulative, IsMonotonic: true, DataPoints: numbers[int64](f, now)}
	case metrics.Seconds, metrics.Money:
		return metricdata.Sum[float64]{Temporality: cumulative, IsMonotonic: true, DataPoints: numbers[float64](f, now)}
	case metrics.Histogram:
		return metricdata.Histogram[float64]{Temporality: cumulative, DataPoints: histograms(f, now)}
	case metrics.Gauge:
		return metricdata.Gauge[float64]{DataPoints: numbers[float64](f, now)}
	}
	return nil
}

// numbers are the data points of all metrics except histograms. An unknown start stays zero, which
// means unknown in OTLP too.
func numbers[N int64 | float64](f metrics.Family, now time.Time) []metricdata.DataPoint[N] {
	out := make([]metricdata.DataPoint[N], len(f.Points))
	for i := range f.Points {
		p := &f.Points[i]
		out[i] = metricdata.DataPoint[N]{
			Attributes: attributeSet(p.Labels), StartTime: p.Start, Time: now, Value: N(p.Value),
			Exemplars: exemplars[N](p),
		}
	}
	return out
}

func histograms(f metrics.Family, now time.Time) []metricdata.HistogramDataPoint[float64] {
	out := make([]metricdata.HistogramDataPoint[float64], len(f.Points))
	for i := range f.Points {
		p := &f.Points[i]
		out[i] = metricdata.HistogramDataPoint[float64]{
			Attributes: attributeSet(p.Labels), StartTime: p.Start, Time: now,
			Count: p.Hist.Count, Sum: f.Def.InUnit(p.Hist.Sum), Bounds: f.Def.Bounds, BucketCounts: p.Hist.Buckets,
			Exemplars: exemplars[float64](p),
		}
	}
	return out
}

// exemplars are a point's exemplars: the trace and the uid of the call's log record, and its root
// span if it has one.
func exemplars[N int64 | float64](p *metrics.Point) []metricdata.Exemplar[N] {
	var all []metricdata.Exemplar[N]
	for _, e := range p.Exemplars {
		if e != nil {
			one := metricdata.Exemplar[N]{
				FilteredAttributes: []attribute.KeyValue{attribute.String("log.record.uid", string(e.RecordUID[:]))},
				Time:               e.At, Value: N(e.Value), TraceID: e.TraceID[:],
			}
			if e.SpanID != [8]byte{} {
				one.SpanID = e.SpanID[:]
			}
			all = append(all, one)
		}
	}
	return all
}
