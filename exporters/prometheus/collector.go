package prometheus

import (
	"encoding/hex"
	"math"
	"strings"

	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Collector is a prometheus.Collector over one or more sources of snapshots. It is safe for concurrent use.
type Collector struct {
	descs   map[*metrics.Def]*prom.Desc
	sources []metrics.Source
}

var _ prom.Collector = (*Collector)(nil)

// NewCollector makes a collector of the metrics in defs, which the sources bring
// between them. A metric comes from one source only.
func NewCollector(defs []*metrics.Def, sources ...metrics.Source) *Collector {
	c := &Collector{descs: make(map[*metrics.Def]*prom.Desc), sources: sources}
	for _, d := range defs {
		c.descs[d] = newDesc(d)
	}
	return c
}

func newDesc(d *metrics.Def) *prom.Desc {
	return prom.NewDesc(d.Name, d.Help, d.LabelNames(), nil)
}

// Describe implements prometheus.Collector: every metric is announced, shown or
// not, so that a name that another collector has already is refused when this
// one is registered and not at a scrape.
func (c *Collector) Describe(ch chan<- *prom.Desc) {
	for _, desc := range c.descs {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prom.Metric) {
	for _, source := range c.sources {
		for _, family := range source.Snapshot().Families {
			desc := c.descs[family.Def]
			if desc == nil {
				desc = newDesc(family.Def) // the registry refuses it by name
			}
			for i := range family.Points {
				if p := &family.Points[i]; family.Def.Kind != metrics.Histogram || p.Hist != nil {
					ch <- &series{desc: desc, def: family.Def, point: p}
				}
			}
		}
	}
}

// series is one series of one scrape.
type series struct {
	desc  *prom.Desc
	def   *metrics.Def
	point *metrics.Point
}

// Desc implements prometheus.Metric.
func (s *series) Desc() *prom.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *series) Write(m *dto.Metric) error {
	values := make([]string, len(s.point.Labels.Values))
	for i, value := range s.point.Labels.Values {
		values[i] = strings.ToValidUTF8(value, "\uFFFD")
	}
	m.Label = prom.MakeLabelPairs(s.desc, values)
	var created *timestamppb.Timestamp
	if !s.point.Start.IsZero() {
		created = timestamppb.New(s.point.Start)
	}
	switch s.def.Kind {
	case metrics.Histogram:
		m.Histogram = histogram(s.def.Bounds, s.point)
		m.Histogram.CreatedTimestamp = created
	case metrics.Gauge:
		m.Gauge = &dto.Gauge{Value: &s.point.Value}
	case metrics.Counter, metrics.Seconds, metrics.Money:
		m.Counter = &dto.Counter{Value: &s.point.Value, CreatedTimestamp: created}
		if len(s.point.Exemplars) == 1 {
			m.Counter.Exemplar = newExemplar(s.point.Exemplars[0])
		}
	}
	return nil
}

// histogram has classic buckets, and native ones where they are counted, with the exemplars in both.
func histogram(bounds []float64, p *metrics.Point) *dto.Histogram {
	out := &dto.Histogram{SampleCount: &p.Hist.Count, SampleSum: &p.Hist.Sum}
	if p.Hist.Native != nil {
		writeNative(out, p.Hist.Native)
	}
	var cumulated uint64
	for i, count := range p.Hist.Buckets {
		cumulated += count
		bucket := &dto.Bucket{UpperBound: new(math.Inf(1)), CumulativeCount: new(cumulated)}
		if i < len(bounds) {
			bucket.UpperBound = &bounds[i]
		}
		if i < len(p.Exemplars) && p.Exemplars[i] != nil {
			bucket.Exemplar = newExemplar(p.Exemplars[i])
			if p.Hist.Native != nil {
				out.Exemplars = append(out.Exemplars, bucket.Exemplar)
			}
		}
		if i < len(bounds) || bucket.Exemplar != nil { // the reader implies +Inf
			out.Bucket = append(out.Bucket, bucket)
		}
	}
	return out
}

// newExemplar is an exemplar in the form of the protocol; nil for none. Its labels have the names that the log record's trace id and uid have in a store
// of logs, and stay within the 128 characters of OpenMetrics.
func newExemplar(e *metrics.Exemplar) *dto.Exemplar {
	if e == nil {
		return nil
	}
	return &dto.Exemplar{
		Label: []*dto.LabelPair{
			{Name: new("log_record_uid"), Value: new(string(e.RecordUID[:]))},
			{Name: new("trace_id"), Value: new(hex.EncodeToString(e.TraceID[:]))},
		},
		Value: &e.Value, Timestamp: timestamppb.New(e.At),
	}
}

// writeNative adds the sparse buckets in the protocol's form: spans of
// neighbouring buckets, and counts as differences to the bucket before.
func writeNative(out *dto.Histogram, n *metrics.NativeValue) {
	out.Schema, out.ZeroThreshold, out.ZeroCount = &n.Schema, &n.ZeroThreshold, &n.ZeroCount
	out.PositiveSpan, out.PositiveDelta = spans(n)
	if len(out.PositiveSpan) == 0 && n.ZeroThreshold == 0 && n.ZeroCount == 0 {
		// Without an observation and a zero bucket, an empty span is what tells a
		// native histogram from a classic one.
		out.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32), Length: new(uint32)}}
	}
}

func spans(n *metrics.NativeValue) (all []*dto.BucketSpan, deltas []int64) {
	next, before := int32(0), int64(0)
	for i, index := range n.Indexes {
		if i == 0 || index != next {
			all = append(all, &dto.BucketSpan{Offset: new(index - next), Length: new(uint32)})
		}
		*all[len(all)-1].Length++
		count := int64(n.Counts[i])
		deltas, before, next = append(deltas, count-before), count, index+1
	}
	return all, deltas
}
