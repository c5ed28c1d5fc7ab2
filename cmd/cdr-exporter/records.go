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
)

// records prints call records.
type records struct {
	config, source, feed string
	from, to             string
	output               string
	recordings           bool
}

func newRecords(c *kingpin.CmdClause) command {
	r := &records{}
	c.Flag("config.file", "Configuration file.").Default("config.yaml").StringVar(&r.config)
	c.Flag("source", "Name of the source.").Required().StringVar(&r.source)
	c.Flag("feed", "Feed of the source.").Required().StringVar(&r.feed)
	c.Flag("from", "Start of the range: RFC 3339, a date, or a duration ago such as 36h.").Required().StringVar(&r.from)
	c.Flag("to", "End of the range, in the same forms; now by default.").StringVar(&r.to)
	c.Flag("output", "table, jsonl or csv.").Default("table").EnumVar(&r.output, "table", "jsonl", "csv")
	c.Flag("recordings", "Look up the type and length of recordings; their content is never requested.").BoolVar(&r.recordings)
	return r.run
}

func (r *records) run(ctx context.Context, s streams) error {
	now := time.Now()
	from, to, err := parseRange(r.from, r.to, now)
	if err != nil {
		return err
	}
	if to.IsZero() {
		to = now.UTC()
	}
	if !from.Before(to) {
		return errors.New("--from must be before --to")
	}
	c, err := app.LoadConfig(r.config, app.Providers())
	if err != nil {
		return err
	}
	redactor, err := newRedactor(ctx, c)
	if err != nil {
		return err
	}
	source, err := openSource(c, r.source, r.config)
	if err != nil {
		return err
	}
	defer closeSource(source)
	feed, err := r.find(source)
	if err != nil {
		return err
	}
	printing := &printing{
		from: from, to: to, currency: feed.Currency, redactor: redactor, printer: newPrinter(r.output, r.recordings, s.out), streams: s,
	}
	if r.recordings {
		printing.resolver = &resolver{
			ask: feed.Recording, advise: source.Advise, errors: s.errors, known: make(map[string]collector.RecordingInfo),
		}
	}
	if err := printing.run(ctx, feed); err != nil {
		what, todo := source.Advise(err)
		return fmt.Errorf("read %s/%s: %s; %s", r.source, r.feed, what, todo)
	}
	return printing.printer.close()
}

// find finds the feed, if its records can be printed.
func (r *records) find(source *collector.Source) (*collector.FeedInfo, error) {
	var names []string
	problem := fmt.Sprintf("source %s has no feed %s that can be printed", r.source, r.feed)
	for i := range source.Feeds {
		feed := &source.Feeds[i]
		switch {
		case feed.Name == r.feed && feed.Snapshot:
			problem = fmt.Sprintf("%s of source %s is calls in progress, which become records when they end", r.feed, r.source)
		case feed.Reader == nil:
		case feed.Name != r.feed:
			names = append(names, feed.Name)
		case r.recordings && feed.Recording == nil:
			return nil, errors.New("--recordings: the provider has no more data of recordings than the records of this feed; leave it out")
		default:
			return feed, nil
		}
	}
	if len(names) > 0 {
		problem += "; there are: " + strings.Join(names, ", ")
	}
	return nil, errors.New("--feed: " + problem)
}
