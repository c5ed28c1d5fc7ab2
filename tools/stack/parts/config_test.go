package parts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestWriteAlertmanager: the shipped example is as it is, but for its times and receivers.
func TestWriteAlertmanager(t *testing.T) {
	folder := t.TempDir()
	args, err := WriteAlertmanager(folder, "127.0.0.1:1", "http://127.0.0.1:2", 30)
	if err != nil || !slices.Contains(args, "--web.listen-address=127.0.0.1:1") ||
		!slices.Contains(args, "--cluster.listen-address=") {
		t.Fatalf("started with %v, %v", args, err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "alertmanager.yml"))
	require.NoError(t, err)
	for _, part := range []string{
		"group_wait: 1s", "group_interval: 10s", "repeat_interval: 24m",
		`"http://127.0.0.1:2/pager"`, `alertname = "CDRTrunkDown"`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("it lacks %s:\n%s", part, text)
		}
	}
	if strings.Contains(string(text), "9099") {
		t.Error("it tells the example's receivers")
	}
}
