package bench

import (
	"encoding/json"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// reportMB is how much memory a report of a month of a million calls may take.
const reportMB = 120

// BenchmarkReport lets the built binary report on a month of a million calls (CDR_BENCH_ROWS) by
// trunk, country and day, read from the simulated Graph over HTTPS, and reports its peak memory. It
// takes a minute or two.
func BenchmarkReport(b *testing.B) {
	rows := amount(b, "CDR_BENCH_ROWS", 1_000_000)
	binary := buildBinary(b)
	to := time.Now().UTC().Add(-12 * time.Hour).Truncate(24 * time.Hour)
	from := to.Add(-30 * 24 * time.Hour)
	settings := simulator.Historical(9, sim.DirectRoutingMix(), from, to, rows)
	settings.Delays, settings.Revised, settings.Duplicated = nil, 0, 0
	server := startGraph(b, settings)
	file := writeConfig(b, server, b.TempDir(), "1h", "bench")
	for b.Loop() {
		began := time.Now()
		command := exec.CommandContext(b.Context(), binary, "report", "--config.file="+file, "--by=trunk,country,day",
			"--output=json",
			"--from="+from.Format(time.RFC3339), "--to="+to.Format(time.RFC3339))
		command.Stderr = os.Stderr
		out, err := command.Output()
		if err != nil {
			b.Fatal(err)
		}
		var lines []struct{ Calls int }
		if err := json.Unmarshal(out, &lines); err != nil {
			b.Fatal(err)
		}
		calls := 0
		for _, l := range lines {
			calls += l.Calls
		}
		if calls != rows {
			b.Fatalf("%d calls are reported, want %d", calls, rows)
		}
		usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			b.Fatal("the system doesn't tell how much memory it took")
		}
		peak := float64(usage.Maxrss) / 1024 // KiB on Linux
		if peak >= reportMB {
			b.Errorf("it took %.0f MB, more than %d", peak, reportMB)
		}
		b.ReportMetric(peak, "peak-MB")
		b.ReportMetric(float64(rows)/time.Since(began).Seconds(), "rows/s")
		b.ReportMetric(float64(len(lines)), "lines")
	}
}
