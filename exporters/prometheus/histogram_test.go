package prometheus

import (
	"math"
	"slices"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

func TestClassicAndNativeBucketsSideBySide(t *testing.T) {
	source := &fakeSource{}
	source.show(sample()...)
	h := gather(t, checked(Gatherer{source}))[duration.Name].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 6 || h.GetSampleSum() != 71.5 {
		t.Errorf("count %d sum %v, want 6 and 71.5", h.GetSampleCount(), h.GetSampleSum())
	}
	var bounds []float64
	var cumulated []uint64
	for _, b := range h.GetBucket() {
		bounds, cumulated = append(bounds, b.GetUpperBound()), append(cumulated, b.GetCumulativeCount())
	}
	if !slices.Equal(bounds, []float64{1, 5, 10}) || !slices.Equal(cumulated, []uint64{1, 3, 3}) {
		t.Errorf("buckets %v: %v, want [1 5 10]: [1 3 3]", bounds, cumulated)
	}
	if h.GetSchema() != 0 || h.GetZeroThreshold() != 0x1p-128 || h.GetZeroCount() != 1 {
		t.Errorf("schema %d, zero bucket %v: %d", h.GetSchema(), h.GetZeroThreshold(), h.GetZeroCount())
	}
	if got := spanList(h); !slices.Equal(got, [][2]int64{{1, 2}, {3, 1}}) {
		t.Errorf("spans %v, want [[1 2] [3 1]]", got)
	}
	if !slices.Equal(h.GetPositiveDelta(), []int64{1, 0, 2}) {
		t.Errorf("deltas %v, want [1 0 2]", h.GetPositiveDelta())
	}
}

// spanList is offset and length of each span.
func spanList(h *dto.Histogram) [][2]int64 {
	var all [][2]int64
	for _, s := range h.GetPositiveSpan() {
		all = append(all, [2]int64{int64(s.GetOffset()), int64(s.GetLength())})
	}
	return all
}

func TestSpans(t *testing.T) {
	tests := []struct {
		name    string
		indexes []int32
		counts  []uint64
		spans   [][2]int64
		deltas  []int64
	}{
		{"empty", nil, nil, nil, nil},
		{"one bucket", []int32{5}, []uint64{7}, [][2]int64{{5, 1}}, []int64{7}},
		{"below zero", []int32{-8, -7}, []uint64{2, 1}, [][2]int64{{-8, 2}}, []int64{2, -1}},
		{"a gap begins a span", []int32{0, 2}, []uint64{4, 5}, [][2]int64{{0, 1}, {1, 1}}, []int64{4, 1}},
		{"across zero", []int32{-1, 0, 9}, []uint64{1, 2, 3}, [][2]int64{{-1, 2}, {8, 1}}, []int64{1, 1, 1}},
		{"the first offset is not a gap", []int32{1}, []uint64{1}, [][2]int64{{1, 1}}, []int64{1}},
	}
	for _, tc := range tests {
		var out dto.Histogram
		writeNative(&out, &metrics.HistValue{Schema: 3, Indexes: tc.indexes, Counts: tc.counts})
		if got := spanList(&out); !slices.Equal(got, tc.spans) || !slices.Equal(out.PositiveDelta, tc.deltas) ||
			out.GetZeroThreshold() != 0x1p-128 {
			t.Errorf("%s: spans %v with deltas %v, zero threshold %v, want %v with %v", tc.name, got, out.PositiveDelta,
				out.GetZeroThreshold(), tc.spans, tc.deltas)
		}
	}
}

// TestNativeAsClientGolang gives both the same observations, and reads ours back.
func TestNativeAsClientGolang(t *testing.T) {
	theirs := prom.NewHistogram(prom.HistogramOpts{
		Name: "h", Help: "h", Buckets: []float64{1, 10}, NativeHistogramBucketFactor: 1.1,
		NativeHistogramMaxBucketNumber: 160,
	})
	for i := range 300 {
		theirs.Observe(math.Pow(1.07, float64(i%97)) / float64(1+i%7))
	}
	var want dto.Metric
	if err := theirs.Write(&want); err != nil {
		t.Fatalf("write: %v", err)
	}
	native := decode(want.GetHistogram())
	var got dto.Histogram
	writeNative(&got, native)
	if again := decode(&got); !slices.Equal(again.Indexes, native.Indexes) ||
		!slices.Equal(again.Counts, native.Counts) {
		t.Error("what was written doesn't read back as what it was")
	}
}

// decode reads the sparse buckets of a histogram, without the empty ones.
func decode(h *dto.Histogram) *metrics.HistValue {
	n := &metrics.HistValue{Schema: h.GetSchema(), Zeros: h.GetZeroCount()}
	var index int32
	var count int64
	deltas := h.GetPositiveDelta()
	for _, span := range h.GetPositiveSpan() {
		index += span.GetOffset()
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			if count > 0 {
				n.Indexes, n.Counts = append(n.Indexes, index), append(n.Counts, uint64(count))
			}
			index++
		}
	}
	return n
}
