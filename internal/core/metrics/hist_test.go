package metrics

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// observations of every size that a call can have, some on bucket bounds.
func observations(rng *rand.Rand, n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		switch rng.IntN(4) {
		case 0:
			all[i] = int64(CallDuration.Bounds[rng.IntN(len(CallDuration.Bounds))] * 1e6)
		case 1:
			all[i] = 0
		default:
			all[i] = 1e6 + rng.Int64N(1<<(10+rng.IntN(24)))
		}
	}
	return all
}

// TestHistogramIsAsClientGolang: native and classic buckets are those that Prometheus's own client makes of the same
// observations, also after it has widened buckets.
func TestHistogramIsAsClientGolang(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	wide := make([]int64, 5000)
	for i := range wide {
		wide[i] = rng.Int64N(1 << (1 + rng.IntN(60)))
	}
	t.Run("calls", func(t *testing.T) { compareHistograms(t, CallDuration, observations(rng, 5000)) })
	t.Run("more than 160 buckets", func(t *testing.T) {
		compareHistograms(t, &Def{Name: "wide", Kind: Histogram, Bounds: CallDuration.Bounds, Scale: 1e9}, wide)
	})
}

func compareHistograms(t *testing.T, d *Def, all []int64) {
	t.Helper()
	theirs := prom.NewHistogram(prom.HistogramOpts{
		Name: "x", Buckets: d.Bounds, NativeHistogramBucketFactor: 1.1,
		NativeHistogramMaxBucketNumber: nativeMaxBuckets,
	})
	ours := newHist(d)
	for _, parts := range all {
		ours.observe(d, parts)
		theirs.Observe(d.InUnit(parts))
	}
	var m dto.Metric
	require.NoError(t, theirs.Write(&m))
	want := m.GetHistogram()
	if ours.Count != want.GetSampleCount() || ours.Schema != want.GetSchema() || ours.Zeros != want.GetZeroCount() {
		t.Fatalf("count %d schema %d zeros %d, want %d %d %d", ours.Count, ours.Schema, ours.Zeros,
			want.GetSampleCount(), want.GetSchema(), want.GetZeroCount())
	}
	var cumulated uint64
	for i, b := range want.GetBucket() {
		cumulated += ours.Buckets[i]
		if cumulated != b.GetCumulativeCount() {
			t.Errorf("bucket %g: %d, want %d", b.GetUpperBound(), cumulated, b.GetCumulativeCount())
		}
	}
	indexes, counts := spread(want)
	if !slices.Equal(ours.Indexes, indexes) || !slices.Equal(ours.Counts, counts) {
		t.Errorf("native buckets\n%v %v, want\n%v %v", ours.Indexes, ours.Counts, indexes, counts)
	}
}

// spread reads the spans and deltas of the protocol.
func spread(h *dto.Histogram) (indexes []int32, counts []uint64) {
	var index int32
	var count int64
	deltas := h.GetPositiveDelta()
	for _, span := range h.GetPositiveSpan() {
		index += span.GetOffset()
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			if count > 0 {
				indexes, counts = append(indexes, index), append(counts, uint64(count))
			}
			index++
		}
	}
	return indexes, counts
}

// counting.md 24: the order of observations doesn't matter.
func TestRule24OrderDoesNotMatter(t *testing.T) {
	wide := &Def{Name: "wide", Kind: Histogram, Bounds: CallDuration.Bounds, Scale: 1e9}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		all := make([]int64, 3000)
		for i := range all {
			all[i] = rng.Int64N(1 << (1 + rng.IntN(60))) // more than 160 buckets
		}
		first, second := newHist(wide), newHist(wide)
		for _, v := range all {
			first.observe(wide, v)
		}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, v := range all {
			second.observe(wide, v)
		}
		if first.Schema >= nativeSchema || len(first.Indexes) > nativeMaxBuckets {
			t.Fatalf("schema %d with %d buckets: the test doesn't reach the bound", first.Schema, len(first.Indexes))
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("seed %d: order changed the histogram", seed)
		}
	}
}

// storedHistogram is how TestStoredForm's histogram is stored.
const storedHistogram = `{"count":5,"sum":20181000000,"buckets":[2,0,0,0,0,0,2,0,0,0,0,0,0,0,1],` +
	`"schema":3,"zeros":1,"indexes":[0,52,115],"counts":[1,2,1]}`

func TestStoredForm(t *testing.T) {
	h := newHist(CallDuration)
	for _, v := range []int64{0, 1e6, 90e6, 90e6, 20000e6} {
		h.observe(CallDuration, v)
	}
	v := Value{hist: h}
	if got := string(v.append(nil, CallDuration)); got != storedHistogram {
		t.Fatalf("stored as %q, want %q", got, storedHistogram)
	}
	again, err := parseValue(CallDuration, storedHistogram)
	if err != nil || !reflect.DeepEqual(again.hist, h) {
		t.Fatalf("read as %+v, %v", again.hist, err)
	}
	for _, text := range []string{
		"", "1", "{}", `{"buckets":[1]}`, strings.Replace(storedHistogram, "[0,52,115]", "[0,52]", 1),
		strings.Replace(storedHistogram, "5", "-5", 1),
	} {
		if _, err := parseValue(CallDuration, text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func FuzzStoredForm(f *testing.F) {
	f.Add(storedHistogram)
	f.Add("12.5")
	f.Add("-3")
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []*Def{Calls, ConnectedSeconds, CallCharges, CallDuration} {
			v, err := parseValue(d, text)
			if err != nil {
				continue
			}
			own := string(v.append(nil, d))
			again, err := parseValue(d, own)
			if err != nil {
				t.Fatalf("%s: own form %q isn't read: %v", d.Name, own, err)
			}
			if got := string(again.append(nil, d)); got != own {
				t.Fatalf("%s: %q became %q", d.Name, own, got)
			}
		}
	})
}

// counting.md 24: a sum that has no room left stays where it is and is shown; no counter goes down.
func TestRule24SumsSaturate(t *testing.T) {
	s, f := testStore()
	connected := &Delta{Def: ConnectedSeconds, N: math.MaxInt64 - 5}
	duration := &Delta{Def: CallDuration, N: math.MaxInt64 - 5}
	for range 3 {
		c := s.Begin(f, midday)
		c.addDelta(connected, 0)
		c.addDelta(duration, 0)
		if first := connected.N != 10; len(c.Overflow) != 0 == first {
			t.Errorf("overflow %v", c.Overflow)
		}
		for _, series := range c.Changed {
			if v := series.next; v.n < 0 || v.hist != nil && v.hist.Sum < 0 {
				t.Errorf("%s is negative: %d, %+v", series.Labels.Def.Name, v.n, v.hist)
			}
		}
		c.Apply(nil)
		connected.N, duration.N = 10, 10
	}
	for _, series := range f.list {
		if v := series.cur; v.n != math.MaxInt64 &&
			(v.hist == nil || v.hist.Sum != math.MaxInt64 || v.hist.Count != 3) {
			t.Errorf("%s is %d, %+v", series.Labels.Def.Name, v.n, v.hist)
		}
	}
}
