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
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return file
	}
	write("books.yaml", matchDefinition)
	config := write("config.yaml", "definitions: [books.yaml]\nsources:\n  - name: ours\n    books: {paths: "+
		"[left.csv], calls: {interval: 1m}}\n")
	for side, name := range []string{"left.csv", "right.csv"} {
		file, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			b.Fatal(err)
		}
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
		if err := out.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := file.Close(); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		began := time.Now()
		command := exec.CommandContext(b.Context(), binary, "match", "--config.file="+config, "--left=ours/calls",
			"--right="+filepath.Join(folder, "right.csv"),
			"--definition="+filepath.Join(folder, "books.yaml"), "--from=2026-09-30", "--to=2026-11-01",
			"--output=json")
		command.Stderr = os.Stderr
		out, err := command.Output()
		if err != nil {
			b.Fatal(err)
		}
		var result struct {
			Classes map[string]struct{ Calls int }
		}
		if err := json.Unmarshal(out, &result); err != nil {
			b.Fatal(err)
		}
		if same := result.Classes["same"].Calls; same != rows {
			b.Fatalf("%d calls are the same, want %d", same, rows)
		}
		usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			b.Fatal("the system doesn't tell how much memory it took")
		}
		peak, seconds := float64(usage.Maxrss)/1024, time.Since(began).Seconds() // KiB on Linux
		if peak >= matchMB || seconds >= matchSeconds {
			b.Errorf("it took %.0f MB and %.0f s, more than %d or %d", peak, seconds, matchMB, matchSeconds)
		}
		b.ReportMetric(peak, "peak-MB")
		b.ReportMetric(float64(rows)/seconds, "calls/s")
	}
}
