package otlpsink

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// readPoints makes points of a request.
func readPoints(request *colmetrics.ExportMetricsServiceRequest) []Point {
	var list []Point
	for _, r := range request.GetResourceMetrics() {
		resource := readAttributes(r.GetResource().GetAttributes())
		for _, scope := range r.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				for _, p := range readMetric(m) {
					p.Name, p.Unit, p.Description, p.Resource = m.GetName(), m.GetUnit(), m.GetDescription(), resource
					list = append(list, p)
				}
			}
		}
	}
	return list
}

func readMetric(m *metrics.Metric) []Point {
	switch data := m.GetData().(type) {
	case *metrics.Metric_Sum:
		base := Point{Kind: Sum, Monotonic: data.Sum.GetIsMonotonic(), Cumulative: isCumulative(data.Sum.GetAggregationTemporality())}
		return readNumbers(base, data.Sum.GetDataPoints())
	case *metrics.Metric_Gauge:
		return readNumbers(Point{Kind: Gauge}, data.Gauge.GetDataPoints())
	case *metrics.Metric_Histogram:
		base := Point{Kind: Histogram, Monotonic: true, Cumulative: isCumulative(data.Histogram.GetAggregationTemporality())}
		return readHistograms(base, data.Histogram.GetDataPoints())
	}
	return nil
}

func isCumulative(t metrics.AggregationTemporality) bool {
	return t == metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
}

func readNumbers(base Point, data []*metrics.NumberDataPoint) []Point {
	list := make([]Point, 0, len(data))
	for _, d := range data {
		p := base
		p.Attributes = readLabels(d.GetAttributes())
		p.Start, p.Time = readTime(d.GetStartTimeUnixNano()), readTime(d.GetTimeUnixNano())
		p.Value = d.GetAsDouble()
		if i, ok := d.GetValue().(*metrics.NumberDataPoint_AsInt); ok {
			p.Value = float64(i.AsInt)
		}
		list = append(list, p)
	}
	return list
}

func readHistograms(base Point, data []*metrics.HistogramDataPoint) []Point {
	list := make([]Point, 0, len(data))
	for _, d := range data {
		p := base
		p.Attributes = readLabels(d.GetAttributes())
		p.Start, p.Time = readTime(d.GetStartTimeUnixNano()), readTime(d.GetTimeUnixNano())
		p.Sum, p.Count = d.GetSum(), d.GetCount()
		p.Bounds, p.Buckets = d.GetExplicitBounds(), d.GetBucketCounts()
		list = append(list, p)
	}
	return list
}

// readLabels are attributes as text.
func readLabels(list []*common.KeyValue) map[string]string {
	m := make(map[string]string, len(list))
	for _, kv := range list {
		m[kv.GetKey()] = fmt.Sprint(readValue(kv.GetValue()))
	}
	return m
}

// key identifies a point: name and attributes.
func (p *Point) key() string {
	var b strings.Builder
	b.WriteString(p.Name)
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		fmt.Fprintf(&b, " %s=%q", name, p.Attributes[name])
	}
	return b.String()
}

// decreases says whether a monotonic point went down without a new start.
func (p *Point) decreases(next *Point) bool {
	if !p.Monotonic || !p.Start.Equal(next.Start) {
		return false
	}
	return next.Value < p.Value || next.Count < p.Count
}
