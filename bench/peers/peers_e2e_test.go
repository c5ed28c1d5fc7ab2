//go:build e2e

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// TestMain lets the test's program be the loader.
func TestMain(m *testing.M) {
	if os.Getenv(loaderVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestE2ELife runs the peers of the scaled day for some seconds of one with few calls. `make packages`
// installs prometheus-sql-exporter.
func TestE2ELife(t *testing.T) {
	lives, err := compareLife(t.Context(), &settings{
		Exporter: buildExporter(t), SQLExporter: "prometheus-sql-exporter", Configs: "configs",
		Life: 5 * time.Second, LifeCalls: 3_000,
	}, t.TempDir(), t.Output())
	require.NoError(t, err)
	for _, l := range lives {
		if l.calls != l.truth || l.fresh == 0 || l.read < 5*l.fresh || l.exporter <= 0 {
			t.Errorf("%s: %+v", l.name, l)
		}
	}
	// The few commits of cdr-exporter on PostgreSQL may take less than a tick of the CPU's clock.
	if lives[0].database != 0 || lives[2].database == 0 {
		t.Errorf("the databases took %.2f s and %.2f s", lives[0].database, lives[2].database)
	}
	if lives[0].truth != lives[2].truth {
		t.Errorf("PostgreSQL was given %d calls, not %d", lives[2].truth, lives[0].truth)
	}
}

func buildExporter(t *testing.T) string {
	exporter := filepath.Join(t.TempDir(), "cdr-exporter")
	require.NoError(t, program.Build(t.Context(), ".", exporter))
	return exporter
}

// TestE2EPeers runs the peers with few rows, Telegraf among them only if it is built: `make .tools/bin/telegraf`.
func TestE2EPeers(t *testing.T) {
	telegraf, err := filepath.Abs(filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "telegraf"))
	require.NoError(t, err)
	running := peers
	if _, err := os.Stat(telegraf); errors.Is(err, fs.ErrNotExist) {
		running = peers[:2]
		t.Log("Telegraf isn't built, and building it takes too long for this test alone")
	}
	const rows = 2500 // two pages and a half
	results, err := compare(t.Context(), &settings{
		Rows: rows, Rounds: 1, Exporter: buildExporter(t), Telegraf: telegraf, Configs: "configs", Period: time.Second,
	}, t.TempDir(), running, t.Output())
	require.NoError(t, err)
	exact := [moments]int{rows, rows, rows + 1, rows + 1}
	forgets := [moments]int{rows, rows + pageSize, rows + pageSize + 1, 0}
	for i, want := range [][moments]int{exact, exact, forgets, forgets}[:len(running)] {
		r := &results[i]
		if r.totals != want {
			t.Errorf("%s counted %v, want %v", r.name, r.totals, want)
		}
		if r.fresh <= 0 || r.clock <= 0 || r.peak <= 0 || (r.disk > 0) != (i < 2) || (r.repeats > 0) != (i < 2) ||
			(r.reread > 0) != (i < 2) {
			t.Errorf("%s: a figure is missing: %+v", r.name, r)
		}
	}
	if len(running) < len(peers) {
		return // the table has a column of each
	}
	var table strings.Builder
	printTable(&table, rows, results)
	if !strings.Contains(table.String(), "| after rows came again: truth 2500 | 2500 | 2500 | **3500** | **3500** |") {
		t.Errorf("the table is\n%s", &table)
	}
}
