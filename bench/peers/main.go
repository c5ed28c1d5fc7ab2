// Command peers runs cdr-exporter and Telegraf side by side on the same rows and prints what each of them costs and
// what each of them counts:
//
//	make bench-peers [ROWS=400000] [ROUNDS=1] [DOCS=docs/sizing.md]
//
// The rows are a day of Direct Routing calls, made by the simulator of Microsoft Graph. cdr-exporter reads them over
// HTTPS into a durable ledger, without and with log records; Telegraf reads the same pages from files into a histogram in
// memory. Then a page comes again, a late row, and a restart. Each peer is configured by a file in configs.
//
// CPU time is that of the peer's process alone, start included, so that other load on the machine changes little. What
// this process costs, which serves the rows and takes the log records, is printed apart.
//
// Everything listens on loopback, and the run ends after ten minutes for each round at the latest.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	// Rows is how many rows the day has, Rounds how often the peers run in turns.
	Rows, Rounds int
	// Exporter and Telegraf are the programs, Configs the folder of their configurations.
	Exporter, Telegraf, Configs string
	// Docs is a page that the tables are written into; empty for none.
	Docs string
	// Timeout is when each round ends at the latest.
	Timeout time.Duration
	// Period is how often Telegraf gathers, aggregates and writes.
	Period time.Duration
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, problems io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.IntVar(&s.Rows, "rows", 400_000, "rows of the day")
	flags.IntVar(&s.Rounds, "rounds", 1, "how often the peers run in turns; what is printed are medians")
	flags.StringVar(&s.Exporter, "exporter", "dist/cdr-exporter", "the binary of cdr-exporter")
	flags.StringVar(&s.Telegraf, "telegraf", ".tools/bin/telegraf", "the binary of Telegraf")
	flags.StringVar(&s.Configs, "configs", "bench/peers/configs", "the folder of the configurations")
	flags.StringVar(&s.Docs, "docs", "", "a page that the tables are written into as well")
	flags.DurationVar(&s.Timeout, "timeout", 10*time.Minute, "when each round ends at the latest")
	flags.DurationVar(&s.Period, "telegraf-period", 10*time.Second, "how often Telegraf gathers, aggregates and writes; 10s is its default")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Rounds)*s.Timeout)
	defer cancel()
	results, err := compare(ctx, s, peers, problems)
	if err != nil {
		fmt.Fprintln(problems, "peers:", err)
		return 1
	}
	var tables strings.Builder
	printTable(&tables, s.Rows, results)
	fmt.Fprintln(&tables)
	printSizing(&tables, &results[0], &results[1])
	fmt.Fprint(out, tables.String())
	if s.Docs != "" {
		if err := writeTables(s.Docs, tables.String()); err != nil {
			fmt.Fprintln(problems, "peers: write the tables:", err)
			return 1
		}
	}
	return 0
}

// compare runs the peers one after the other. It says on progress what it is doing.
func compare(ctx context.Context, s settings, running []peer, progress io.Writer) ([]result, error) {
	folder, err := os.MkdirTemp("", "cdr-peers-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a folder of the system's for temporary files
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
			r, err := p.run(ctx, peerSettings{settings: s, day: day, folder: filepath.Join(folder, fmt.Sprintf("%d-%d", round, i))})
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
	name string
	run  func(context.Context, peerSettings) (result, error)
}

// peers are what runs, in this order; the last is what the others are compared with.
var peers = []peer{
	{"cdr-exporter", runExporter},
	{"cdr-exporter, logs", runExporterWithLogs},
	{"Telegraf", runTelegraf},
}

// peerSettings are what a peer runs with.
type peerSettings struct {
	settings
	day *day
	// folder is the peer's, and doesn't exist yet.
	folder string
}
