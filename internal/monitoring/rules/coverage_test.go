package rules

import (
	"iter"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// sorted walks a map in the order of its keys.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// promtoolTests is what promtool reads.
type promtoolTests struct {
	Tests []struct {
		Name           string `yaml:"name"`
		AlertRuleTests []struct {
			AlertName string `yaml:"alertname"`
			ExpAlerts []struct {
				ExpLabels      map[string]string `yaml:"exp_labels"`
				ExpAnnotations map[string]string `yaml:"exp_annotations"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
		PromQLTests []struct {
			Expr string `yaml:"expr"`
		} `yaml:"promql_expr_test"`
	} `yaml:"tests"`
}

// testFiles are the files of tests for promtool.
func testFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "dashboards", "prometheus", "tests", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no tests: %v", err)
	}
	return files
}

func loadTests(t *testing.T, path string) (file promtoolTests) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

// TestEveryAlertIsTested: each alert fires in a test of promtool's with its labels and texts,
// and doesn't in another that is called a near miss; every recorded series has a value in one.
func TestEveryAlertIsTested(t *testing.T) {
	fires, quiet := make(map[string]bool), make(map[string]bool)
	var queries strings.Builder
	for _, path := range testFiles(t) {
		for _, test := range loadTests(t, path).Tests {
			for _, a := range test.AlertRuleTests {
				if len(a.ExpAlerts) == 0 && strings.HasPrefix(test.Name, "near miss") {
					quiet[a.AlertName] = true
				}
				for _, want := range a.ExpAlerts {
					if want.ExpLabels["severity"] == "" || want.ExpAnnotations["description"] == "" ||
						want.ExpAnnotations["summary"] == "" {
						t.Errorf("%s: the test %q doesn't look at the severity and texts of %s", path, test.Name,
							a.AlertName)
					}
					fires[a.AlertName] = true
				}
			}
			for _, q := range test.PromQLTests {
				queries.WriteString(q.Expr + "\n")
			}
		}
	}
	for r := range all() {
		switch {
		case r.Record != "" && !strings.Contains(queries.String(), r.Record+"{"):
			t.Errorf("no test looks at %s: add a promql_expr_test to a file of dashboards/prometheus/tests", r.Record)
		case r.Alert != "" && !fires[r.Alert]:
			t.Errorf("%s fires in no test: add one to a file of dashboards/prometheus/tests", r.Alert)
		case r.Alert != "" && !quiet[r.Alert] && r.Severity != none:
			t.Errorf("%s has no near miss: add a test whose name begins with it, in which the alert doesn't fire, to "+
				"dashboards/prometheus/tests", r.Alert)
		}
	}
}

// sections are what every runbook has.
var sections = []string{"## What it means", "## Look at", "## Do", "## What it doesn't mean"}

// TestRunbooks: every alert has a runbook and every runbook an alert. Rule, runbook and docs agree, and the queries
// name series that exist.
func TestRunbooks(t *testing.T) {
	recorded := make(map[string][]string)
	want := make(map[string]bool)
	for r := range all() {
		if r.Record != "" {
			recorded[r.Record] = levelOf(t, r.Record)
		} else {
			want[r.Alert+".md"] = true
		}
	}
	block := regexp.MustCompile("(?s)```promql\n(.*?)```")
	between := regexp.MustCompile(`(?m)^(#.*)?$`) // two queries
	classicPart := regexp.MustCompile(`(cdr_\w+)_(?:bucket|count|sum)\b`)
	files, err := os.ReadDir(filepath.Join(root, "docs", "runbooks"))
	require.NoError(t, err)
	for _, f := range files {
		if !want[f.Name()] {
			t.Errorf("no alert has the runbook %s", f.Name())
		}
		delete(want, f.Name())
		content, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", f.Name()))
		require.NoError(t, err)
		if !strings.HasPrefix(string(content), "# "+strings.TrimSuffix(f.Name(), ".md")+"\n") {
			t.Errorf("%s doesn't begin with the alert's name", f.Name())
		}
		for _, s := range sections {
			if !strings.Contains(string(content), "\n"+s+"\n") {
				t.Errorf("%s has no section %q", f.Name(), s)
			}
		}
		for _, found := range block.FindAllStringSubmatch(string(content), -1) {
			for _, query := range between.Split(found[1], -1) {
				if strings.TrimSpace(query) == "" {
					continue
				}
				for _, problem := range problems(query, recorded) {
					t.Errorf("%s: %s", f.Name(), problem)
				}
			}
			for _, classic := range classicPart.FindAllStringSubmatch(found[1], -1) {
				if !strings.Contains(found[1], classic[1]+"[") {
					t.Errorf("%s asks for %s, which isn't there with scrape_native_histograms, as the docs advise: "+
						"ask for the native histogram too", f.Name(), classic[0])
				}
			}
		}
	}
	for name := range want {
		t.Errorf("docs/runbooks/%s is missing: write it like the others", name)
	}
}
