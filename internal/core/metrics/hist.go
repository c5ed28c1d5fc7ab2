package metrics

import (
	"math"
	"slices"
	"sort"
)

// Native histograms: schema at most 3, at most 160 buckets, never reset (docs/metrics.md). The schema
// only falls, in any order of values.
const (
	nativeSchema     = 3
	nativeMaxBuckets = 160
)

// NativeZeroThreshold is the width of the zero bucket, as in Prometheus's own clients; no value
// here lies between it and 0.
var NativeZeroThreshold = math.Ldexp(1, -128)

// nativeFractions are the upper bounds of schema 3 within [0.5, 1).
var nativeFractions = [8]float64{
	0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// HistValue is a histogram's exact state, integers only, for the ledger and the exporters. It has
// no observations below zero.
type HistValue struct {
	Count uint64 `json:"count"`
	// Sum is in parts of the metric's scale (Def.InUnit).
	Sum int64 `json:"sum"`
	// Buckets are the counts per classic bucket, not cumulated; the last one, after those of
	// Def.Bounds, is +Inf.
	Buckets []uint64 `json:"buckets"`

	// Schema and the fields below are the native (exponential) buckets. Bucket i counts values
	// above base^(i-1) up to base^i, where base is 2^(2^-Schema); Zeros counts values up to
	// NativeZeroThreshold.
	Schema int32  `json:"schema"`
	Zeros  uint64 `json:"zeros"`
	// Indexes are sorted; Counts are absolute, not deltas.
	Indexes []int32  `json:"indexes,omitempty"`
	Counts  []uint64 `json:"counts,omitempty"`
}

func newHist(d *Def) *HistValue {
	return &HistValue{Buckets: make([]uint64, len(d.Bounds)+1), Schema: nativeSchema}
}

func (h *HistValue) clone() *HistValue {
	c := *h
	c.Buckets, c.Indexes, c.Counts = slices.Clone(h.Buckets), slices.Clone(h.Indexes), slices.Clone(h.Counts)
	return &c
}

// observe adds one value, in parts of the scale, never negative. It returns the classic bucket that
// counted it, and whether it fit into the sum.
func (h *HistValue) observe(d *Def, parts int64) (bucket int, fits bool) {
	v := d.InUnit(parts)
	h.Count++
	h.Sum, fits = addUpTo(h.Sum, parts)
	bucket = sort.SearchFloat64s(d.Bounds, v)
	h.Buckets[bucket]++
	if v > NativeZeroThreshold {
		h.addNative(nativeIndex(v))
	} else {
		h.Zeros++
	}
	return bucket, fits
}

// addNative adds an observation in a bucket of nativeSchema.
func (h *HistValue) addNative(index int32) {
	for schema := int32(nativeSchema); schema > h.Schema; schema-- {
		index = halve(index)
	}
	at, found := slices.BinarySearch(h.Indexes, index)
	if !found {
		h.Indexes = slices.Insert(h.Indexes, at, index)
		h.Counts = slices.Insert(h.Counts, at, 0)
	}
	h.Counts[at]++
	for len(h.Indexes) > nativeMaxBuckets {
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

// widen merges pairs of buckets, which lowers the schema by one.
func (h *HistValue) widen() {
	h.Schema--
	n := 0
	for at, i := range h.Indexes {
		i = halve(i)
		if n > 0 && h.Indexes[n-1] == i {
			h.Counts[n-1] += h.Counts[at]
			continue
		}
		h.Indexes[n], h.Counts[n] = i, h.Counts[at]
		n++
	}
	h.Indexes, h.Counts = h.Indexes[:n], h.Counts[:n]
}
