package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

func newCheckConfig(c *kingpin.CmdClause) command {
	files := c.Arg("file", "Configuration file.").Required().Strings()
	return func(_ context.Context, s streams) error { return checkConfig(*files, s) }
}

func checkConfig(files []string, s streams) (failed error) {
	for _, file := range files {
		if _, err := config.Load(file, app.ConfigOptions(app.Providers())); err != nil {
			failed = errSilent
			fmt.Fprintln(s.errors, err)
			continue
		}
		fmt.Fprintf(s.out, "%s is good\n", file)
	}
	return failed
}

func newCheckSources(c *kingpin.CmdClause) command {
	var timeout time.Duration
	run := readingCommand(c, func(ctx context.Context, r *reading, s streams) error { return checkSources(ctx, r, timeout, s) })
	c.Flag("timeout", "How long one feed may take.").Default("1m").DurationVar(&timeout)
	return run
}

func checkSources(ctx context.Context, r *reading, timeout time.Duration, s streams) error {
	table := newTable(s.out)
	fmt.Fprintln(table, "SOURCE\tPROVIDER\tFEED\tRESULT\tWHAT TO DO")
	var failed error
	for i := range r.Sources {
		c := &r.Sources[i]
		source, err := r.open(c.Name)
		if err != nil {
			fmt.Fprintf(table, "%s\t%s\t\tfailed: %v\tcorrect the configuration\n", c.Name, c.ProviderName, err)
		} else {
			err = checkFeeds(ctx, c, source, timeout, table)
		}
		if err != nil {
			failed = errSilent
		}
	}
	return errors.Join(failed, table.Flush())
}

// checkFeeds probes every feed of one source, each within the timeout, and prints a line for each.
func checkFeeds(ctx context.Context, c *config.Source, source *collector.Source, timeout time.Duration, table io.Writer) (failed error) {
	for i := range source.Feeds {
		feed := &source.Feeds[i]
		limited, cancel := context.WithTimeout(ctx, timeout)
		calls, err := feed.Probe(limited)
		cancel()
		result, todo := fmt.Sprintf("ok, %d calls in the smallest page", calls), "nothing"
		switch {
		case err != nil:
			failed = err
			what, advice := source.Advise(err)
			result, todo = "failed: "+what, advice
		case feed.ActiveCalls != nil:
			result = fmt.Sprintf("ok, %d calls in progress", calls)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", c.Name, c.ProviderName, feed.Name, result, todo)
	}
	return failed
}
