package prometheus

import (
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

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
