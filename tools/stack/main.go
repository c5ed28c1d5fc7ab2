// Command stack shows the exporter with what people run around it: simulated providers,
// the exporter, Prometheus with the shipped rules, and Alertmanager with the shipped
// example, all on this machine. A page lets a trunk fail, and shows the alert that comes of
// it and whether the numbers stay exact.
//
//	go run ./tools/stack
//
// The rules are those that are shipped, but time runs ten times as fast for them, and the
// simulated calls are as much shorter: what takes half an hour in life takes three minutes.
// Ctrl-C ends everything; nothing is kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil && ctx.Err() == nil:
		fmt.Fprintln(os.Stderr, "stack:", err)
		stop()
		os.Exit(1)
	}
}

// mostSpeed leaves the windows of rates long enough for what doesn't get faster: the
// intervals in which feeds are read, and how long new series show 0.
const mostSpeed = 15

// run starts everything, and ends it when the context does.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("stack", flag.ContinueOnError)
	flags.SetOutput(out)
	address := flags.String("listen", "127.0.0.1:9880", "where the page is")
	speed := flags.Int("speed", 10, "how many times as fast the rules are, and as short the calls")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *speed < 1 || *speed > mostSpeed {
		return fmt.Errorf("--speed=%d: it is from 1 to %d, since what is simulated takes some seconds at any speed", *speed, mostSpeed)
	}
	folder, err := os.MkdirTemp("", "cdr-stack-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder; the system clears it too
	s, err := start(ctx, folder, *speed, out)
	if err != nil {
		return err
	}
	defer s.close()
	return s.serve(ctx, *address, out)
}
