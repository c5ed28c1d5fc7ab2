package otlpsink

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// Log is one log record.
type Log struct {
	// UID is log.record.uid, RecordID cdr.record.id.
	UID, RecordID string
	Event         string
	Observed      time.Time
	Body          string
	// TraceID is in hexadecimal.
	TraceID string
	// Attributes and Resource hold string, int64, float64, bool, []any and map[string]any.
	Attributes, Resource map[string]any
}

func readLogs(request *collogs.ExportLogsServiceRequest) []Log {
	var list []Log
	for _, r := range request.GetResourceLogs() {
		resource := readAttributes(r.GetResource().GetAttributes())
		for _, scope := range r.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				l := Log{
					Event: record.GetEventName(), Observed: time.Unix(0, int64(record.GetObservedTimeUnixNano())).UTC(),
					Body: record.GetBody().GetStringValue(), TraceID: hex.EncodeToString(record.GetTraceId()),
					Attributes: readAttributes(record.GetAttributes()), Resource: resource,
				}
				l.UID, _ = l.Attributes["log.record.uid"].(string)
				l.RecordID, _ = l.Attributes["cdr.record.id"].(string)
				list = append(list, l)
			}
		}
	}
	return list
}

func readAttributes(list []*common.KeyValue) map[string]any {
	m := make(map[string]any, len(list))
	for _, kv := range list {
		m[kv.GetKey()] = readValue(kv.GetValue())
	}
	return m
}

func readValue(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_ArrayValue:
		list := []any{}
		for _, item := range v.ArrayValue.GetValues() {
			list = append(list, readValue(item))
		}
		return list
	case *common.AnyValue_KvlistValue:
		return readAttributes(v.KvlistValue.GetValues())
	}
	return nil
}

// PointKind is the kind of a metric point.
type PointKind string

// The kinds of points.
const (
	Sum       PointKind = "sum"
	Gauge     PointKind = "gauge"
	Histogram PointKind = "histogram"
)

// Point is the newest value of one attribute set of a metric.
type Point struct {
	Name       string
	Kind       PointKind
	Attributes map[string]string
	// Value is for sums and gauges; Sum, Count and Buckets for histograms.
	Value   float64
	Sum     float64
	Count   uint64
	Buckets []uint64
	// Delta: each received point is the increase since the previous one; Value, Sum and Count are
	// their sums.
	Delta bool

	// start is when the value was 0, in nanoseconds; time when it was measured.
	start     uint64
	time      time.Time
	monotonic bool
}

func readPoints(request *colmetrics.ExportMetricsServiceRequest) []Point {
	var list []Point
	for _, r := range request.GetResourceMetrics() {
		for _, scope := range r.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				list = append(list, pointsOf(m)...)
			}
		}
	}
	return list
}

// pointsOf are a metric's points, which all have one kind.
func pointsOf(m *metrics.Metric) (list []Point) {
	point := func(kind PointKind, d interface {
		GetAttributes() []*common.KeyValue
		GetStartTimeUnixNano() uint64
		GetTimeUnixNano() uint64
	},
	) Point {
		return Point{
			Name: m.GetName(), Kind: kind, Attributes: readLabels(d.GetAttributes()),
			start: d.GetStartTimeUnixNano(), time: time.Unix(0, int64(d.GetTimeUnixNano())),
		}
	}
	const delta = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	for _, d := range slices.Concat(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()) {
		p := point(Gauge, d)
		p.Value = d.GetAsDouble() + float64(d.GetAsInt()) // one of the two
		if sum := m.GetSum(); sum != nil {
			p.Kind, p.monotonic, p.Delta = Sum, sum.GetIsMonotonic(), sum.GetAggregationTemporality() == delta
		}
		list = append(list, p)
	}
	for _, d := range m.GetHistogram().GetDataPoints() {
		p := point(Histogram, d)
		p.Sum, p.Count, p.Buckets = d.GetSum(), d.GetCount(), d.GetBucketCounts()
		p.monotonic, p.Delta = true, m.GetHistogram().GetAggregationTemporality() == delta
		list = append(list, p)
	}
	return list
}

func readLabels(list []*common.KeyValue) map[string]string {
	m := make(map[string]string, len(list))
	for _, kv := range list {
		m[kv.GetKey()] = fmt.Sprint(readValue(kv.GetValue()))
	}
	return m
}

func (p *Point) key() string {
	return fmt.Sprintf("%s %q", p.Name, p.Attributes) // a map is printed in the order of its keys
}

// decreases says whether a monotonic point went down without a new start.
func (p *Point) decreases(next *Point) bool {
	return p.monotonic && p.start == next.start && (next.Value < p.Value || next.Count < p.Count)
}
