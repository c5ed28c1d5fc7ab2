//go:build e2e

package deploy_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestE2EChartRules: with thresholds, alerts that are off, labels to keep and Grafana's address the
// chart's rules are those that `assets` writes.
func TestE2EChartRules(t *testing.T) {
	for name, test := range map[string]struct{ values, parameters string }{
		"as shipped": {"{}", "{}"},
		"Grafana's address": {
			"{grafanaUrl: https://grafana.example.com/}", "grafana_url: https://grafana.example.com/",
		},
		"thresholds": {
			"{thresholds: {error_budget: 0.02, answer_floor: 12, poor_share: 0.25, disk_free_bytes: " +
				"2500000000, charge_factor: 4}}",
			"{error_budget: 0.02, answer_floor: 12, poor_share: 0.25, disk_free_bytes: 2500000000, charge_factor: 4}",
		},
		"alerts that are off": {"{off: [CDRWatchdog, CDRTrunkDown]}", "off: [CDRWatchdog, CDRTrunkDown]"},
		"labels to keep":      {"{keepLabels: [cluster, job]}", "keep_labels: [cluster, job]"},
		"all of it": {
			`{keepLabels: [site], thresholds: {down_ratio: 0.8}, "off": [CDRWatchdog], grafanaUrl: "http://g"}`,
			"{keep_labels: [site], down_ratio: 0.8, off: [CDRWatchdog], grafana_url: 'http://g'}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			run(t, exporter, "assets", "--rules.file", write(t, folder, "rules.yaml", test.parameters),
				filepath.Join(folder, "assets"))
			values := write(t, folder, "values.yaml",
				"config: {sources: [{name: a}]}\nprometheusRule:\n  enabled: true\n  <<: "+test.values+"\n")
			compared := 0
			for _, o := range objects(t, render(t, values)) {
				if o.Kind != "PrometheusRule" {
					continue
				}
				compared++
				file := strings.TrimPrefix(o.Metadata.Name, "cdr-exporter-") + ".yaml"
				var got, want map[string]any
				require.NoError(t, o.Spec.Decode(&got))
				if err := yaml.Unmarshal([]byte(golden.Read(t, filepath.Join(folder, "assets", "prometheus", file))),
					&want); err != nil {
					t.Fatal(err)
				}
				gotText, _ := yaml.Marshal(onOneLine(got))   // of texts alone
				wantText, _ := yaml.Marshal(onOneLine(want)) // of texts alone
				if string(gotText) == string(wantText) {
					continue
				}
				g, w := strings.Split(string(gotText), "\n"), strings.Split(string(wantText), "\n")
				for i := range min(len(g), len(w)) {
					if g[i] != w[i] {
						t.Fatalf("%s: the chart has\n%s\nassets writes\n%s", file, g[i], w[i])
					}
				}
				t.Fatalf("%s: the chart has %d lines, assets writes %d", file, len(g), len(w))
			}
			if compared != 2 {
				t.Errorf("the chart has %d files of rules", compared)
			}
		})
	}
	for values, want := range map[string]string{
		"thresholds: {down_ration: 0.8}": "unknown threshold down_ration",
		"off: [CDRTrunkUp]":              "unknown alert CDRTrunkUp",
	} {
		file := write(t, t.TempDir(), "values.yaml",
			"config: {sources: [{name: a}]}\nprometheusRule:\n  enabled: true\n  "+values+"\n")
		if _, errs, err := try(t, tool(t, "helm"), "template", "cdr-exporter", chart, "--values", file); err == nil ||
			!strings.Contains(errs, want) {
			t.Errorf("%s: %v, %s", values, err, errs)
		}
	}
}

// onOneLine takes the spaces out of expressions: longer labels break lines elsewhere.
func onOneLine(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if expr, ok := inner.(string); ok && key == "expr" {
				v[key] = strings.Join(strings.Fields(expr), "")
			} else {
				v[key] = onOneLine(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = onOneLine(v[i])
		}
	}
	return value
}

// TestE2EChartPage: the status page judges by the chart's thresholds, unless the configuration
// names its own file.
func TestE2EChartPage(t *testing.T) {
	for name, test := range map[string]struct{ rules, config, file, content string }{
		"as shipped": {"{}", "{}", "", ""},
		"thresholds": {
			"{thresholds: {error_budget: 0.02, answer_floor: 12, disk_free_bytes: 2500000000}}",
			"{}", "rules.yaml", "{error_budget: 0.02, answer_floor: 12, disk_free_bytes: 2500000000}",
		},
		"alerts that are off": {"{off: [CDRWatchdog]}", "{}", "rules.yaml", "off: [CDRWatchdog]"},
		"no thresholds":       {"{thresholds: {}}", "{}", "", ""},
		"a file of its own":   {"{thresholds: {answer_floor: 12}}", "{rules_file: mine.yaml}", "mine.yaml", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			values := write(t, folder, "values.yaml", "config:\n  sources: [{name: a}]\n  <<: "+test.config+
				"\nprometheusRule:\n  enabled: true\n  <<: "+test.rules+"\n")
			for _, o := range objects(t, render(t, values)) {
				if o.Data["config.yaml"] == "" {
					continue
				}
				var config struct {
					RulesFile string `yaml:"rules_file"`
				}
				var got, want map[string]any
				decode := func(text string, into any) {
					require.NoError(t, yaml.Unmarshal([]byte(text), into))
				}
				decode(o.Data["config.yaml"], &config)
				decode(o.Data["rules.yaml"], &got)
				decode(test.content, &want)
				if config.RulesFile != test.file || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("rules_file is %q, with %v, want %v", config.RulesFile, got, want)
				}
				if got != nil {
					run(t, exporter, "assets", "--rules.file", write(t, folder, "rules.yaml", o.Data["rules.yaml"]),
						filepath.Join(folder, "assets"))
				}
			}
		})
	}
}
