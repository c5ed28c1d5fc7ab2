//go:build e2e

// Package systemd_test checks the unit file with systemd's own tool.
package systemd_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestE2EUnitIsHardened: systemd rates the exposure of the service at 2.0 of 10 at most, and lets it reach a database by a socket of this machine.
func TestE2EUnitIsHardened(t *testing.T) {
	analyze := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", "cdr-exporter.service")
	out, err := analyze.CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "Service cannot allocate local sockets") {
		t.Error("a DSN with the path of a socket can't be used")
	}
}
