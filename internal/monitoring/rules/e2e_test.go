//go:build e2e

package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// promtool runs the real one.
func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	program := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "promtool"), arguments...)
	if out, err := program.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestE2EPromtool gives the rules to promtool, and lets it run their tests.
func TestE2EPromtool(t *testing.T) {
	lint(t, filepath.Join(root, "dashboards", "prometheus"))
	t.Run("with parameters", func(t *testing.T) {
		p := Default()
		p.Selector, p.KeepLabels = `job="cdr-exporter", cluster="eu"`, []string{"cluster", "job"}
		p.GrafanaURL = "https://grafana.example.com"
		lint(t, writeRules(t, p.Recording(), p.Alerting()))
	})
	for _, path := range testFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			tests := string(content)
			recording, alerting := needed(tests, func(alert string) bool {
				return strings.Contains(tests, alert) || strings.Contains(tests, "ALERTS")
			})
			testRules(t, recording, alerting, strings.ReplaceAll(tests, "../", ""))
		})
	}
}

// testRules writes groups of rules next to a file of promtool's tests, which it runs.
func testRules(t *testing.T, recording, alerting []Group, tests string) (dir string) {
	t.Helper()
	dir = writeRules(t, recording, alerting)
	path := filepath.Join(dir, "tests.yaml")
	require.NoError(t, os.WriteFile(path, []byte(tests), 0o600))
	promtool(t, "test", "rules", path)
	return dir
}

// lint checks both files of rules in a folder.
func lint(t *testing.T, dir string) {
	t.Helper()
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(dir, "recording.yaml"),
		filepath.Join(dir, "alerts.yaml"))
}

// writeRules writes groups of rules to recording.yaml and alerts.yaml in a new folder.
func writeRules(t *testing.T, recording, alerting []Group) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, groups := range map[string][]Group{"recording.yaml": recording, "alerts.yaml": alerting} {
		content, err := file("", groups)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		require.NoError(t, err)
	}
	return dir
}
