//go:build e2e

package main_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// part is a process of another project's binary, from the folder that CDR_TOOLS_BIN
// names; `make tools` builds them.
type part struct {
	*program.Process

	t testing.TB
}

// tool is the name of a binary in CDR_TOOLS_BIN.
func tool(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(os.Getenv("CDR_TOOLS_BIN"), name)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("CDR_TOOLS_BIN must name a folder with %s: run `make e2e`: %v", name, err)
	}
	return file
}

// startPart starts a binary. The test stops it.
func startPart(t testing.TB, name string, args ...string) *part {
	t.Helper()
	return startProgram(t, name, tool(t, name), args...)
}

// startProgram is startPart for a file that is elsewhere.
func startProgram(t testing.TB, name, file string, args ...string) *part {
	t.Helper()
	process, err := program.Start(t.TempDir(), name,
		program.Command(context.WithoutCancel(t.Context()), file, args...))
	require.NoError(t, err)
	p := &part{process, t}
	t.Cleanup(func() {
		if p.stop(); t.Failed() {
			t.Log(p.Problem("was stopped"))
		}
	})
	return p
}

// stop ends the process as a service manager does, if it hasn't ended.
func (p *part) stop() {
	p.t.Helper()
	if p.Ended() != nil {
		return
	}
	if err := p.Stop(); err != nil {
		p.t.Error(err)
	}
}

// running fails if the process has ended.
func (p *part) running() {
	p.t.Helper()
	require.NoError(p.t, p.Ended())
}
