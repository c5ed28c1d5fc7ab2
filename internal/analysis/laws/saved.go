package laws

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// newest is the clock for times without a year: after all rows.
func (b *bench) newest() time.Time {
	if b.began.IsZero() {
		return time.Now() //nolint:forbidigo // a file of tests has no clock
	}
	return b.began
}

// readRows reads the rows of tests, and those that were saved.
func (b *bench) readRows(saved []byte) (err error) {
	if b.definition.SQL != nil {
		for i, text := range statements(b.tests.Tables) {
			r := &row{name: fmt.Sprintf("statement %d of tables", i+1), text: text}
			if len(text) > 6 && strings.EqualFold(text[:6], "insert") {
				b.base = append(b.base, r)
			} else {
				b.setup = append(b.setup, r)
			}
		}
		return b.readTables()
	}
	if b.rows, err = flatten(b.name, b.tests.Rows); err != nil {
		return err
	}
	texts, err := b.split(saved)
	if err != nil {
		return fmt.Errorf("read the saved rows: %w", err)
	}
	for i, text := range texts {
		b.rows = append(b.rows, &row{name: fmt.Sprintf("row %d of the saved rows", i+1), text: text})
	}
	if len(b.columns) == 0 {
		b.columns = columnsOf(b.rows)
	}
	at := make(map[string]int)
	for _, r := range b.rows {
		r.rows, r.mapped = b.readRow(r.text, r.of)
		if record := r.mapped.Record; record != nil {
			if r.at = record.Start; b.filteredBy() == "end" && !record.End.IsZero() {
				r.at = record.End
			}
			r.key = record.ID
		}
		if r.key == "" {
			r.key = r.text
		}
		i, known := at[r.key]
		switch {
		case b.isFile(r.text):
		case !known:
			at[r.key] = len(b.base)
			b.base = append(b.base, r)
		case b.base[i].mapped.Record != nil && !b.base[i].counts() && r.counts():
			b.base[i] = r
		}
		if r.at.After(b.began) {
			b.began = r.at
		}
		if record := r.mapped.Record; record != nil && record.End.After(b.began) {
			b.began = record.End
		}
	}
	// A row that stays open counts as it is once it is as old as the lookback. No law is about that.
	b.base = slices.DeleteFunc(b.base, func(r *row) bool {
		return r.mapped.Record != nil &&
			r.mapped.Record.Provisional
	})
	for _, r := range b.base { // what has no time is listed with the newest
		if r.at.IsZero() {
			r.at = b.began
		}
	}
	return nil
}

// readTables reads the rows of the tables, for their times.
func (b *bench) readTables() (err error) {
	if b.read, err = b.readShown(b.base); err != nil {
		return err
	}
	for _, r := range b.read.Records {
		b.began = latest(b.began, latest(r.Start, r.End))
	}
	for _, r := range b.read.Records {
		if len(b.base) > 0 && (b.base[0].at.IsZero() || r.Start.Before(b.base[0].at)) {
			b.base[0].at = r.Start // the oldest
		}
	}
	return nil
}

// withTables uses a database whose tables statements filled.
func (b *bench) withTables(statements []*row, use func(w world) error) error {
	path, err := os.MkdirTemp(b.folder, "")
	if err != nil {
		return err
	}
	w := (&run{bench: b, script: new(script), shown: statements}).newWorld(path)
	if err = w.show(); err == nil {
		err = use(w)
	}
	return errors.Join(err, w.close())
}

// readShown reads all rows of tables that statements fill.
func (b *bench) readShown(statements []*row) (page *collector.Page, err error) {
	err = b.withTables(statements, func(w world) (err error) {
		from, to := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
		if page, err = b.readAll(w, from, to); err != nil {
			return fmt.Errorf("run the query on tests.tables: %w", err)
		}
		return nil
	})
	return page, err
}

// cloneRecord is a record that outlives its row.
func cloneRecord(r *cdr.Record) *cdr.Record {
	clone := *r
	clone.ID, clone.CallKey, clone.Parent = strings.Clone(r.ID), strings.Clone(r.CallKey), strings.Clone(r.Parent)
	clone.CallerNumber, clone.CalleeNumber, clone.Trunk = strings.Clone(r.CallerNumber), strings.Clone(r.CalleeNumber),
		strings.Clone(r.Trunk)
	return &clone
}

// readRow maps a text of one row, whose values of the feed's `for` are given, and says how many rows the
// exporter sees in it.
func (b *bench) readRow(text string, of map[string]string) (rows int, mapped rowmap.Result) {
	mapper := b.newMapper()
	mapper.Each(of)
	if b.feed.Format == "csv" && !b.isFile(text) || strings.HasPrefix(text, "<") {
		text = b.document([]string{text}) // an element of XML stands in those around it
	}
	for rows, mapped = range mapper.Try([]byte(text)) {
	}
	if mapped.Record != nil {
		mapped.Record = cloneRecord(mapped.Record)
	}
	return rows, mapped
}

// split are the rows of a saved answer or file.
func (b *bench) split(saved []byte) (texts []string, err error) {
	if len(saved) > 0 && b.feed.Format == "xml" {
		return rows.XMLElements(saved, b.feed.Rows)
	}
	rows, err := b.newMapper().Saved(saved)
	for i := range rows {
		if texts = append(texts, string(rows[i].Raw)); b.feed.Format == "csv" {
			b.columns = rows[i].Columns
		}
	}
	return texts, err
}

// isFile says whether tests give a row of columns as a file, with the lines before it.
func (b *bench) isFile(text string) bool {
	return b.feed.Format == "csv" && b.layout().names && strings.Contains(text, "\n")
}
