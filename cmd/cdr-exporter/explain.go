package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/explain"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// explainCommand lists the records that make a number.
type explainCommand struct {
	selector, from, to string
	output             string
}

func newExplain(c *kingpin.CmdClause) command {
	e := &explainCommand{}
	run := configCommand(c, e.run)
	c.Arg("selector", "Series of a counter or histogram, such as 'cdr_call_failures_total{trunk=\"sbc1\"}'.").
		Required().StringVar(&e.selector)
	c.Flag("from", "Start of the range, in the forms of --to; by default the lookback of each feed ago.").
		PlaceHolder("FROM").StringVar(&e.from)
	c.Flag("to", "End of the range: "+formsOfTimes+"; now by default.").PlaceHolder("TO").Default("0s").
		StringVar(&e.to)
	c.Flag("output", "table, csv or jsonl.").Default("table").EnumVar(&e.output, "table", "csv", "jsonl")
	return run
}

func (e *explainCommand) run(ctx context.Context, c *commandConfig, s streams) error {
	selector, err := explain.Parse(e.selector, c.labels.Names())
	if err != nil {
		return usageError{err}
	}
	redactor, err := c.redactor(ctx)
	if err != nil {
		return err
	}
	c.origins = true
	var feeds []*pastFeed
	for _, name := range c.sourceNames() {
		if !selector.Has(name, c.Source(name).ProviderName) {
			continue
		}
		source, err := c.open(name)
		if err != nil {
			return err
		}
		for i := range source.Feeds {
			info := &source.Feeds[i]
			isRead := info.Reader != nil || info.IsPostedOnly()
			if !isRead || !selector.Has(name, c.Source(name).ProviderName, info.Name) {
				continue
			}
			of := history.Feed{Source: name, Provider: c.Source(name).ProviderName, Info: info}
			feeds = append(feeds, &pastFeed{source: source, Feed: of})
		}
	}
	if len(feeds) == 0 {
		return fmt.Errorf("no feed of %s has such series; its sources are: %s", c.file,
			strings.Join(c.sourceNames(), ", "))
	}
	if feeds, err = e.choose(ctx, c, selector, feeds, s.errors); err != nil {
		return err
	}
	var all []*explain.Result
	for _, f := range feeds {
		result, err := e.explain(ctx, c, selector, f, s.errors)
		if err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return err
		}
		all = append(all, result)
	}
	if err := e.print(all, redactor, s); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if slices.ContainsFunc(all, func(r *explain.Result) bool { return !r.Proven() }) {
		return errSilent
	}
	return nil
}

// choose leaves out feeds whose records have added nothing to the series, as the ledger says, and says what is read.
// If no feed has such a series, all are read, since their records may not be counted yet.
func (e *explainCommand) choose(
	ctx context.Context, c *commandConfig, selector *explain.Selector, feeds []*pastFeed, errs io.Writer,
) (chosen []*pastFeed, err error) {
	if len(feeds) == 1 {
		return feeds, nil
	}
	i, err := c.storage.Inspect(ctx)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	var read, left []string
	for _, f := range feeds {
		feed := explain.Feed{Selector: selector, Spec: app.SpecOf(c.Source(f.Source), f.Info)}
		if !feed.MayAdd(i) {
			left = append(left, f.name())
			continue
		}
		chosen, read = append(chosen, f), append(read, f.name())
	}
	if len(chosen) == 0 {
		chosen, read, left = feeds, left, nil
	}
	fmt.Fprintf(errs, "Reading %s.\n", strings.Join(read, ", "))
	if len(left) > 0 {
		fmt.Fprintf(errs, "Not reading %s, because the ledger lacks such series of these feeds. "+
			"To list records that aren't counted yet, match one feed (feed=\"...\").\n",
			strings.Join(left, ", "))
	}
	return chosen, i.Close()
}

// explain explains the series of one feed. Whole hours are read, since the ledger remembers records by the hour.
func (e *explainCommand) explain(
	ctx context.Context, c *commandConfig, selector *explain.Selector, f *pastFeed, errs io.Writer,
) (*explain.Result, error) {
	now := time.Now() // a time of day is local
	from, to, err := parseRange(cmp.Or(e.from, f.Info.Lookback.String()), e.to, now, time.UTC)
	if err != nil {
		return nil, err
	}
	if from.After(now) {
		return nil, errRange
	}
	feed := &explain.Feed{Selector: selector, Spec: app.SpecOf(c.Source(f.Source), f.Info), From: from, To: to}
	if err := inspect(ctx, c, f, feed.Remember); err != nil {
		return nil, err
	}
	if f.Info.Reader != nil {
		span := &pastSpan{now: now, from: from.Truncate(time.Hour).Add(-explain.Margin)}
		if f.To = to.Add(time.Hour - 1).Truncate(time.Hour).Add(explain.Margin); f.To.After(now) {
			f.To = now.Add(time.Second).Truncate(time.Second)
		}
		add := func(_ *history.Feed, fact *facts.Fact) { feed.Add(fact) }
		label := func(source string, records []*cdr.Record) {
			c.labels.Apply(source, records)
			explain.Identify(records)
		}
		set := history.Settings{OnFact: add, Parties: true, CountWaiting: true, Label: label}
		if err := span.read(ctx, c, set, []*pastFeed{f}, errs, nil); err != nil {
			return nil, err
		}
	}
	var result *explain.Result
	err = inspect(ctx, c, f, func(i *ledger.Inspector) (err error) {
		result, err = feed.Prove(i, now)
		return err
	})
	return result, err
}

// inspect opens the ledger to look at a feed. It is closed while the provider is read, since a view of the ledger keeps
// old versions of its pages.
func inspect(ctx context.Context, c *commandConfig, f *pastFeed, use func(*ledger.Inspector) error) error {
	i, err := c.storage.Inspect(ctx)
	if err == nil {
		err = errors.Join(use(i), i.Close())
	}
	if err != nil {
		return fmt.Errorf("explain %s: %w", f.name(), err)
	}
	return nil
}

// entryCells are the columns of an entry.
func entryCells(entry *explain.Entry) []cell {
	r := entry.Record
	return []cell{
		{"start", r.Start},
		{"feed", entry.Source + "/" + entry.Feed},
		{"id", r.ID},
		{"caller", r.CallerNumber},
		{"callee", r.CalleeNumber},
		{"user", cmp.Or(r.UserName, r.UserPrincipal, r.UserID)}, // as incident shows it
		{"amount", entry.Amount.String()},
		{"because", entry.Because},
	}
}

// print prints the entries, and what proves their sum: of a table below it, else as messages.
func (e *explainCommand) print(all []*explain.Result, redactor *cdr.Redactor, s streams) error {
	proof := s.errors
	if e.output == "table" {
		proof = s.out
	}
	printCells, flush := cellPrinter(e.output, s.out, entryCells(&explain.Entry{Record: new(cdr.Record)}))
	for _, result := range all {
		for i := range result.Entries {
			entry := &result.Entries[i]
			if !entry.Gone {
				r := *entry.Record // facts share it
				redactor.Redact(&r)
				entry.Record = &r
			}
			if err := printCells(entryCells(entry)); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return printProof(all, proof)
}

// printProof prints the sums of all feeds, and why they differ from what the provider lists.
func printProof(all []*explain.Result, out io.Writer) error {
	var counted cdr.Money
	var total explain.Result
	known, proven, n := true, true, 0
	for _, r := range all {
		n += len(r.Entries)
		total.Listed = total.Listed.Add(&r.Listed)
		if known = known && r.Counted != nil; known {
			counted = counted.Add(r.Counted)
		}
		proven = proven && r.Proven()
		for _, d := range r.Differences {
			total.Differ(d)
		}
	}
	change := "Each was compared with the ledger, which keeps no sums of such a range."
	if known {
		change = fmt.Sprintf("The counter grew by %s.", counted.String())
	}
	verdict := "The sum is proven."
	if !proven {
		verdict = "The sum isn't proven."
	}
	records := strconv.Itoa(n) + " records add"
	if n == 1 {
		records = "1 record adds"
	}
	_, err := fmt.Fprintf(out, "\n%s %s. %s\n", records, total.Listed.String(), change)
	for _, d := range total.Differences {
		n := "Some"
		if d.Records > 0 {
			n = strconv.Itoa(d.Records)
		}
		_, err = fmt.Fprintln(out, n, d.Reason)
	}
	if err == nil {
		_, err = fmt.Fprintln(out, verdict)
	}
	return err
}
