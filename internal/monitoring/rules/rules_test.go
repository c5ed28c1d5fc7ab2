package rules

import (
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// root is the repository's folder.
var root = filepath.Join("..", "..", "..")

// TestGenerated compares what is made from this package with the files; -update writes them.
func TestGenerated(t *testing.T) {
	for path, produce := range map[string]func() ([]byte, error){
		"dashboards/prometheus/recording.yaml":           Default().RecordingFile,
		"dashboards/prometheus/alerts.yaml":              Default().AlertsFile,
		"dashboards/prometheus/tests/kpis.yaml":          kpiTests,
		"deploy/helm/cdr-exporter/files/thresholds.yaml": chartThresholds,
	} {
		t.Run(path, func(t *testing.T) {
			want, err := produce()
			require.NoError(t, err)
			golden.File(t, filepath.Join(root, filepath.FromSlash(path)), want)
		})
	}
	golden.Tables(t, filepath.Join(root, "docs", "kpis.md"), map[string]string{
		"kpis": kpiTable(), "caveats": caveats(KPIs()), "queues": queueTable(),
		"queue caveats": caveats(Default().QueueKPIs()), "series": seriesTable(),
	})
	golden.Tables(t, filepath.Join(root, "docs", "alerts.md"), map[string]string{"alerts": alertTable()})
}

// all goes through every rule, in order.
func all() iter.Seq[*Rule] {
	return rulesOf(slices.Concat(Default().Recording(), Default().Alerting())...)
}

var templated = regexp.MustCompile(`\$labels\.([a-z_]+)`)

// labelsOf are the labels that a series can have, and whether it is known at all.
func labelsOf(series string, recorded map[string][]string) ([]string, bool) {
	for _, d := range slices.Concat(metrics.Catalogue(), metrics.SelfCatalogue()) {
		labels := append(d.LabelNames(), "job", "instance")
		switch {
		case d.Name == series:
			return labels, true
		case d.Kind == metrics.Histogram &&
			(series == d.Name+"_bucket" || series == d.Name+"_count" || series == d.Name+"_sum"):
			return append(labels, "le"), true // only docs read them: see TestNoHistograms
		}
	}
	switch series {
	case "up", buildInfo, processStart:
		return []string{"job", "instance"}, true
	case alertSeries:
		return append(slices.Clone(byDirection), "alertname", "alertstate"), true
	}
	labels, ok := recorded[series]
	return labels, ok
}

// levelOf reads the labels from a recorded series' name.
func levelOf(t *testing.T, record string) []string {
	t.Helper()
	prefix, _, _ := strings.Cut(record, ":")
	for _, l := range []level{
		byJob, byFeed, byTrunk, byDirection, byCurrency, byCountry, byMedia, byResult,
		byQueue, byClass,
	} {
		if strings.Join(l, "_") == prefix {
			return l
		}
	}
	t.Fatalf("%s begins with no level that is known", record)
	return nil
}

// TestRulesNameWhatThereIs: every metric that a rule names is in the catalogue or is recorded
// before, and every label that it groups by, joins on or selects is one of its metrics'.
func TestRulesNameWhatThereIs(t *testing.T) {
	recorded := make(map[string][]string)
	for r := range all() {
		t.Run(r.Record+r.Alert, func(t *testing.T) {
			for _, problem := range problems(r.Expr, recorded) {
				t.Error(problem)
			}
			known := union(r.Expr, recorded)
			for _, found := range templated.FindAllStringSubmatch(r.Summary+r.Description, -1) {
				if !slices.Contains(known, found[1]) {
					t.Errorf("its text names the label %s, which none of its metrics has", found[1])
				}
			}
			if r.Record != "" {
				recorded[r.Record] = levelOf(t, r.Record)
			}
		})
	}
}

// union are the labels of all series that an expression names.
func union(expr string, recorded map[string][]string) []string {
	var known []string
	for _, name := range series(parse(expr)) {
		labels, _ := labelsOf(name, recorded)
		known = append(known, labels...)
	}
	parser.Inspect(parse(expr), func(n parser.Node, _ []parser.Node) error {
		if c, ok := n.(*parser.Call); ok && c.Func.Name == "label_replace" {
			known = append(known, c.Args[1].(*parser.StringLiteral).Val)
		}
		return nil
	})
	return known
}

// problems are the names in an expression that stand for nothing.
func problems(expr string, recorded map[string][]string) (all []string) {
	known := union(expr, recorded)
	grouped := func(names []string) {
		for _, name := range names {
			if !slices.Contains(known, name) {
				all = append(all, "it groups by the label "+name+", which none of its metrics has")
			}
		}
	}
	parser.Inspect(parse(expr), func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			labels, ok := labelsOf(n.Name, recorded)
			if !ok {
				all = append(all, "it names "+n.Name+", which is neither in the catalogue nor recorded before")
			}
			for _, m := range n.LabelMatchers {
				if ok && m.Name != "__name__" && !slices.Contains(labels, m.Name) {
					all = append(all, "it selects the label "+m.Name+", which "+n.Name+" doesn't have")
				}
			}
		case *parser.AggregateExpr:
			grouped(n.Grouping)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				grouped(n.VectorMatching.MatchingLabels)
			}
		}
		return nil
	})
	return all
}

// TestNoHistograms: a rule that read a histogram would depend on how it is ingested. Waits in queues have no other
// form; their rules read both kinds.
func TestNoHistograms(t *testing.T) {
	allowed := []*metrics.Def{metrics.QueueWait}
	histograms := 0
	for _, d := range slices.Concat(metrics.Catalogue(), metrics.SelfCatalogue()) {
		if d.Kind != metrics.Histogram {
			continue
		}
		histograms++
		for r := range all() {
			names := series(parse(r.Expr))
			native := slices.Contains(names, d.Name)
			classic := slices.ContainsFunc([]string{"_bucket", "_sum", "_count"},
				func(part string) bool { return slices.Contains(names, d.Name+part) })
			if (native || classic) && (native != classic || !slices.Contains(allowed, d)) {
				t.Errorf("%s%s reads the histogram %s: classic %t, native %t", r.Record, r.Alert, d.Name, classic,
					native)
			}
		}
	}
	if histograms == 0 {
		t.Error("the catalogue has no histogram: this shows nothing")
	}
}

// TestAlertsAreComplete: each says what happened, with its value, and where to read on; those
// about calls wait for a live feed, and for calls that aren't late.
func TestAlertsAreComplete(t *testing.T) {
	for r := range rulesOf(Default().Alerting()...) {
		t.Run(r.Alert, func(t *testing.T) {
			if r.Summary == "" || r.When == "" || r.Change == "" || r.Doc == "" {
				t.Error("it lacks a summary, or what the docs say of it")
			}
			if !strings.Contains(r.Description, "$value") {
				t.Error("its description doesn't hold the value")
			}
			if !slices.Contains([]string{critical, warning, info, none}, r.Severity) {
				t.Errorf("its severity is %q", r.Severity)
			}
			gated := slices.ContainsFunc(series(parse(r.Expr)),
				func(s string) bool { return strings.HasPrefix(s, "source_feed:cdr_live:") })
			if want := r.Signal == Calls; gated != want {
				t.Errorf("it waits for a live feed: %t, want %t", gated, want)
			}
		})
	}
}
