//go:build e2e

// Package systemd_test checks the unit file with systemd's own tool.
package systemd_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestE2EUnitsAreHardened: systemd rates the exposure of the services at 2.0 of 10 at most, and
// lets them reach a database by a socket of this machine.
func TestE2EUnitsAreHardened(t *testing.T) {
	for _, unit := range []string{"cdr-exporter.service", "cdr-exporter-report.service"} {
		analyze := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20",
			"--no-pager", unit)
		out, err := analyze.CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze: %v\n%s", err, out)
		}
		if strings.Contains(string(out), "Service cannot allocate local sockets") {
			t.Errorf("%s: a DSN with the path of a socket can't be used", unit)
		}
	}
}

// TestE2ETimer: systemd understands when the timer elapses.
func TestE2ETimer(t *testing.T) {
	text, err := os.ReadFile("cdr-exporter-report.timer")
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(text), "OnCalendar=")
	when, _, _ := strings.Cut(after, "\n")
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "calendar", "--base-time=2026-11-26", when).
		CombinedOutput()
	if err != nil || !strings.Contains(string(out), "2026-12-03 05:00:00") {
		t.Errorf("%s: %v\n%s", when, err, out)
	}
}
