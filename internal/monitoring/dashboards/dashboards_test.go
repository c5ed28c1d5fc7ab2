package dashboards

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// folder holds the files that Grafana imports.
var folder = filepath.Join("..", "..", "..", "dashboards", "grafana")

// TestFilesAreCurrent fails when a file isn't what this package builds; with -update it rewrites them.
func TestFilesAreCurrent(t *testing.T) {
	var names []string
	for _, d := range built(t) {
		names = append(names, d.File)
		want, err := d.JSON()
		require.NoError(t, err)
		golden.File(t, filepath.Join(folder, d.File), want)
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			t.Errorf("%s isn't built by this package", e.Name())
		}
	}
}

// TestStrict reads every file as strictly as the foundation SDK can: a wrong field, a
// missing one or one of another kind is named by its path, also inside queries.
func TestStrict(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for _, d := range built(t) {
		text := withoutFormats(t, d)
		var read dashboard.Dashboard
		if err := read.UnmarshalJSONStrict(text); err != nil {
			t.Errorf("%s: %v", d.File, err)
		}
		if err := read.Validate(); err != nil {
			t.Errorf("%s: %v", d.File, err)
		}
	}
}

// withoutFormats is the content of a dashboard's file without the fields of annotations that the SDK doesn't know,
// which Grafana's data source reads (annotations.ts).
func withoutFormats(t *testing.T, d Built) []byte {
	t.Helper()
	for _, a := range d.annotations {
		d.Annotations.List = append(d.Annotations.List, a.AnnotationQuery)
	}
	text, err := json.Marshal(d.Dashboard)
	require.NoError(t, err)
	return text
}

// TestLabelsAreHeldAgainstTheCatalogue: a query for a label that its metric hasn't is
// refused.
func TestLabelsAreHeldAgainstTheCatalogue(t *testing.T) {
	for _, tc := range []struct {
		name string
		ask  func(*board) query
	}{
		{"kept", func(b *board) query { return b.flow(metrics.Calls, by("trunks")) }},
		{"matched", func(b *board) query { return b.total(metrics.Calls, nil, is("result", "failed")) }},
		{"kept of a histogram", func(b *board) query { return b.quantile(0.5, metrics.CallDuration, by("outcome")) }},
		{"a gauge without a measure", func(b *board) query {
			return b.value(&metrics.Def{Name: "cdr_new", Kind: metrics.Gauge}, nil)
		}},
	} {
		b := newBoard(rules.Default(), "x", "X", "", "now-1h")
		b.add(4, 4, b.number(text{"X", "X."}, tc.ask(b)))
		if _, err := b.build(); err == nil {
			t.Errorf("%s: it is built", tc.name)
		}
	}
}

// built are all dashboards.
func built(t *testing.T) []Built {
	t.Helper()
	all, err := All(rules.Default())
	require.NoError(t, err)
	return all
}

// TestExemplars: every course of a metric that has exemplars asks for them, and of no
// other.
func TestExemplars(t *testing.T) {
	found := 0
	for _, d := range built(t) {
		for _, p := range panelsOf(&d) {
			for _, asked := range p.Targets {
				q, ok := asked.(prometheus.Dataquery)
				if !ok || *q.Instant {
					continue
				}
				has := false
				for _, f := range selectors.FindAllStringSubmatch(q.Expr, -1) {
					has = has || catalogued(f[1]).Exemplars
				}
				if asks := q.Exemplar != nil && *q.Exemplar; asks != has {
					t.Errorf("%s, %s: asks for exemplars: %v, has them: %v", d.File, *p.Title, asks, has)
				}
				if has {
					found++
				}
			}
		}
	}
	if found == 0 {
		t.Error("no query asks for exemplars")
	}
}
