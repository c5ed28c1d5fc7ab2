package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/report"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// reportCommand sums the calls of a range. It reads and counts them in a temporary ledger, like a
// backfill.
type reportCommand struct {
	pastFlags

	by, timeZone string
	output       string
}

func newReport(c *kingpin.CmdClause) command {
	p := &reportCommand{}
	run := configCommand(c, p.run)
	p.define(c, "now", "0s")
	c.Flag("feed", "Feed; default: all, except those whose calls are also in another feed of the source.").
		StringVar(&p.feed)
	c.Flag("by", "Keys to sum by, separated by commas, such as trunk,country,month.").PlaceHolder("KEY,...").Required().
		StringVar(&p.by)
	c.Flag("time-zone", "Time zone of days and months, and of dates in --from and --to, such as Europe/Berlin.").
		Default("UTC").StringVar(&p.timeZone)
	c.Flag("output", "table, csv or json.").Default("table").EnumVar(&p.output, "table", "csv", "json")
	return run
}

func (p *reportCommand) run(ctx context.Context, r *commandConfig, s streams) error {
	zone, err := time.LoadLocation(p.timeZone)
	if err != nil {
		return usageError{errors.New("--time-zone: must be the name of a time zone, such as Europe/Berlin")}
	}
	sums, err := report.New(splitKeys(p.by), r.labels.Names(), zone)
	if err != nil {
		return usageError{fmt.Errorf("--by: %w", err)}
	}
	p.zone = zone
	span, feeds, err := p.open(r)
	if err != nil {
		return err
	}
	if p.feed == "" {
		feeds = withoutOverlaps(feeds)
	}
	add := func(feed *history.Feed, f *facts.Fact) { sums.Add(feed.Source, feed.Info.Name, f) }
	err = span.read(ctx, r, history.Settings{OnFact: add}, feeds, s.errors, nil)
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: nothing was summed")
	}
	if err != nil {
		return err
	}
	printLeftOut(feeds, s.errors)
	if err := printReport(sums, p.output, s.out); err != nil {
		return err
	}
	return span.reportLost(s.errors)
}

func splitKeys(text string) (keys []string) {
	for key := range strings.SplitSeq(text, ",") {
		keys = append(keys, strings.TrimSpace(key))
	}
	return keys
}

func printReport(sums *report.Report, output string, out io.Writer) (err error) {
	if output == "json" {
		err = printJSON(out, reportObjects(sums))
	} else {
		err = printReportRows(sums, output, out)
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func reportObjects(sums *report.Report) []map[string]any {
	all := []map[string]any{}
	for _, row := range sums.Rows() {
		charges := make(map[string]string)
		for _, currency := range row.Currencies() {
			charges[currency] = row.Text(currency)
		}
		object := map[string]any{
			"calls": row.Calls, "connected": row.Connected, "minutes": row.Minutes(),
			"charges": charges,
		}
		for i, key := range sums.Keys() {
			object[key] = row.Keys[i]
		}
		all = append(all, object)
	}
	return all
}

// printReportRows prints a table with a line of totals, or CSV without it, so that a spreadsheet
// can sum every column.
func printReportRows(sums *report.Report, output string, out io.Writer) error {
	write, flush := rowWriter(output, out)
	total := sums.Total()
	columns := append(slices.Clone(sums.Keys()), "calls", "connected", "minutes")
	for _, currency := range total.Currencies() {
		columns = append(columns, "charges_"+currency)
	}
	_ = write(columns) // buffered: an error shows at the flush
	line := func(keys []string, row *report.Row) {
		texts := append(slices.Clone(keys), strconv.FormatInt(row.Calls, 10), strconv.FormatInt(row.Connected, 10),
			row.Minutes())
		for _, currency := range total.Currencies() {
			texts = append(texts, row.Text(currency))
		}
		_ = write(texts)
	}
	for _, row := range sums.Rows() {
		line(row.Keys, row)
	}
	if output == "table" {
		keys := make([]string, len(sums.Keys()))
		keys[0] = "total"
		line(keys, total)
	}
	return flush()
}
