// Command compare runs the exporter of an earlier commit and of this tree on the same simulated
// providers, and compares their counts:
//
//	go run ./tools/compare -commit v1.4.0
//
// Both have the demo's configuration, each with its own ledger. They read a history first, then
// what is published in steps: late calls, revisions, repeats, groups and call records with their
// calls. After each step all counters and histograms of calls and all log records must become the
// same. Compare prints a line for each difference, keeps the ledgers and the logs, and exits 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

func main() { program.Main("compare", run) }

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(out)
	commit := flags.String("commit", "",
		"the earlier commit, as git names it; if empty, this tree's exporter runs twice")
	steps := flags.Int("steps", 4, "how often calls are published after the history")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return program.InFolder("cdr-compare-", func(folder string) error {
		programs := [2]string{filepath.Join(folder, "earlier"), filepath.Join(folder, "present")}
		if err := buildCommit(ctx, folder, *commit, programs[0]); err != nil {
			return err
		}
		if err := program.Build(ctx, ".", programs[1]); err != nil {
			return err
		}
		return compare(ctx, folder, programs, *steps, out)
	})
}

// buildCommit builds the exporter of a commit, or of this tree if it is empty.
func buildCommit(ctx context.Context, folder, commit, file string) error {
	if commit == "" {
		return program.Build(ctx, ".", file)
	}
	tree, archive := filepath.Join(folder, "tree"), filepath.Join(folder, "tree.tar")
	for _, args := range [][]string{
		{"git", "archive", "--output=" + archive, commit}, {"mkdir", tree}, {"tar", "-xf", archive, "-C", tree},
	} {
		if output, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("take the files of %s out of git: %w\n%s", commit, err, output)
		}
	}
	return program.Build(ctx, tree, file)
}

// stepTime is the minimum duration of a step: until the reads that go back far enough have found
// the calls published in it.
const stepTime = 40 * time.Second

// settleTimeout is how long the exporters may take to become equal.
const settleTimeout = 2 * time.Minute

// mostShown is the number of differences printed.
const mostShown = 20

// compare starts the providers and both programs, and compares after each step.
func compare(ctx context.Context, folder string, programs [2]string, steps int, out io.Writer) error {
	providers, err := demo.Start(demo.Settings{Change: quick})
	if err != nil {
		return err
	}
	defer providers.Close()
	hook, err := simulator.FreeAddress(ctx)
	if err != nil {
		return err
	}
	config, err := providers.Configure(folder, filepath.Join(folder, "ledger"), hook)
	if err != nil {
		return err
	}
	providers.Pause()
	var both [2]*exporter
	for i, file := range programs {
		if both[i], err = startExporter(ctx, file, config, hook); err != nil {
			return err
		}
		defer both[i].close()
	}
	for step := range steps + 1 {
		if step > 0 {
			if err := publish(ctx, providers); err != nil {
				return err
			}
		}
		counted, differences, err := settle(ctx, both)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "step %d: %d calls and %d log records; %d differences\n", step,
			counted.Sum("cdr_calls_total")/1e6, len(counted[logRecords]), len(differences))
		if len(differences) > 0 {
			return fmt.Errorf("the counts differ from the earlier program's; the first differences are:\n%s",
				strings.Join(differences[:min(len(differences), mostShown)], "\n"))
		}
	}
	return nil
}

// quick changes a world of calls: all calls, late ones too, are published and revised within a
// step's time. The first one starts after the origins of both programs, which differ by the time
// that a program takes to start.
func quick(s *simulator.Settings) {
	s.From = time.Now().Add(-2 * time.Hour)
	s.Delays = []simulator.Delay{{Weight: 9, Max: 2 * time.Second}, {Weight: 1, Max: 12 * time.Second}}
	s.MaxLate, s.Revised, s.RevisedAfterMin, s.RevisedAfterMax = 0, 0.1, 5*time.Second, 30*time.Second
	for _, kinds := range [][]simulator.Kind{s.Mix.Kinds, s.Mix.Incident} {
		for i := range kinds {
			k := &kinds[i]
			if k.Ring = min(k.Ring, 2*time.Second); k.Outcome.Connected() && !k.Instant {
				k.Fixed = time.Duration(1+i%5) * time.Second
			}
		}
	}
}

// publish publishes what was held back until now.
func publish(ctx context.Context, p *demo.Providers) error {
	p.PBX.Resume()
	err := wait(ctx, 2*time.Second) // the PBX writes every second
	p.Resume()
	p.Pause()
	return err
}

// wait waits for a time, and fails if the context ends first.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// settle waits until both have had equal counts for a while, or the time is over.
func settle(ctx context.Context, both [2]*exporter) (counted simulator.Tables, differences []string, err error) {
	begin := time.Now()
	for {
		if err := wait(ctx, 2*time.Second); err != nil {
			return nil, nil, err
		}
		var looks [2]simulator.Tables
		for i, x := range both {
			if looks[i], err = x.look(ctx); err != nil {
				return nil, nil, err
			}
		}
		differences = harness.Differences(looks[1], looks[0])
		moved := harness.Differences(looks[0], counted)
		counted = looks[0]
		if len(differences) == 0 && len(moved) == 0 && time.Since(begin) > stepTime ||
			time.Since(begin) > settleTimeout {
			return counted, differences, nil
		}
	}
}
