// Command peers runs cdr-exporter and its peers on the same rows and prints the cost and the counts
// of each:
//
//	make bench-peers [ROWS=100000] [ROUNDS=1] [LIFE=12m] [DOCS=docs/sizing.md]
//
// The rows are Direct Routing calls, made by the simulator of Microsoft Graph. A file in configs
// configures each peer.
//
// First, new rows: cdr-exporter reads a day of them over HTTPS and gzip into a durable ledger,
// without and with log records. Telegraf reads the same pages from the same server into a histogram
// in memory. Then a page comes again, a late row, and a restart.
//
// Second, calls over their life: see life.go.
//
// CPU time is the peer's processes only, so that other load on the machine changes little. The cost
// of this process, which serves the rows and receives the log records, is printed separately.
//
// Everything listens on loopback, and each round ends after ten minutes at the latest.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// settings are the flags.
type settings struct {
	// Rows is the number of rows of the day, Rounds how often the peers run in turns.
	Rows, Rounds int
	// Exporter, Telegraf and SQLExporter are the programs, Configs the folder of their configurations.
	Exporter, Telegraf, SQLExporter, Configs string
	// Life is how much of the scaled day is read; zero leaves the comparison with PostgreSQL out.
	Life time.Duration
	// LifeCalls is the number of calls of that day.
	LifeCalls int
	// Docs is a page to write the tables into, or empty.
	Docs string
	// Period is how often Telegraf gathers, aggregates and writes.
	Period time.Duration
}

// roundTimeout is the time limit of each round.
const roundTimeout = 10 * time.Minute

func main() {
	if os.Getenv(loaderVariable) != "" {
		program.Main("loader", load)
	} else {
		program.Main("peers", run)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s := settings{
		Telegraf: ".tools/bin/telegraf", SQLExporter: "prometheus-sql-exporter", Configs: "bench/peers/configs",
		LifeCalls: 100_000, Period: 10 * time.Second, // Telegraf's default
	}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&s.Rows, "rows", 100_000, "rows of the day")
	flags.IntVar(&s.Rounds, "rounds", 1, "how often the peers run in turns; the output has medians")
	flags.StringVar(&s.Exporter, "exporter", "dist/cdr-exporter", "the binary of cdr-exporter")
	flags.DurationVar(&s.Life, "life", 12*time.Minute,
		"part of the scaled day of 24m for the comparison with PostgreSQL; the deepest reads come each 12m")
	flags.StringVar(&s.Docs, "docs", "", "a page to write the tables into, in addition")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Rounds)*roundTimeout+5*s.Life+5*time.Minute)
	defer cancel()
	var tables strings.Builder
	err := program.InFolder("cdr-peers-", func(folder string) error { return measure(ctx, &s, folder, &tables) })
	if err != nil {
		return err
	}
	fmt.Fprint(out, tables.String())
	if s.Docs == "" {
		return nil
	}
	return writeTables(s.Docs, tables.String())
}

// measure runs all peers and prints their tables.
func measure(ctx context.Context, s *settings, folder string, tables io.Writer) error {
	results, err := compare(ctx, s, folder, peers, os.Stderr)
	if err != nil {
		return err
	}
	printTable(tables, s.Rows, results)
	fmt.Fprintln(tables)
	printSizing(tables, &results[0], &results[1])
	if s.Life == 0 {
		return nil
	}
	lives, err := compareLife(ctx, s, filepath.Join(folder, "life"), os.Stderr)
	if err != nil {
		return fmt.Errorf("a day: %w", err)
	}
	fmt.Fprintln(tables)
	printLife(tables, s, lives)
	return nil
}

// compare runs the peers one after the other in a folder, and reports the progress.
func compare(
	ctx context.Context, s *settings, folder string, running []peer, progress io.Writer,
) ([]result, error) {
	fmt.Fprintf(progress, "making %d rows\n", s.Rows)
	day, err := makeDay(ctx, time.Now(), s.Rows)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "%d bytes a row\n", day.bytes()/len(day.rows))
	results := make([][]result, len(running))
	for round := range s.Rounds {
		for i, p := range running {
			fmt.Fprintf(progress, "round %d: %s\n", round+1, p.name)
			before := ownCPU()
			r, err := p.run(ctx, &peerRun{
				settings: *s, day: day, folder: filepath.Join(folder, fmt.Sprintf("%d-%d", round, i)),
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			r.name, r.served = p.name, (ownCPU() - before).Seconds()
			results[i] = append(results[i], r)
		}
	}
	medians := make([]result, len(running))
	for i := range results {
		medians[i] = median(results[i])
	}
	return medians, nil
}

// peer is a program that counts the rows.
type peer struct {
	name, config string
	logs         bool
	measure      func(context.Context, *peerRun, *result) error
}

// peers are the peers in the order of running: without log records and with them, first ours, then
// the peer that each is compared with.
var peers = []peer{
	{"cdr-exporter", "cdr-exporter.yaml", false, measureExporter},
	{"cdr-exporter, logs", "cdr-exporter-logs.yaml", true, measureExporter},
	{"Telegraf", "telegraf.conf", false, measureTelegraf},
	{"Telegraf, logs", "telegraf-logs.conf", true, measureTelegraf},
}
