// Command stack shows the exporter with the programs that people run with it: simulated providers,
// the exporter, Prometheus with the shipped rules, and Alertmanager with the shipped example, all
// on this machine. A page lets a trunk fail, and shows the resulting alert and whether the numbers
// stay exact.
//
//	go run ./tools/stack
//
// The rules are the shipped ones, but time runs ten times as fast for them, and the simulated calls
// are shorter by the same factor: half an hour takes three minutes. Ctrl-C ends everything; nothing
// is kept.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

func main() {
	program.Main("stack", func(ctx context.Context, args []string, out io.Writer) error {
		if err := run(ctx, args, out); ctx.Err() == nil {
			return err
		}
		return nil // an interrupt is how it ends
	})
}

// mostSpeed keeps the windows of rates long enough for things that don't get faster: the intervals
// in which feeds are read, and how long new series show 0.
const mostSpeed = 15

// run starts everything, and ends it when the context does.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("stack", flag.ContinueOnError)
	flags.SetOutput(out)
	address := flags.String("listen", "127.0.0.1:9880", "address of the page")
	speed := flags.Int("speed", 10, "how many times faster the rules are, and shorter the calls")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *speed < 1 || *speed > mostSpeed {
		return fmt.Errorf("--speed=%d: must be from 1 to %d, since the simulation takes some seconds at any speed",
			*speed, mostSpeed)
	}
	folder, err := os.MkdirTemp("", "cdr-stack-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // temporary: the system removes it too
	s, err := start(ctx, folder, *speed, out)
	if err != nil {
		return err
	}
	defer s.close()
	return program.Serve(ctx, *address, s.handler(ctx), out,
		"Open http://%s/ and let a trunk fail. Ctrl-C ends everything.\n")
}
