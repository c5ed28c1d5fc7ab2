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

// printing reads a range and prints the calls that started within it.
type printing struct {
	from, to time.Time
	currency string // of charges without one, as when they are counted
	redactor *cdr.Redactor
	printer  *printer
	streams  streams
	resolver *resolver // of recordings; nil: not wanted

	seen       map[string]bool // ids: pages may repeat a row
	begin, end time.Time       // of the present piece: what a provider adds around it is another piece's
}

// run reads the range in pieces that the provider allows.
func (p *printing) run(ctx context.Context, feed *collector.FeedInfo) error {
	p.seen = make(map[string]bool)
	longest := feed.Reader.Limits().MaxRange
	driver := collector.Driver{Reader: feed.Reader, Fetcher: feed.Fetcher, Commit: p.page, Missing: p.missing}
	p.begin = p.from
	for at := p.from.Truncate(time.Second); at.Before(p.to); at, p.begin = p.end, p.end { // readers want whole seconds
		if p.end = p.to; longest > 0 && p.end.Sub(at) > longest {
			p.end = at.Add(longest)
		}
		if err := driver.Read(ctx, at, p.end.Add(time.Second-1).Truncate(time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// missing reports a record that the provider lists and doesn't have.
func (p *printing) missing(task collector.Task, err error) {
	fmt.Fprintf(p.streams.errors, "record %s: left out: %v\n", task.Key, err)
}

// page prints a page. All its records are new to the reader: nothing here knows any.
func (p *printing) page(ctx context.Context, page *collector.Page) (ledger.Result, error) {
	for _, bad := range page.Invalid {
		fmt.Fprintf(p.streams.errors, "%s: left out: %s\n", bad.At, bad.Problem)
	}
	for _, record := range page.Records {
		if record.Start.Before(p.begin) || !record.Start.Before(p.end) || p.seen[record.ID] {
			continue
		}
		if record.ID != "" {
			p.seen[strings.Clone(record.ID)] = true
		}
		if err := p.print(ctx, record); err != nil {
			return ledger.Result{}, err
		}
	}
	return ledger.Result{New: len(page.Records)}, nil
}

func (p *printing) print(ctx context.Context, record *cdr.Record) error {
	for i := range record.Charges {
		c := &record.Charges[i]
		c.Currency = cmp.Or(c.Currency, p.currency)
	}
	p.redactor.Redact(record)
	var recordings []recording
	if p.resolver != nil {
		var err error
		if recordings, err = p.resolver.recordings(ctx, record); err != nil {
			return err
		}
	}
	if err := p.printer.print(record, recordings); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
