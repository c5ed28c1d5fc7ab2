package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// printing reads a range and prints what started within it.
type printing struct {
	from, to time.Time
	currency string // of charges that don't say theirs, as when they are counted
	redactor *cdr.Redactor
	printer  *printer
	streams  streams
	// resolver asks for recordings; nil: nobody wants them.
	resolver *resolver

	seen map[string]bool // pages may repeat a row
	// begin and end are of the piece that is read: a provider may bring what lies a little
	// outside, which is another piece's.
	begin, end time.Time
	// waiting are lines that want their recordings: nothing else is asked while a page
	// is open, since a provider doesn't wait for its end as long as that may take.
	waiting []waiting
}

// waiting is a line whose recordings aren't resolved yet.
type waiting struct {
	line       *line
	recordings []recording
}

// run reads the range in pieces that the provider allows.
func (p *printing) run(ctx context.Context, feed *collector.FeedInfo) error {
	p.seen = make(map[string]bool)
	longest := feed.Reader.Limits().MaxRange
	p.begin = p.from
	for at := p.from.Truncate(time.Second); at.Before(p.to); { // readers want whole seconds
		end := p.to
		if longest > 0 && end.Sub(at) > longest {
			end = at.Add(longest)
		}
		p.end = end
		driver := collector.Driver{Reader: feed.Reader, Fetcher: feed.Fetcher, Commit: p.page, Missing: p.missed}
		err := driver.Read(ctx, at, end.Add(time.Second-1).Truncate(time.Second))
		if err == nil || ctx.Err() == nil { // what came before a failure is printed too
			err = cmp.Or(err, p.resolve(ctx))
		}
		if err != nil {
			return err
		}
		at, p.begin = end, end
	}
	return nil
}

// missed says that the provider names a record and doesn't have it.
func (p *printing) missed(task collector.Task, err error) {
	fmt.Fprintf(p.streams.errors, "record %s: left out: %v\n", task.Key, err)
}

// page prints a page, or keeps it until its recordings are known. To the reader every record is new: nothing here knows any.
func (p *printing) page(_ context.Context, page *collector.Page) (ledger.Result, error) {
	return ledger.Result{New: len(page.Records)}, p.records(page)
}

func (p *printing) records(page *collector.Page) error {
	for _, bad := range page.Invalid {
		fmt.Fprintf(p.streams.errors, "%s: left out: %s\n", bad.At, bad.Problem)
	}
	for _, record := range page.Records {
		if record.Start.Before(p.begin) || !record.Start.Before(p.end) || record.ID != "" && p.seen[record.ID] {
			continue
		}
		if record.ID != "" {
			p.seen[strings.Clone(record.ID)] = true
		}
		for i := range record.Charges {
			c := &record.Charges[i]
			c.Currency = cmp.Or(c.Currency, p.currency)
		}
		p.redactor.Redact(record)
		line, err := p.printer.line(record)
		if err != nil {
			return err
		}
		if p.resolver != nil {
			p.waiting = append(p.waiting, waiting{line, recordingsOf(record)})
			continue
		}
		if err := p.print(line, nil); err != nil {
			return err
		}
	}
	return nil
}

// resolve prints the lines that wait.
func (p *printing) resolve(ctx context.Context) error {
	for _, w := range p.waiting {
		if err := p.resolver.resolve(ctx, w.recordings); err != nil {
			return err
		}
		if err := p.print(w.line, w.recordings); err != nil {
			return err
		}
	}
	p.waiting = p.waiting[:0]
	return nil
}

func (p *printing) print(l *line, recordings []recording) error {
	if err := p.printer.print(l, recordings); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
