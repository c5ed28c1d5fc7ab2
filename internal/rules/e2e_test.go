//go:build e2e

package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
	for _, name := range []string{"recording.yaml", "alerts.yaml"} {
		t.Run(name, func(t *testing.T) {
			promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(root, "dashboards", "prometheus", name))
		})
	}
	t.Run("with parameters", func(t *testing.T) {
		p := Default()
		p.Selector, p.KeepLabels, p.GrafanaURL = `job="cdr-exporter", cluster="eu"`, []string{"cluster", "job"}, "https://grafana.example.com"
		for _, produce := range []func() ([]byte, error){p.RecordingFile, p.AlertsFile} {
			text, err := produce()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "rules.yaml")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			promtool(t, "check", "rules", "--lint=all", "--lint-fatal", path)
		}
	})
	for _, path := range testFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			promtool(t, "test", "rules", path)
		})
	}
}
