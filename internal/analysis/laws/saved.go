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
	lists := b.feed.Combinations(b.values)
	for _, r := range b.rows {
		if r.of == nil && len(lists) > 0 { // as the mapper reads it
			r.of = lists[0]
		}
		r.rows, r.mapped = b.readRow(r.text, r.of)
		if record := r.mapped.Record; record != nil {
			r.at, r.key = b.filtered(record), record.ID
			b.began = latest(b.began, latest(r.at, record.End))
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
	}
	// A row that stays open counts as it is once it is as old as the lookback. No law is about that.
	b.base = slices.DeleteFunc(b.base, func(r *row) bool {
		return r.mapped.Record != nil && r.mapped.Record.Provisional
	})
	for _, r := range b.base { // what has no time is listed with the newest
		if r.at.IsZero() {
			r.at = b.began
		}
	}
	return nil
}

// readTables reads the rows of the tables, for their times. A table whose rows never make the query give more is one
// that others refer to: its rows are there from the beginning.
func (b *bench) readTables() (err error) {
	if b.read, err = b.attach(b.base); err != nil {
		return err
	}
	gives := make(map[string]bool)
	for _, r := range b.base {
		gives[tableOf(r.text)] = gives[tableOf(r.text)] || len(r.gives)+r.rows > 0
	}
	refers := func(r *row) bool { return !gives[tableOf(r.text)] }
	for _, r := range b.base {
		if refers(r) {
			b.setup = append(b.setup, r)
		}
	}
	b.base = slices.DeleteFunc(b.base, refers)
	b.follow(b.base)
	for _, r := range b.read.Records {
		b.began = latest(b.began, latest(r.Start, r.End))
	}
	return nil
}

// follow puts each statement that makes the query give nothing to the one before.
func (b *bench) follow(statements []*row) {
	for i, r := range statements {
		if len(r.gives) == 0 && i > 0 {
			r.gives, r.at = statements[i-1].gives, statements[i-1].at
		}
	}
}

// attach runs statements one after the other, sets what each makes the query give, and the oldest start of that.
func (b *bench) attach(statements []*row) (page *collector.Page, err error) {
	known, before := make(map[string]string), 0
	err = b.withTables(func(r *run) (err error) {
		if page, err = r.readEver(); err != nil {
			return err
		}
		for i, statement := range statements {
			r.shown, statement.gives, statement.at = statements[:i+1], nil, time.Time{}
			if page, err = r.readEver(); err != nil {
				return err
			}
			statement.rows, before = rowsOf(page)-before, rowsOf(page)
			for _, record := range page.Records {
				text := fmt.Sprint(shown(record, ""))
				if known[nameOf(record)] == text {
					continue
				}
				known[nameOf(record)], statement.gives = text, append(statement.gives, record)
				if statement.at.IsZero() || record.Start.Before(statement.at) {
					statement.at = record.Start
				}
			}
		}
		return nil
	})
	return page, err
}

// withTables uses a database.
func (b *bench) withTables(use func(r *run) error) error {
	path, err := os.MkdirTemp(b.folder, "")
	if err != nil {
		return err
	}
	r := &run{bench: b, script: new(script)}
	r.world = r.newWorld(path)
	return errors.Join(use(r), r.world.close())
}

// readEver reads all rows of the tables that the shown statements fill.
func (r *run) readEver() (*collector.Page, error) {
	if err := r.world.show(); err != nil {
		return nil, err
	}
	from, to := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	page, err := r.readAll(r.world, from, to)
	if err != nil {
		return nil, fmt.Errorf("run the query on tests.tables: %w", err)
	}
	return page, nil
}

// readShown reads all rows of tables that statements fill.
func (b *bench) readShown(statements []*row) (page *collector.Page, err error) {
	err = b.withTables(func(r *run) (err error) {
		r.shown = statements
		page, err = r.readEver()
		return err
	})
	return page, err
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
