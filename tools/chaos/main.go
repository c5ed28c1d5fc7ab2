// Command chaos kills, pauses and cuts off the exporter at random, and compares its counts with
// what the simulated providers published:
//
//	go run ./tools/chaos -kills 1000
//	go run ./tools/chaos -kills 200 -replicas 3
//	go run ./tools/chaos -for 8h
//
// It builds the exporter and runs it over SQLite (as root on Linux on a small disk, which gets
// full), or several replicas over a PostgreSQL that it starts. Meanwhile calls are published,
// requests fail and connections to providers, to the database and to the OTLP endpoint break. A
// round ends after 250 kills: publication stops, and within three minutes the metrics, the log
// records and `ledger verify` must agree with the simulators' books. The next round has a new
// ledger and new calls, so that memory doesn't grow with the time. Chaos prints a line for each
// difference, leaves the ledger and the logs, and exits 1. An interrupt ends a round early; it is
// compared too.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

func main() { program.Main("chaos", run) }

// mostKills is how many kills a round has.
const mostKills = 250

// run runs rounds until all kills are done, the time is over or something differs.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(out)
	kills := flags.Int("kills", 0, "end after this number of kills (default 100, or no limit with -for)")
	limit := flags.Duration("for", 0, "end after this time")
	replicas := flags.Int("replicas", 0, "number of replicas over PostgreSQL; 0 means one process over SQLite")
	seed := flags.Uint64("seed", rand.Uint64N(1_000_000), "seed of the calls and of the faults, not of their times")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return program.InFolder("cdr-chaos-", func(folder string) error {
		return rounds(ctx, folder, *kills, *limit, *replicas, *seed, out)
	})
}

// rounds runs the rounds in a folder.
func rounds(
	ctx context.Context, folder string, kills int, limit time.Duration, replicas int, seed uint64, out io.Writer,
) error {
	file := filepath.Join(folder, "cdr-exporter")
	if err := program.Build(ctx, ".", file); err != nil {
		return err
	}
	left := cmp.Or(kills, 100)
	if limit > 0 {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx, left = limited, cmp.Or(kills, math.MaxInt)
	}
	fmt.Fprintf(out, "seed %d\n", seed)
	for number := uint64(1); left > 0 && ctx.Err() == nil; number++ {
		began := time.Now()
		r := &round{
			folder: filepath.Join(folder, fmt.Sprint("round-", number)), program: file, seed: seed + number - 1,
			kills: min(left, mostKills), replicas: replicas,
		}
		differences, err := r.run(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "round %d: %v in %s; %d calls; %d log records arrived before publication stopped; %d "+
			"differences\n",
			number, r.did(), time.Since(began).Round(time.Second), r.calls, r.delivered, len(differences))
		for _, d := range differences {
			fmt.Fprintln(out, d)
		}
		if len(differences) > 0 {
			return errors.New("the counts differ from what was published")
		}
		if err := os.RemoveAll(r.folder); err != nil {
			return err
		}
		left -= r.did()["kill"]
	}
	return nil
}
