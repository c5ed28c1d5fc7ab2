package prometheus

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var (
	calls = &metrics.Def{
		Name: "cdr_calls_total", OTel: "cdr.calls", Unit: "{call}", Kind: metrics.Counter, Base: metrics.RecordBase,
		Help:   "Call records, each counted once.",
		Labels: []metrics.Label{{Name: "direction"}, {Name: "call_type", Open: true}},
	}
	duration = &metrics.Def{
		Name: "cdr_call_duration_seconds", OTel: "cdr.call.duration", Unit: "s", Kind: metrics.Histogram,
		Base: metrics.RecordBase,
		Help: "Durations of connected calls.", Labels: []metrics.Label{{Name: "direction"}},
		Bounds: []float64{1, 5, 10}, Scale: 1e6,
	}
	ratio = &metrics.Def{
		Name: "cdr_media_bypass_ratio", OTel: "cdr.media_bypass", Unit: "1", Kind: metrics.Gauge,
		Base: metrics.SourceFeed,
		Help: "Share of calls with media bypass.",
	}
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// fakeSource shows what a test puts into it.
type fakeSource struct {
	mu       sync.Mutex
	snapshot metrics.Snapshot
}

func (f *fakeSource) Snapshot() metrics.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshot
}

func (f *fakeSource) show(families ...metrics.Family) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.snapshot = metrics.Snapshot{Families: families}
}

func set(d *metrics.Def, values ...string) *metrics.LabelSet {
	if len(values) != len(d.LabelNames()) {
		panic(fmt.Sprintf("%s has labels %v", d.Name, d.LabelNames()))
	}
	return &metrics.LabelSet{Def: d, Values: values}
}

// sample is a snapshot with a point of every sort.
func sample() []metrics.Family {
	return []metrics.Family{
		{Def: duration, Points: []metrics.Point{{
			Labels: set(duration, "contoso", "msgraph", "pstn", "outbound"), Start: start,
			Hist: &metrics.HistValue{
				Count: 6, Sum: 71.5e6, Buckets: []uint64{1, 2, 0, 3},
				Schema: 0, Zeros: 1, Indexes: []int32{1, 2, 6}, Counts: []uint64{1, 1, 3},
			},
			Native: true,
		}}},
		{Def: calls, Points: []metrics.Point{
			{Labels: set(calls, "contoso", "msgraph", "pstn", "outbound", "user_out"), Start: start, Value: 12},
			{Labels: set(calls, "contoso", "msgraph", "pstn", "inbound", ""), Value: 3},
		}},
		{Def: ratio, Points: []metrics.Point{{Labels: set(ratio, "contoso", "direct_routing"), Value: 0.25}}},
	}
}

// showing is a source of these families.
func showing(families ...metrics.Family) *fakeSource {
	source := new(fakeSource)
	source.show(families...)
	return source
}

// gather returns the families of sources by name, after a registry's checks of each series.
func gather(t testing.TB, sources ...metrics.Source) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := prom.Gatherers{Gatherer(sources)}.Gather()
	require.NoError(t, err)
	byName := make(map[string]*dto.MetricFamily)
	for _, family := range all {
		byName[family.GetName()] = family
	}
	return byName
}

// testLogger shows a failed test what was logged.
func testLogger(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func TestSeveralSourcesAreOneCollector(t *testing.T) {
	families := sample()
	got := gather(t, showing(families[:2]...), showing(families[2]))
	if len(got) != 3 {
		t.Fatalf("got %d families, want 3", len(got))
	}
	if v := got[ratio.Name].GetMetric()[0].GetGauge().GetValue(); v != 0.25 {
		t.Errorf("%s = %v, want 0.25", ratio.Name, v)
	}
	if v := got[calls.Name].GetMetric()[1].GetCounter().GetValue(); v != 12 {
		t.Errorf("%s = %v, want 12", calls.Name, v)
	}
}

func TestValuesThatAreNotUTF8(t *testing.T) {
	points := []metrics.Point{{Labels: set(calls, "s", "p", "f", "inbound", "a\xffb"), Value: 1}}
	source := showing(metrics.Family{Def: calls, Points: points})
	var got []string
	for _, pair := range gather(t, source)[calls.Name].GetMetric()[0].GetLabel() {
		got = append(got, pair.GetName()+"="+pair.GetValue())
	}
	if want := "call_type=a\uFFFDb,direction=inbound,feed=f,provider=p,source=s"; strings.Join(got, ",") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCatalogue: every metric there is is served, and promlint has nothing against it.
func TestCatalogue(t *testing.T) {
	all := append(metrics.Catalogue(), metrics.SelfCatalogue()...)
	var families []metrics.Family
	for _, d := range all {
		p := metrics.Point{Labels: &metrics.LabelSet{Def: d, Values: make([]string, len(d.LabelNames()))}, Value: 1}
		if d.Kind == metrics.Histogram {
			p.Hist, p.Native = &metrics.HistValue{Buckets: make([]uint64, len(d.Bounds)+1)}, true
		}
		families = append(families, metrics.Family{Def: d, Points: []metrics.Point{p}})
	}
	source := showing(families...)
	problems, err := testutil.GatherAndLint(Gatherer{source})
	require.NoError(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	got := gather(t, source)
	for _, d := range all {
		if family := got[d.Name]; family == nil || len(family.GetMetric()) != 1 || family.GetHelp() != d.Help {
			t.Errorf("%s: got %v", d.Name, family)
		}
	}
}
