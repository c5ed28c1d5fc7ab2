//go:build e2e

package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestE2EProgramsTakeTheDocs gives what the docs show to the programs that it is
// for: PromQL, rules and scrape configurations to promtool, pipelines to the
// Collector.
func TestE2EProgramsTakeTheDocs(t *testing.T) {
	seen := make(map[string]int)
	for _, p := range pages(t) {
		blocks, _, err := p.blocks()
		require.NoError(t, err)
		for _, b := range blocks {
			kind, text := b.language, b.text
			if kind == "yaml" {
				kind = kindOf(t, text)
			}
			if kind == "promql" {
				text = asRules(t, text)
			}
			arguments, ok := map[string][]string{
				"promql":       {"promtool", "check", "rules"},
				"rules":        {"promtool", "check", "rules"},
				"prometheus":   {"promtool", "check", "config", "--syntax-only"},
				"collector":    {"otelcol", "validate", "--config"},
				"receiver":     {"otelcol-cdr", "validate", "--config"},
				"alertmanager": {"amtool", "check-config"},
			}[kind]
			if !ok {
				continue
			}
			seen[kind]++
			t.Run(fmt.Sprintf("%s line %d", filepath.Base(p.path), b.line), func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "docs.yaml")
				require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
				name := arguments[0]
				if name != "amtool" { // which a package of Debian installs
					name = filepath.Join(os.Getenv("CDR_TOOLS_BIN"), name)
				}
				program := exec.CommandContext(t.Context(), name, append(arguments[1:], file)...)
				program.Env = append(os.Environ(), "CLIENT_SECRET=hush")
				if out, err := program.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
	for _, kind := range []string{"promql", "rules", "prometheus", "collector", "receiver", "alertmanager"} {
		if seen[kind] == 0 {
			t.Errorf("the docs show no %s: this shows nothing", kind)
		}
	}
}

// kindOf says what a block of YAML is for, by its first keys.
func kindOf(t *testing.T, text string) string {
	t.Helper()
	var document map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &document))
	receivers, _ := document["receivers"].(map[string]any)
	exporters, _ := document["exporters"].(map[string]any)
	switch {
	case document["dist"] != nil: // for the Collector's builder
		return ""
	// which can't be had; docs/log-stores.md says so
	case exporters["clickhouse"] != nil, exporters["splunk_hec"] != nil, exporters["azuremonitor"] != nil:
		return ""
	case receivers["cdr"] != nil:
		return "receiver"
	}
	for _, k := range []struct{ key, kind string }{
		{"groups", "rules"},
		{"scrape_configs", "prometheus"},
		{"route", "alertmanager"},
		{"receivers", "collector"},
	} {
		if document[k.key] != nil {
			return k.kind
		}
	}
	return ""
}

// asRules makes a file of rules of queries with empty lines between them.
func asRules(t *testing.T, queries string) string {
	t.Helper()
	var rules []map[string]string
	for i, query := range strings.Split(strings.TrimSpace(queries), "\n\n") {
		rules = append(rules, map[string]string{"record": fmt.Sprintf("docs:query%d", i), "expr": query})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "docs", "rules": rules}}})
	require.NoError(t, err)
	return string(text)
}
