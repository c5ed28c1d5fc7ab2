package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// records prints call records.
type records struct {
	config, source, feed string
	from, to             string
	output               string
}

func newRecords(c *kingpin.CmdClause) command {
	r := &records{}
	c.Flag("config.file", "Configuration file.").Default("config.yaml").StringVar(&r.config)
	c.Flag("source", "Name of the source.").Required().StringVar(&r.source)
	c.Flag("feed", "Feed of the source.").Required().StringVar(&r.feed)
	c.Flag("from", "Begin: RFC 3339, a date, or a duration ago such as 36h.").Required().StringVar(&r.from)
	c.Flag("to", "End, as --from; now if it isn't given.").StringVar(&r.to)
	c.Flag("output", "table, jsonl or csv.").Default("table").EnumVar(&r.output, "table", "jsonl", "csv")
	return r
}

func (r *records) run(ctx context.Context, s streams) error {
	now := time.Now()
	from, to, err := parseRange(r.from, r.to, now)
	if err != nil {
		return err
	}
	c, err := app.LoadConfig(r.config, app.Providers())
	if err != nil {
		return err
	}
	redactor, err := r.redactor(ctx, c)
	if err != nil {
		return err
	}
	source, feed, err := r.open(c)
	if err != nil {
		return err
	}
	defer source.Close()
	printer := newPrinter(r.output, s.out)
	if err := r.print(ctx, feed, from, to, redactor, printer, s); err != nil {
		what, todo := source.Advise(err)
		return fmt.Errorf("read %s/%s: %s; %s", r.source, r.feed, what, todo)
	}
	return printer.close()
}

// redactor redacts as the exporter does: with the configured key, or with the
// ledger's own, which is read without its lock.
func (r *records) redactor(ctx context.Context, c *config.Config) (*cdr.Redactor, error) {
	key, err := app.HashKey(ctx, c)
	if err != nil {
		return nil, err
	}
	if key == nil {
		glance, err := ledger.Look(ctx, string(c.Storage.Path))
		if err != nil {
			return nil, err
		}
		key = glance.HashKey
	}
	return cdr.NewRedactor(app.Policy(c.Privacy), key), nil
}

// open opens the source and finds the feed.
func (r *records) open(c *config.Config) (*collector.Source, *collector.FeedInfo, error) {
	s := c.Source(r.source)
	if s == nil {
		var names []string
		for i := range c.Sources {
			names = append(names, c.Sources[i].Name)
		}
		return nil, nil, fmt.Errorf("--source: no source %s in %s; there are: %s", r.source, r.config, strings.Join(names, ", "))
	}
	source, err := app.OpenSource(s, app.Providers(), app.SourceSettings(s))
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for i := range source.Feeds {
		if source.Feeds[i].Name == r.feed && source.Feeds[i].Reader != nil {
			return source, &source.Feeds[i], nil
		}
		names = append(names, source.Feeds[i].Name)
	}
	source.Close()
	return nil, nil, fmt.Errorf("--feed: source %s has no feed %s that can be printed; there are: %s", r.source, r.feed, strings.Join(names, ", "))
}

// print reads the range in pieces that the provider allows and prints what
// started within it.
func (r *records) print(ctx context.Context, feed *collector.FeedInfo, from, to time.Time, redactor *cdr.Redactor, p printer, s streams) error {
	seen := make(map[string]bool) // ranges touch, and pages may repeat a row
	longest := feed.Reader.Limits().MaxRange
	for at := from; at.Before(to); {
		end := to
		if longest > 0 && end.Sub(at) > longest {
			end = at.Add(longest)
		}
		err := feed.Reader.Read(ctx, at, end, func(b *collector.Batch) error {
			for _, bad := range b.Invalid {
				fmt.Fprintf(s.errors, "%s: left out: %s\n", bad.At, bad.Problem)
			}
			for _, record := range b.Records {
				if record.Start.Before(from) || !record.Start.Before(to) || record.ID != "" && seen[record.ID] {
					continue
				}
				if record.ID != "" {
					seen[strings.Clone(record.ID)] = true
				}
				redactor.Redact(record)
				if err := p.record(record); err != nil {
					return fmt.Errorf("print: %w", err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		at = end
	}
	return nil
}

// parseRange reads --from and --to.
func parseRange(from, to string, now time.Time) (begin, end time.Time, err error) {
	if begin, err = parseTime(from, now); err != nil {
		return begin, end, fmt.Errorf("--from: %w", err)
	}
	end = now.UTC()
	if to != "" {
		if end, err = parseTime(to, now); err != nil {
			return begin, end, fmt.Errorf("--to: %w", err)
		}
	}
	if !begin.Before(end) {
		return begin, end, errors.New("--from must be before --to")
	}
	return begin, end, nil
}
