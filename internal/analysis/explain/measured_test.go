package explain

import (
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// TestEveryAmountIsExplained: explain says from which field the amount of a metric is, and whether that changed since.
func TestEveryAmountIsExplained(t *testing.T) {
	fixed := []string{"amount", "queue_wait"} // amounts are remembered, and a visit counts once
	for _, d := range metrics.Catalogue() {
		if d.Kind == metrics.Counter || d.Kind == metrics.Gauge || d.OfStreams {
			continue
		}
		field := measured[d]
		if field == "" {
			t.Errorf("%s: add the field that it measures to measured in internal/analysis/explain/because.go", d.Name)
		} else if changing[field] == nil && !slices.Contains(fixed, field) {
			t.Errorf("%s: add %s, with its name in cdr.changed, to changing in internal/analysis/explain/explain.go",
				d.Name, field)
		}
	}
}
