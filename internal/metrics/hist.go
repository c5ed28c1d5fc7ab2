package metrics

import (
	"math"
	"slices"
	"sort"
)

// Native histograms: schema at most 3, at most 160 buckets, never reset
// (contract 3). The schema only falls, and depends on which values were seen,
// not on their order.
const (
	nativeSchema     = 3
	nativeMaxBuckets = 160
)

// nativeZeroThreshold is the width of the zero bucket, 2^-128 as in Prometheus's
// own clients; nothing that is measured here lies between it and 0.
var nativeZeroThreshold = math.Ldexp(1, -128)

// nativeFractions are the upper bounds of schema 3 within [0.5, 1).
var nativeFractions = [8]float64{
	0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// hist is one histogram's exact state: integers only.
type hist struct {
	count   uint64
	sum     int64 // in parts of Def.Scale
	buckets []uint64

	schema  int32
	zeros   uint64
	indexes []int32 // sorted
	counts  []uint64
}

func newHist(d *Def) *hist {
	return &hist{buckets: make([]uint64, len(d.Bounds)+1), schema: nativeSchema}
}

// set makes h a copy of o and keeps h's memory.
func (h *hist) set(o *hist) {
	buckets, indexes, counts := h.buckets, h.indexes, h.counts
	*h = *o
	h.buckets = append(buckets[:0], o.buckets...)
	h.indexes = append(indexes[:0], o.indexes...)
	h.counts = append(counts[:0], o.counts...)
}

// observe adds one value, in parts of the scale, never negative, and says which of the
// classic buckets it fell into.
func (h *hist) observe(d *Def, parts int64) (bucket int) {
	h.count++
	h.sum += parts
	bucket = d.Bucket(parts)
	h.buckets[bucket]++
	h.observeNative(float64(parts) / float64(d.Scale))
	return bucket
}

// Bucket is the classic bucket that an observation in parts of the scale falls into; the
// last one is +Inf.
func (d *Def) Bucket(parts int64) int {
	return sort.SearchFloat64s(d.Bounds, float64(parts)/float64(d.Scale))
}

func (h *hist) observeNative(v float64) {
	if v <= nativeZeroThreshold {
		h.zeros++
		return
	}
	i := nativeIndex(v)
	for s := int32(nativeSchema); s > h.schema; s-- {
		i = halve(i)
	}
	at, found := slices.BinarySearch(h.indexes, i)
	if found {
		h.counts[at]++
		return
	}
	h.indexes = slices.Insert(h.indexes, at, i)
	h.counts = slices.Insert(h.counts, at, 1)
	for len(h.indexes) > nativeMaxBuckets {
		h.widen()
	}
}

// nativeIndex is the bucket of v at schema 3.
func nativeIndex(v float64) int32 {
	frac, exp := math.Frexp(v)
	return int32(sort.SearchFloat64s(nativeFractions[:], frac) + (exp-1)*len(nativeFractions))
}

// halve is the bucket's index at the next lower schema.
func halve(i int32) int32 {
	if i > 0 {
		i++
	}
	return i / 2
}

// widen merges pairs of buckets: one schema less.
func (h *hist) widen() {
	h.schema--
	n := 0
	for at, i := range h.indexes {
		i = halve(i)
		if n > 0 && h.indexes[n-1] == i {
			h.counts[n-1] += h.counts[at]
			continue
		}
		h.indexes[n], h.counts[n] = i, h.counts[at]
		n++
	}
	h.indexes, h.counts = h.indexes[:n], h.counts[:n]
}

// value is what may be shown.
func (h *hist) value(d *Def, native bool) *HistValue {
	v := &HistValue{
		Count:   h.count,
		Sum:     float64(h.sum) / float64(d.Scale),
		Buckets: slices.Clone(h.buckets),
	}
	if native {
		v.Native = &NativeValue{
			Schema: h.schema, ZeroThreshold: nativeZeroThreshold, ZeroCount: h.zeros,
			Indexes: slices.Clone(h.indexes), Counts: slices.Clone(h.counts),
		}
	}
	return v
}

// zeroHist is a histogram without observations.
func zeroHist(d *Def, native bool) *HistValue {
	v := &HistValue{Buckets: make([]uint64, len(d.Bounds)+1)}
	if native {
		v.Native = &NativeValue{Schema: nativeSchema, ZeroThreshold: nativeZeroThreshold}
	}
	return v
}

// add merges o into h: what removing a label asks for.
func (h *hist) add(o *hist) {
	h.count += o.count
	h.sum += o.sum
	for i := range h.buckets {
		h.buckets[i] += o.buckets[i]
	}
	h.zeros += o.zeros
	other := &hist{}
	other.set(o)
	for other.schema > h.schema {
		other.widen()
	}
	for h.schema > other.schema {
		h.widen()
	}
	for k, i := range other.indexes {
		at, found := slices.BinarySearch(h.indexes, i)
		if found {
			h.counts[at] += other.counts[k]
			continue
		}
		h.indexes = slices.Insert(h.indexes, at, i)
		h.counts = slices.Insert(h.counts, at, other.counts[k])
	}
	for len(h.indexes) > nativeMaxBuckets {
		h.widen()
	}
}
