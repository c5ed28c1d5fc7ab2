// Command storybook serves the status page with prepared data: each verdict and edge state at its own
// address, and an index of them.
//
//	go run ./tools/storybook
//
// Ctrl-C ends it.
package main

import (
	"context"
	"flag"
	"io"
	"log/slog"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

func main() { program.Main("storybook", run) }

// run serves the stories until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("storybook", flag.ContinueOnError)
	flags.SetOutput(out)
	address := flags.String("listen", "127.0.0.1:9881", "address of the pages")
	if err := flags.Parse(args); err != nil {
		return err
	}
	handler, err := stories.Handler(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return program.Serve(ctx, *address, handler, out, "Open http://%s/ to see the stories. Ctrl-C ends it.\n")
}
