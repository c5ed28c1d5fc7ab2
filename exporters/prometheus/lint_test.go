package prometheus

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// TestCatalogue: every metric there is is served, and promlint has nothing against it.
func TestCatalogue(t *testing.T) {
	all, source := append(metrics.Catalogue(), metrics.SelfCatalogue()...), &fakeSource{}
	var families []metrics.Family
	for _, d := range all {
		p := metrics.Point{Labels: &metrics.LabelSet{Def: d, Values: make([]string, len(d.LabelNames()))}, Value: 1}
		if d.Kind == metrics.Histogram {
			p.Hist, p.Native = &metrics.HistValue{Buckets: make([]uint64, len(d.Bounds)+1)}, true
		}
		families = append(families, metrics.Family{Def: d, Points: []metrics.Point{p}})
	}
	source.show(families...)
	problems, err := testutil.GatherAndLint(checked(Gatherer{source}))
	if err != nil {
		t.Fatalf("lint: %v", err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	got := gather(t, checked(Gatherer{source}))
	for _, d := range all {
		if family := got[d.Name]; family == nil || len(family.GetMetric()) != 1 || family.GetHelp() != d.Help {
			t.Errorf("%s: got %v", d.Name, family)
		}
	}
}
