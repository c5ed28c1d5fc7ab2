package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/labels"
)

// commandConfig is the configuration of a command, with the sources that it opened.
type commandConfig struct {
	*config.Config

	file      string
	storage   ledger.Storage
	providers []collector.Provider // providers that sources may use
	labels    *labels.Set
	opened    []*collector.Source
	quotas    httpclient.Quotas // shared by sources with one credential
	share     float64           // of the providers' limits that is used; 0: all
	origins   bool              // sources say what fields of records were taken from
	now       func() time.Time  // the clock of sources that are opened; nil: the local one
}

func configFlag(c *kingpin.CmdClause) *string {
	return c.Flag("config.file", "Configuration file.").Default("config.yaml").String()
}

// configCommand defines a command that reads the configuration of --config.file. It closes the
// opened sources when the command ends.
func configCommand(c *kingpin.CmdClause, run func(context.Context, *commandConfig, streams) error) command {
	file := configFlag(c)
	return func(ctx context.Context, s streams) error { return readConfig(ctx, *file, s, run) }
}

func readConfig(
	ctx context.Context, file string, s streams, run func(context.Context, *commandConfig, streams) error,
) error {
	c, providers, err := app.LoadConfig(app.Settings{ConfigFile: file}, true)
	if err != nil {
		return err
	}
	r := &commandConfig{Config: c, file: file, providers: providers}
	if r.storage, err = app.Storage(c); err != nil {
		return err
	}
	if r.labels, err = labels.Load(c.Labels); err != nil {
		return err
	}
	defer func() {
		for _, source := range r.opened {
			source.Close()
		}
	}()
	return run(ctx, r, s)
}

func (r *commandConfig) open(name string) (*collector.Source, error) {
	s := r.Source(name)
	if s == nil {
		return nil, fmt.Errorf("--source: no source %s in %s; its sources are %s", name, r.file,
			strings.Join(r.sourceNames(), ", "))
	}
	settings := app.SourceSettings(s, &r.quotas)
	settings.Share, settings.Now, settings.Origins = r.share, r.now, r.origins
	settings.LoadSecret = func(ctx context.Context) ([]byte, error) {
		return ledger.ReadSecret(ctx, r.storage, s.Name, s.RenamedFrom)
	}
	source, err := app.OpenSource(s, r.providers, settings)
	if err == nil {
		r.opened = append(r.opened, source)
	}
	return source, err
}

// advised is an error of a source's provider in words, with what to do about it.
func advised(source *collector.Source, err error) error {
	what, todo := source.Advise(err)
	return fmt.Errorf("%s; %s", what, todo)
}

func (r *commandConfig) sourceNames() (names []string) {
	for i := range r.Sources {
		names = append(names, r.Sources[i].Name)
	}
	return names
}

// redactor redacts as the exporter does: with the configured key, or with the ledger's key, which
// it reads without the ledger's lock.
func (r *commandConfig) redactor(ctx context.Context) (*cdr.Redactor, error) {
	key, err := app.HashKey(ctx, r.Config)
	if err != nil {
		return nil, err
	}
	if key == nil {
		summary, err := ledger.ReadSummary(ctx, r.storage)
		if err != nil {
			return nil, err
		}
		key = summary.HashKey
	}
	return cdr.NewRedactor(app.Policy(r.Privacy), key), nil
}

// parseTime reads a time: RFC 3339; a date, this-month or last-month, which begin at midnight in the zone; a time of
// day such as 02:30, the last one by the local clock, which now has; or a duration ago. Its error doesn't repeat the
// input.
func parseTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at.UTC(), nil
	}
	switch year, month, _ := now.In(zone).Date(); text {
	case "this-month":
		return startOfDay(year, month, 1, zone), nil
	case "last-month":
		return startOfDay(year, month-1, 1, zone), nil
	}
	if date, err := time.Parse(time.DateOnly, text); err == nil {
		return startOfDay(date.Year(), date.Month(), date.Day(), zone), nil
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
	return time.Time{}, errors.New("must be a time such as 2026-11-20T12:00:00Z (RFC 3339), a date such as " +
		"2026-11-20, this-month, last-month, a time of day such as 02:30, or a duration ago such as 36h")
}

// startOfDay is the day's midnight, or its one o'clock where clocks move forward at midnight.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	at := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if at.Day() != day { // the hour before
		_, at = at.ZoneBounds()
	}
	return at.UTC()
}

const formsOfTimes = "RFC 3339, a date, this-month, last-month, a local time of day such as 02:30, or a duration ago " +
	"such as 36h"

// rangeFlags defines --from and --to, which parseRange parses.
func rangeFlags(c *kingpin.CmdClause, from, to *string, defaultText, defaultValue string) {
	c.Flag("from", "Start of the range: "+formsOfTimes+".").Required().StringVar(from)
	c.Flag("to", "End of the range, in the same forms; default: "+defaultText+".").PlaceHolder("TO").
		Default(defaultValue).StringVar(to)
}

// parseRange parses --from and --to, which may be empty, and refuses a range that ends before it begins.
// Days and months begin in the zone.
func parseRange(from, to string, now time.Time, zone *time.Location) (begin, end time.Time, err error) {
	if begin, err = parseTime(from, now, zone); err != nil {
		return begin, end, usageError{fmt.Errorf("--from: %w", err)}
	}
	if to != "" {
		if end, err = parseTime(to, now, zone); err != nil {
			return begin, end, usageError{fmt.Errorf("--to: %w", err)}
		}
		if !begin.Before(end) {
			return begin, end, usageError{errors.New("--from must be before --to")}
		}
	}
	return begin, end, nil
}
