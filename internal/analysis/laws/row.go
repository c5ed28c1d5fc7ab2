package laws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// row is one row of the provider. In a database it is a statement, which may make the query give several rows more.
type row struct {
	name string            // its place in tests
	text string            // JSON, a line, an element of XML or a statement of SQL
	of   map[string]string // the values of the feed's `for`
	test *declared.TestRow // says what it becomes; nil: nothing does

	rows    int           // that its text has
	mapped  rowmap.Result // not of a statement
	unseen  []string      // paths at which it has no value, with their fields
	records []*cdr.Record // what the row gives; of a statement, what the query gives since it has run
	key     string        // which later versions of the row share; a statement has none
	at      time.Time     // by which the provider filters
}

// counts says whether the row is a record that is final.
func (r *row) counts() bool { return r.mapped.Record != nil && !r.mapped.Record.Provisional }

// begins is the time of the row, or the start of its calls if the provider filters by another one.
func (r *row) begins() time.Time {
	begins := r.at
	for _, record := range r.records {
		begins = earliest(begins, record.Start)
	}
	return begins
}

// readRows reads the rows of tests, and those that were saved.
func (b *bench) readRows(saved []byte) (err error) {
	if b.definition.SQL != nil {
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
	lists := b.feed.Combinations(b.values)
	for _, r := range b.rows {
		if r.of == nil && len(lists) > 0 { // as the mapper reads it
			r.of = lists[0]
		}
		b.mapRow(r)
		if record := r.mapped.Record; record != nil {
			r.at, r.key = b.filtered(record), record.ID
			b.began = latest(b.began, latest(r.at, record.End))
		}
		if r.key == "" {
			r.key = r.text
		}
	}
	b.chooseBase()
	return nil
}

// chooseBase takes the first final version of each row as the one that the provider has.
func (b *bench) chooseBase() {
	at := make(map[string]int)
	for _, r := range b.rows {
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
	for _, r := range b.base {
		if r.at.IsZero() { // what has no time is listed with the newest
			r.at = b.began
		}
		b.records = append(b.records, r.records...)
	}
}

// flatten lists the rows of a feed's tests, those under `but` behind theirs.
func flatten(feed string, tests []declared.TestRow) (all []*row, err error) {
	for i, t := range tests {
		if t.Feed != feed && t.Feed != "" {
			continue
		}
		base := &row{name: fmt.Sprintf("rows[%d]", i), text: string(t.Row), of: t.For, test: &t}
		all = append(all, base)
		for j, but := range t.But {
			other := &row{name: fmt.Sprintf("%s.but[%d]", base.name, j), of: t.For, test: &but}
			if but.For != nil {
				other.of = but.For
			}
			if other.text, err = amend(base.text, string(but.Row)); err != nil {
				return nil, fmt.Errorf("tests.%s.row: %w", other.name, err)
			}
			if but.Becomes.Word == "" {
				becomes := make(map[string]string)
				maps.Copy(becomes, t.Becomes.Fields)
				maps.Copy(becomes, but.Becomes.Fields)
				maps.DeleteFunc(becomes, func(_, v string) bool { return v == "" })
				but.Becomes.Fields = becomes
			}
			all = append(all, other)
		}
	}
	return all, nil
}

// mapRow maps the text of a row.
func (b *bench) mapRow(r *row) {
	mapper, text := b.newMapper(), r.text
	mapper.Each(r.of)
	if b.feed.Format == rows.FormatCSV && !b.isFile(text) || strings.HasPrefix(text, "<") {
		text = b.document([]string{text}) // an element of XML stands in those around it
	}
	r.rows, r.mapped, r.records = 0, rowmap.Result{}, nil
	for r.rows, r.mapped = range mapper.Try([]byte(text)) {
	}
	r.unseen = mapper.Unseen()
	if r.mapped.Record != nil {
		r.records = []*cdr.Record{r.mapped.Record}
	}
}

// rewritten is a row with another text.
func (b *bench) rewritten(r *row, text string) *row {
	other := *r
	if other.text = text; b.definition.SQL == nil {
		b.mapRow(&other)
	}
	return &other
}

// split are the rows of a saved answer or file.
func (b *bench) split(saved []byte) (texts []string, err error) {
	if len(saved) > 0 && b.feed.Format == rows.FormatXML {
		return rows.XMLElements(saved, b.feed.Rows)
	}
	all, err := b.newMapper().Saved(saved)
	for i := range all {
		if texts = append(texts, string(all[i].Raw)); b.feed.Format == rows.FormatCSV {
			b.columns = all[i].Columns
		}
	}
	return texts, err
}

// newMapper makes a mapper. It is for one goroutine.
func (b *bench) newMapper() *declared.Mapper {
	m := declared.NewMapper(&b.feed, declared.MapperSettings{Parameters: b.values, Zone: b.zone, Now: b.newest})
	m.Names(b.names)
	return m
}

// newest is the clock for times without a year: after all rows.
func (b *bench) newest() time.Time {
	if b.began.IsZero() {
		return time.Now() //nolint:forbidigo // a file of tests has no clock
	}
	return b.began
}

// filtered is the time of a record by which the provider filters: as tests say, or else the definition.
func (b *bench) filtered(r *cdr.Record) time.Time {
	return (&web.Filter{By: b.filteredBy()}).At(r)
}

func (b *bench) filteredBy() string {
	if b.tests.By != "" {
		return b.tests.By
	}
	return b.feed.Filter.By
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest is the earlier of two times. Zero is unknown.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
