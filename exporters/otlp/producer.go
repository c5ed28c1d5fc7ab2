package otlp

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Producer gives the sources' snapshots to an SDK reader: cumulative, with the
// ledger's start times, histograms with their classic bounds. Names and units are
// the catalogue's; attributes are the labels, without those that are empty:
// Prometheus takes an empty label for none, so both show the same series. It is
// safe for concurrent use.
type Producer struct {
	scope   instrumentation.Scope
	now     func() time.Time
	sources []metrics.Source
}

var _ sdkmetric.Producer = (*Producer)(nil)

// NewProducer makes a producer of all the sources show. now is the time of the
// data points.
func NewProducer(version string, now func() time.Time, sources ...metrics.Source) *Producer {
	return &Producer{scope: instrumentation.Scope{Name: scopeName, Version: version}, now: now, sources: sources}
}

// Produce implements metric.Producer. It never fails.
func (p *Producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	out := metricdata.ScopeMetrics{Scope: p.scope}
	for _, source := range p.sources {
		for _, family := range source.Snapshot().Families {
			if len(family.Points) > 0 {
				out.Metrics = append(out.Metrics, metricdata.Metrics{
					Name: family.Def.OTel, Description: family.Def.Help, Unit: family.Def.Unit, Data: points{family, p.now()}.data(),
				})
			}
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
	return attribute.NewSet(all...)
}

// points turns the points of one family into data points.
type points struct {
	metrics.Family
	now time.Time
}

func (p points) data() metricdata.Aggregation {
	switch p.Def.Kind {
	case metrics.Counter:
		return metricdata.Sum[int64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
			DataPoints: numbers(p, func(v float64) int64 { return int64(v) }),
		}
	case metrics.Seconds, metrics.Money:
		return metricdata.Sum[float64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: numbers(p, same),
		}
	case metrics.Histogram:
		return metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: p.histograms()}
	case metrics.Gauge:
		return metricdata.Gauge[float64]{DataPoints: numbers(p, same)}
	}
	return nil
}

func same(v float64) float64 { return v }

// numbers are the data points of everything but histograms. A start that must
// not be told stays zero, which OTLP reads as unknown.
func numbers[N int64 | float64](p points, convert func(float64) N) []metricdata.DataPoint[N] {
	out := make([]metricdata.DataPoint[N], len(p.Points))
	for i := range p.Points {
		point := &p.Points[i]
		out[i] = metricdata.DataPoint[N]{
			Attributes: attributeSet(point.Labels), StartTime: point.Start, Time: p.now, Value: convert(point.Value),
			Exemplars: exemplars(point, convert),
		}
	}
	return out
}

func (p points) histograms() []metricdata.HistogramDataPoint[float64] {
	out := make([]metricdata.HistogramDataPoint[float64], 0, len(p.Points))
	for i := range p.Points {
		point := &p.Points[i]
		if point.Hist == nil {
			continue
		}
		out = append(out, metricdata.HistogramDataPoint[float64]{
			Attributes: attributeSet(point.Labels), StartTime: point.Start, Time: p.now,
			Count: point.Hist.Count, Sum: p.Def.InUnit(point.Hist.Sum), Bounds: p.Def.Bounds, BucketCounts: point.Hist.Buckets,
			Exemplars: exemplars(point, same),
		})
	}
	return out
}

// exemplars are a point's exemplars: the trace and the uid of the call's log record.
func exemplars[N int64 | float64](p *metrics.Point, convert func(float64) N) []metricdata.Exemplar[N] {
	var all []metricdata.Exemplar[N]
	for _, e := range p.Exemplars {
		if e != nil {
			all = append(all, metricdata.Exemplar[N]{
				FilteredAttributes: []attribute.KeyValue{attribute.String("log.record.uid", string(e.RecordUID[:]))},
				Time:               e.At, Value: convert(e.Value), TraceID: e.TraceID[:],
			})
		}
	}
	return all
}
