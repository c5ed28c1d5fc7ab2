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

// openSource opens the source that --source names in a configuration file.
func openSource(c *config.Config, name, file string) (*collector.Source, error) {
	s := c.Source(name)
	if s == nil {
		return nil, fmt.Errorf("--source: no source %s in %s; there are: %s", name, file, strings.Join(sourceNames(c), ", "))
	}
	return app.OpenSource(s, app.Providers(), app.SourceSettings(s))
}

// openRedacted reads a configuration, and opens one of its sources and the redactor for what is printed of it.
func openRedacted(ctx context.Context, file, name string) (*collector.Source, *cdr.Redactor, error) {
	c, err := app.LoadConfig(file, app.Providers())
	if err != nil {
		return nil, nil, err
	}
	redactor, err := newRedactor(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	source, err := openSource(c, name, file)
	return source, redactor, err
}

// sourceNames are the names of all sources.
func sourceNames(c *config.Config) (names []string) {
	for i := range c.Sources {
		names = append(names, c.Sources[i].Name)
	}
	return names
}

// closeSource frees a source's connections.
func closeSource(source *collector.Source) {
	if source.Close != nil {
		source.Close()
	}
}

// newRedactor redacts as the exporter does: with the configured key, or with the ledger's own, which is read without its lock.
func newRedactor(ctx context.Context, c *config.Config) (*cdr.Redactor, error) {
	key, err := app.HashKey(ctx, c)
	if err != nil {
		return nil, err
	}
	if key == nil {
		where, err := app.Storage(c)
		if err != nil {
			return nil, err
		}
		glance, err := ledger.Look(ctx, where)
		if err != nil {
			return nil, err
		}
		key = glance.HashKey
	}
	return cdr.NewRedactor(app.Policy(c.Privacy), key), nil
}

// errTime doesn't repeat the input.
var errTime = errors.New("give a time as 2026-11-20T12:00:00Z (RFC 3339), a date as 2026-11-20, a time of day as 02:30, or a duration ago as 36h")

// parseTime reads RFC 3339, a date (midnight UTC), the last time that a local clock showed 02:30, or a duration ago.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	if clock, err := time.Parse("15:04", text); err == nil {
		year, month, day := now.Date()
		at := time.Date(year, month, day, clock.Hour(), clock.Minute(), 0, 0, now.Location())
		if at.After(now) {
			at = time.Date(year, month, day-1, clock.Hour(), clock.Minute(), 0, 0, now.Location())
		}
		return at.UTC(), nil
	}
	if d, err := config.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d).UTC(), nil
	}
	return time.Time{}, errTime
}

// rangeFlags defines --from and --to, which parseRange reads.
func rangeFlags(c *kingpin.CmdClause, from, to *string, otherwise, preset string) {
	c.Flag("from", "Start of the range: RFC 3339, a date, a local time of day such as 02:30, or a duration ago such as 36h.").Required().StringVar(from)
	c.Flag("to", "End of the range, in the same forms; "+otherwise+" by default.").PlaceHolder("TO").Default(preset).StringVar(to)
}

// parseRange reads --from and --to, which may be empty.
func parseRange(from, to string, now time.Time) (begin, end time.Time, err error) {
	if begin, err = parseTime(from, now); err != nil {
		return begin, end, fmt.Errorf("--from: %w", err)
	}
	if to != "" {
		if end, err = parseTime(to, now); err != nil {
			return begin, end, fmt.Errorf("--to: %w", err)
		}
	}
	return begin, end, nil
}
