package prometheus

import (
	"cmp"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Gatherer shows the series of one or more sources; each metric comes from one of them. It is safe
// for concurrent use. It isn't a prometheus.Collector, because a registry checks and sorts all
// series at every scrape, which costs more than the rest of the scrape. The catalogue guarantees
// what the registry would check.
type Gatherer []metrics.Source

var _ prom.Gatherer = Gatherer(nil)

// Gather implements prometheus.Gatherer. The families are sorted by name.
func (g Gatherer) Gather() ([]*dto.MetricFamily, error) {
	var all []*dto.MetricFamily
	for _, source := range g {
		for _, family := range source.Snapshot().Families {
			all = append(all, newFamily(family))
		}
	}
	sortFamilies(all)
	return all, nil
}

func sortFamilies(all []*dto.MetricFamily) {
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
}

func newFamily(family metrics.Family) *dto.MetricFamily {
	d := family.Def
	f := &dto.MetricFamily{
		Name: &d.Name, Help: &d.Help, Type: types[d.Kind].Enum(),
		Metric: make([]*dto.Metric, len(family.Points)),
	}
	names := d.LabelNames()
	order := orderOf(names)
	// One allocation for all objects of a kind, and one label pair for all series with the same
	// value: a family may have a hundred thousand series.
	all, labels := make([]metric, len(family.Points)), make([]*dto.LabelPair, len(names)*len(family.Points))
	pairs := make([]map[string]*dto.LabelPair, len(names))
	for i := range pairs {
		pairs[i] = make(map[string]*dto.LabelPair)
	}
	latest := make([]*dto.LabelPair, len(names)) // of the previous series: most have the same values
	var start time.Time
	var created *timestamppb.Timestamp // of the previous series: most begin together
	for i := range family.Points {
		p := &family.Points[i]
		if !p.Start.Equal(start) {
			start, created = p.Start, newTimestamp(p.Start)
		}
		m := all[i].fill(d, p, created)
		m.Label = labels[i*len(names) : (i+1)*len(names) : (i+1)*len(names)]
		for k, index := range order {
			value, pair := p.Labels.Values[index], latest[k]
			if pair == nil || *pair.Value != value {
				pair = pairs[index][value]
			}
			if pair == nil {
				pair = &dto.LabelPair{Name: &names[index], Value: new(strings.ToValidUTF8(value, "\uFFFD"))}
				pairs[index][value] = pair
			}
			m.Label[k], latest[k] = pair, pair
		}
		if operator := p.Labels.Operator(); operator != "" {
			for name, value := range operator.All() {
				m.Label = append(m.Label, &dto.LabelPair{Name: &name, Value: &value})
			}
			slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
		}
		f.Metric[i] = m
	}
	return f
}

// orderOf are the indexes of labels in the order of their names, which the protocol requires.
func orderOf(names []string) []int {
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(names[a], names[b]) })
	return order
}

var types = map[metrics.Kind]dto.MetricType{
	metrics.Counter: dto.MetricType_COUNTER, metrics.Seconds: dto.MetricType_COUNTER,
	metrics.Money:     dto.MetricType_COUNTER,
	metrics.Histogram: dto.MetricType_HISTOGRAM, metrics.Gauge: dto.MetricType_GAUGE,
}

// newTimestamp is nil for the zero time.
func newTimestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// metric is the memory of one series.
type metric struct {
	dto     dto.Metric
	counter dto.Counter
}

// fill makes the series, without its labels.
func (all *metric) fill(d *metrics.Def, p *metrics.Point, created *timestamppb.Timestamp) *dto.Metric {
	m := &all.dto
	switch d.Kind {
	case metrics.Histogram:
		m.Histogram = histogram(d, p)
		m.Histogram.CreatedTimestamp = created
	case metrics.Gauge:
		m.Gauge = &dto.Gauge{Value: &p.Value}
	case metrics.Counter, metrics.Seconds, metrics.Money:
		m.Counter = &all.counter
		m.Counter.Value, m.Counter.CreatedTimestamp = &p.Value, created
		if len(p.Exemplars) == 1 {
			m.Counter.Exemplar = newExemplar(p.Exemplars[0])
		}
	}
	return m
}

// histogram has classic buckets, and native ones if they are counted, with the exemplars in both.
func histogram(d *metrics.Def, p *metrics.Point) *dto.Histogram {
	out, bounds := &dto.Histogram{SampleCount: &p.Hist.Count, SampleSum: new(d.InUnit(p.Hist.Sum))}, d.Bounds
	if p.Native {
		writeNative(out, p.Hist)
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
			if p.Native {
				out.Exemplars = append(out.Exemplars, bucket.Exemplar)
			}
		}
		if i < len(bounds) || bucket.Exemplar != nil { // +Inf is implicit
			out.Bucket = append(out.Bucket, bucket)
		}
	}
	return out
}

// newExemplar has the label names of a log store, for the log record's trace id and uid and the
// root span, within the 128 characters of OpenMetrics.
func newExemplar(e *metrics.Exemplar) *dto.Exemplar {
	out := &dto.Exemplar{
		Label: []*dto.LabelPair{
			{Name: new("log_record_uid"), Value: new(string(e.RecordUID[:]))},
			{Name: new("trace_id"), Value: new(hex.EncodeToString(e.TraceID[:]))},
		},
		Value: &e.Value, Timestamp: timestamppb.New(e.At),
	}
	if e.SpanID != [8]byte{} {
		out.Label = slices.Insert(out.Label, 1,
			&dto.LabelPair{Name: new("span_id"), Value: new(hex.EncodeToString(e.SpanID[:]))})
	}
	return out
}

// writeNative adds the sparse buckets: spans of neighbouring buckets, and counts as differences
// from the previous bucket.
func writeNative(out *dto.Histogram, h *metrics.HistValue) {
	// The zero bucket distinguishes a native histogram from a classic one; it is set even without
	// observations.
	out.Schema, out.ZeroThreshold, out.ZeroCount = &h.Schema, &metrics.NativeZeroThreshold, &h.Zeros
	next, before := int32(0), int64(0)
	for i, index := range h.Indexes {
		if i == 0 || index != next {
			out.PositiveSpan = append(out.PositiveSpan, &dto.BucketSpan{Offset: new(index - next), Length: new(uint32)})
		}
		*out.PositiveSpan[len(out.PositiveSpan)-1].Length++
		count := int64(h.Counts[i])
		out.PositiveDelta, before, next = append(out.PositiveDelta, count-before), count, index+1
	}
}
