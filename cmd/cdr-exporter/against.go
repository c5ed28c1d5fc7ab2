package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// exportDefinition reads the exports of portals that are known.
//
//go:embed export.yaml
var exportDefinition []byte

// exportReader reads the records of a file in place of the provider's. Only their ids, starts and
// charges are compared. Rows of one id that follow one another are the charges of one record.
type exportReader struct{ rows collector.RangeReader }

// openExport reads the file once, prints the rows that can't be read, and says whether any row has an amount.
func (a *auditCommand) openExport(ctx context.Context, c *commandConfig, out io.Writer) (*exportReader, error) {
	opened, err := a.file.open(c, a.against, exportDefinition)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	reader := &exportReader{collector.SpanReader{Stream: opened.Stream}}
	unread := unreadRows{name: a.against, out: out}
	a.noAmounts = true
	for page, err := range reader.rows.Pages(ctx, time.Unix(0, 0), time.Now().AddDate(1, 0, 0)) {
		if err != nil {
			return nil, fmt.Errorf("--against: %w", err)
		}
		unread.add(page)
		a.noAmounts = a.noAmounts &&
			!slices.ContainsFunc(page.Records, func(r *cdr.Record) bool { return len(r.Charges) > 0 })
	}
	if err = unread.end(); err == nil && unread.records == 0 {
		err = errors.New(a.against + " has no rows")
	}
	if err != nil && a.file.definition == "" {
		err = fmt.Errorf("%w; its first line must name the columns id and start, or UsageId and Start Time, or uuid "+
			"and date; for another file say with --definition which definition reads it", err)
	}
	return reader, err
}

// Pages implements collector.RangeReader.
func (e *exportReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		var last *cdr.Record // whose charges may go on
		for rows, err := range e.rows.Pages(ctx, from, to) {
			if err != nil {
				yield(nil, fmt.Errorf("--against: %w", err))
				return
			}
			page := &collector.Page{Invalid: rows.Invalid, Ignored: rows.Ignored}
			for _, r := range rows.Records {
				if last != nil && last.ID != r.ID {
					page.Records, last = append(page.Records, last), nil
				}
				if last == nil {
					// It has no version that could be older than the counted one.
					last = &cdr.Record{ID: strings.Clone(r.ID), Start: r.Start, Version: math.MaxInt64}
					for _, id := range r.AltIDs {
						last.AltIDs = append(last.AltIDs, strings.Clone(id))
					}
				}
				for _, charge := range r.Charges {
					charge.Currency = strings.Clone(charge.Currency)
					last.Charges = append(last.Charges, charge)
				}
			}
			if !yield(page, nil) {
				return
			}
		}
		if last != nil {
			yield(&collector.Page{Records: []*cdr.Record{last}}, nil)
		}
	}
}
