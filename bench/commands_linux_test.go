package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// matchMB is how much memory the comparison of two million calls may take, matchSeconds how long.
const matchMB, matchSeconds = 200, 60

const matchDefinition = `provider: books
currency: EUR
files: {read: whole, format: csv}
feeds:
  calls:
    record:
      id: id
      start: {path: start, time: rfc3339}
      duration: duration
      outcome: {is: answered}
      caller: caller
      callee: callee
      charges: [{component: usage, amount: price}]
`

// BenchmarkMatch has the built binary compare two books of a month of a million calls each
// (CDR_BENCH_ROWS), CSV in any order, and reports its peak memory.
func BenchmarkMatch(b *testing.B) {
	rows := amount(b, "CDR_BENCH_ROWS", 1_000_000)
	binary, folder := buildBinary(b), b.TempDir()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // calls of a test
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		require.NoError(b, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	write("books.yaml", matchDefinition)
	config := write("config.yaml", "definitions: [books.yaml]\nsources:\n  - name: ours\n    books: {paths: "+
		"[left.csv], calls: {interval: 1m}}\n")
	for side, name := range []string{"left.csv", "right.csv"} {
		file, err := os.Create(filepath.Join(folder, name))
		require.NoError(b, err)
		out := bufio.NewWriter(file)
		fmt.Fprintln(out, "id,start,caller,callee,duration,price")
		for _, n := range random.Perm(rows) {
			call := rand.New(rand.NewPCG(9, uint64(n))) //nolint:gosec // as above
			start := from.Add(time.Duration(call.Int64N(int64(30*24*time.Hour)) +
				int64(side)*int64(700*time.Millisecond)))
			caller, callee, duration := 3_000_000+call.IntN(3_000_000), 1_000_000+call.IntN(9_000_000),
				1+call.IntN(1800)
			fmt.Fprintf(out, "%d,%s,%s4930%d,%s4940%d,%d,%d.%04d\n", n*2+side, start.Format(time.RFC3339Nano),
				[]string{"+", "00"}[side], caller,
				[]string{"+", "00"}[side], callee, duration, duration/10000, duration%10000)
		}
		require.NoError(b, out.Flush())
		require.NoError(b, file.Close())
	}
	for b.Loop() {
		var result struct {
			Classes map[string]struct{ Calls int }
		}
		c := measure(b, &result, matchMB, binary, "match", "--config.file="+config, "--left=ours/calls",
			"--right="+filepath.Join(folder, "right.csv"), "--definition="+filepath.Join(folder, "books.yaml"),
			"--from=2026-09-30", "--to=2026-11-01", "--output=json")
		if same := result.Classes["same"].Calls; same != rows || c >= matchSeconds {
			b.Fatalf("%d calls are the same, want %d; it took %.0f s", same, rows, c)
		}
		b.ReportMetric(float64(rows)/c, "calls/s")
	}
}

// reportMB is how much memory a report of a month of a million calls may take.
const reportMB = 120

// BenchmarkReport lets the built binary report on a month of a million calls (CDR_BENCH_ROWS) by trunk, country and
// day, read from the simulated Graph over HTTPS, and reports its peak memory. It takes a minute or two.
func BenchmarkReport(b *testing.B) {
	rows := amount(b, "CDR_BENCH_ROWS", 1_000_000)
	binary := buildBinary(b)
	to := time.Now().UTC().Add(-12 * time.Hour).Truncate(24 * time.Hour)
	from := to.Add(-30 * 24 * time.Hour)
	settings := simulator.Historical(9, sim.DirectRoutingMix(), from, to, rows)
	settings.Delays, settings.Revised, settings.Duplicated = nil, 0, 0
	file := writeConfig(b, startGraph(b, settings), b.TempDir(), "1h", "bench")
	for b.Loop() {
		var lines []struct{ Calls int }
		seconds := measure(b, &lines, reportMB, binary, "report", "--config.file="+file, "--by=trunk,country,day",
			"--output=json", "--from="+from.Format(time.RFC3339), "--to="+to.Format(time.RFC3339))
		calls := 0
		for _, l := range lines {
			calls += l.Calls
		}
		if calls != rows {
			b.Fatalf("%d calls are reported, want %d", calls, rows)
		}
		b.ReportMetric(float64(rows)/seconds, "rows/s")
		b.ReportMetric(float64(len(lines)), "lines")
	}
}

// measure runs a command, decodes what it prints, and reports its peak memory, which may be below most MB.
func measure(b *testing.B, into any, most float64, binary string, args ...string) (seconds float64) {
	began := time.Now()
	command := exec.CommandContext(b.Context(), binary, args...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	require.NoError(b, err)
	peak := float64(command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024 // KiB on Linux
	if peak >= most {
		b.Errorf("it took %.0f MB, more than %.0f", peak, most)
	}
	b.ReportMetric(peak, "peak-MB")
	return time.Since(began).Seconds()
}
