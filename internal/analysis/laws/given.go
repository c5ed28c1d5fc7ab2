package laws

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// readTables reads the tables of tests. A table whose rows never make the query give more is one that others refer to:
// its rows are there from the beginning.
func (b *bench) readTables() (err error) {
	for i, text := range statements(b.tests.Tables) {
		r := &row{name: fmt.Sprintf("statement %d of tables", i+1), text: text}
		if len(text) > 6 && strings.EqualFold(text[:6], "insert") {
			b.base = append(b.base, r)
		} else {
			b.setup = append(b.setup, r)
		}
	}
	if b.page, err = b.readEach(b.base); err != nil {
		return err
	}
	b.records = b.page.Records
	adds := make(map[string]bool)
	for _, r := range b.base {
		adds[tableOf(r.text)] = adds[tableOf(r.text)] || len(r.records)+r.rows > 0
	}
	refers := func(r *row) bool { return !adds[tableOf(r.text)] }
	for _, r := range b.base {
		if refers(r) {
			b.setup = append(b.setup, r)
		}
	}
	b.base = slices.DeleteFunc(b.base, refers)
	joinPrevious(b.base)
	for _, r := range b.records {
		b.began = latest(b.began, latest(r.Start, r.End))
	}
	return nil
}

// readEach runs statements one after the other, and sets the records that each makes the query give, and their oldest
// start. The page has all of them.
func (b *bench) readEach(statements []*row) (page *collector.Page, err error) {
	known, before := make(map[string]*cdr.Record), 0
	err = b.withTables(nil, func(t *tables) (err error) {
		if page, err = t.readAll(); err != nil {
			return err
		}
		for _, r := range statements {
			if err = t.fill([]*row{r}); err != nil {
				return err
			}
			if page, err = t.readAll(); err != nil {
				return err
			}
			r.rows, before = rowsOf(page)-before, rowsOf(page)
			r.records, r.at = nil, time.Time{}
			for _, record := range page.Records {
				name := nameOf(record)
				if reflect.DeepEqual(known[name], record) {
					continue
				}
				known[name], r.records = record, append(r.records, record)
				if r.at.IsZero() || record.Start.Before(r.at) {
					r.at = record.Start
				}
			}
		}
		return nil
	})
	return page, err
}

// joinPrevious puts each statement that makes the query give nothing to the one before.
func joinPrevious(statements []*row) {
	for i, r := range statements {
		if len(r.records) == 0 && i > 0 {
			r.records, r.at = statements[i-1].records, statements[i-1].at
		}
	}
}

// readAll reads what the query gives of tables that statements fill.
func (b *bench) readAll(statements []*row) (page *collector.Page, err error) {
	err = b.withTables(statements, func(t *tables) (err error) {
		page, err = t.readAll()
		return err
	})
	return page, err
}

// judgeSeconds wants each row of the tables in a read of the very second by which the query filters.
func (b *bench) judgeSeconds() Verdict {
	if b.tests.By == "" {
		return unjudged("tests don't say which time the query filters by")
	}
	if len(b.records) == 0 {
		return unjudged("the query gives no row")
	}
	if problem := b.readSeconds(b.base); problem != "" {
		return broken("%s", problem)
	}
	return held("each of %d rows is in a read of its second", len(b.records))
}

// readSeconds reads the second of each record from tables that statements fill, and says which read lacks it; empty:
// none.
func (b *bench) readSeconds(statements []*row) (problem string) {
	err := b.withTables(statements, func(t *tables) error {
		all, err := t.readAll()
		if err != nil {
			return err
		}
		for _, record := range all.Records {
			at := b.filtered(record).Truncate(time.Second)
			page, err := t.read(at, at.Add(time.Second))
			if err != nil {
				return err
			}
			if !has(page, record) {
				problem = fmt.Sprintf("a read of the second %s lacks the row of that %s", at.Format(time.RFC3339),
					b.filteredBy())
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return err.Error()
	}
	return problem
}

func rowsOf(p *collector.Page) int { return len(p.Records) + len(p.Invalid) + len(p.Ignored) }

// has says whether a record is on a page.
func has(p *collector.Page, r *cdr.Record) bool {
	return slices.ContainsFunc(p.Records, func(o *cdr.Record) bool { return nameOf(o) == nameOf(r) })
}
