//go:build e2e

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestE2EPeers runs the peers with few rows, Telegraf among them only if it is built: `make .tools/bin/telegraf`.
func TestE2EPeers(t *testing.T) {
	telegraf, err := filepath.Abs(filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "telegraf"))
	if err != nil {
		t.Fatal(err)
	}
	running := peers
	if _, err := os.Stat(telegraf); errors.Is(err, fs.ErrNotExist) {
		running = peers[:2]
		t.Log("Telegraf isn't built, and is too large to build for this test alone")
	}
	exporter := filepath.Join(t.TempDir(), "cdr-exporter")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", exporter, "../../cmd/cdr-exporter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	const rows = 2500 // two pages and a half
	results, err := compare(t.Context(), settings{
		Rows: rows, Rounds: 1, Exporter: exporter, Telegraf: telegraf, Configs: "configs", Period: time.Second,
	}, running, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	exact := [moments]int{rows, rows, rows + 1, rows + 1}
	forgets := [moments]int{rows, rows + pageSize, rows + pageSize + 1, 0}
	for i, want := range [][moments]int{exact, exact, forgets}[:len(running)] {
		r := &results[i]
		if r.totals != want {
			t.Errorf("%s counted %v, want %v", r.name, r.totals, want)
		}
		if r.fresh <= 0 || r.clock <= 0 || r.peak <= 0 || (r.disk > 0) != (i < 2) || (r.repeats > 0) != (i < 2) ||
			(r.anew > 0) != (i < 2) {
			t.Errorf("%s: a figure is missing: %+v", r.name, r)
		}
	}
	if len(running) < len(peers) {
		return // the table has a column of each
	}
	var table strings.Builder
	printTable(&table, rows, results)
	if !strings.Contains(table.String(), "| after rows came again: truth 2500 | 2500 | 2500 | **3500** |") {
		t.Errorf("the table is\n%s", &table)
	}
}
