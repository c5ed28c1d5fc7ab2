//go:build e2e

// Package systemd_test checks the unit file with systemd's own tool.
package systemd_test

import (
	"os/exec"
	"testing"
)

// TestE2EUnitIsHardened: systemd rates the exposure of the service at 2.0 of 10 at most.
func TestE2EUnitIsHardened(t *testing.T) {
	analyze := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", "cdr-exporter.service")
	if out, err := analyze.CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}
