package prometheus

import (
	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// maxGap is the longest run of empty native buckets that is written as zeros
// within a span; a new span costs as much as two deltas.
const maxGap = 2

// histogram is one histogram of one scrape, classic and native at once.
type histogram struct {
	desc *prom.Desc
	// bounds are the upper bounds, without +Inf, which the reader implies.
	bounds []float64
	pairs  []*dto.LabelPair
	value  *metrics.HistValue
	// exemplars are by classic bucket, +Inf included; nil for none.
	exemplars []*dto.Exemplar
	out       dto.Histogram
}

// Desc implements prometheus.Metric.
func (h *histogram) Desc() *prom.Desc { return h.desc }

// Write implements prometheus.Metric.
func (h *histogram) Write(m *dto.Metric) error {
	h.out.SampleCount, h.out.SampleSum = &h.value.Count, &h.value.Sum
	h.out.Bucket = classicBuckets(h.bounds, h.value.Buckets)
	if h.value.Native != nil {
		writeNative(&h.out, h.value.Native)
	}
	h.writeExemplars()
	m.Label, m.Histogram = h.pairs, &h.out
	return nil
}

func (f *family) sendHistograms(points []metrics.Point, ch chan<- prom.Metric) {
	slab := make([]histogram, len(f.order))
	f.shown(points, func(i int, s *series, p *metrics.Point) {
		if p.Hist == nil {
			return
		}
		h := &slab[i]
		h.desc, h.bounds, h.pairs, h.value = f.desc, f.def.Bounds, s.pairs, p.Hist
		h.exemplars = s.exemplars(p.Exemplars)
		h.out.CreatedTimestamp = s.created
		ch <- h
	})
}

// classicBuckets cumulates the counts per bound.
func classicBuckets(bounds []float64, counts []uint64) []*dto.Bucket {
	slab := make([]dto.Bucket, len(bounds))
	cumulated := make([]uint64, len(bounds))
	buckets := make([]*dto.Bucket, len(bounds))
	var sum uint64
	for i := range bounds {
		sum += counts[i]
		cumulated[i] = sum
		slab[i].UpperBound, slab[i].CumulativeCount = &bounds[i], &cumulated[i]
		buckets[i] = &slab[i]
	}
	return buckets
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
	deltas = make([]int64, 0, len(n.Indexes))
	var before int64
	push := func(count int64) {
		deltas = append(deltas, count-before)
		before = count
		*all[len(all)-1].Length++
	}
	next := int32(0)
	for i, index := range n.Indexes {
		if gap := index - next; len(all) == 0 || gap > maxGap {
			all = append(all, &dto.BucketSpan{Offset: new(gap), Length: new(uint32)})
		} else {
			for range gap {
				push(0)
			}
		}
		push(int64(n.Counts[i]))
		next = index + 1
	}
	return all, deltas
}
