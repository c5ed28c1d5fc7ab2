package laws

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// judgeRows compares what each row becomes with tests.
func (b *bench) judgeRows() Verdict {
	if b.definition.SQL != nil {
		return b.judgeTables()
	}
	known := 0
	for _, r := range b.rows {
		if r.test == nil {
			continue
		}
		known++
		if r.rows != 1 {
			return broken("%s: it is read as %d rows", r.name, r.rows)
		}
		if problem := b.compare(r.test, &r.mapped); problem != "" {
			return broken("%s: %s", r.name, problem)
		}
	}
	if known == 0 {
		return unjudged("no rows in tests")
	}
	return held("%d rows", known)
}

// judgeTables compares all rows that the query gives with tests.
func (b *bench) judgeTables() Verdict {
	if b.tests.Tables == "" {
		return unjudged("no tables in tests")
	}
	if len(b.tests.Rows) == 0 {
		return unjudged("no rows in tests")
	}
	page, left := b.page, slices.Clone(b.page.Records)
	words := map[string]int{"ignored": len(page.Ignored), "invalid": len(page.Invalid)}
	for _, record := range page.Records {
		if record.Provisional {
			words["open"]++
		}
	}
	invalid := words["invalid"] // more than tests have
	wanted := make(map[int]*declared.TestRow)
	for i, r := range b.tests.Rows {
		if r.Feed != b.name && r.Feed != "" {
			continue
		}
		if wanted[i] = &r; r.Becomes.Word == "invalid" {
			invalid--
		}
	}
	if got := rowsOf(page); got != len(wanted) {
		return broken("the query gives %d rows, want %d", got, len(wanted))
	}
	for _, i := range slices.Sorted(maps.Keys(wanted)) {
		if word := wanted[i].Becomes.Word; word != "" {
			if words[word]--; words[word] < 0 {
				return broken("rows[%d]: fewer rows of the query are %s than tests have", i, word)
			}
			continue
		}
		at, nearest := b.nearest(wanted[i], left)
		switch {
		case at >= 0:
			left = slices.Delete(left, at, at+1)
		case invalid > 0:
			return broken("rows[%d]: no row of the query becomes this; one of its rows is invalid: %s", i,
				page.Invalid[0].Problem)
		default:
			return broken("rows[%d]: no row of the query becomes this; the nearest differs: %s", i, nearest)
		}
	}
	if len(page.Unmapped) > 0 {
		return broken("%s", unknownValue(&page.Unmapped[0]))
	}
	return held("%d rows", len(wanted))
}

// nearest finds the record that a row of tests wants, or says how the nearest one differs.
func (b *bench) nearest(want *declared.TestRow, records []*cdr.Record) (at int, differs string) {
	for i, record := range records {
		problem := b.compare(want, &rowmap.Result{Record: record})
		if problem == "" {
			return i, ""
		}
		if differs == "" || want.Becomes.Fields["id"] == record.ID {
			differs = problem
		}
	}
	return -1, cmp.Or(differs, "no other row is a call")
}

// compare says how a row became something else than tests want; empty: it didn't.
func (b *bench) compare(want *declared.TestRow, m *rowmap.Result) string {
	const call = "a call"
	wanted, got := cmp.Or(want.Becomes.Word, call), call
	switch {
	case m.Invalid != "":
		got = "invalid"
	case m.Ignored:
		got = "ignored"
	case m.Record != nil && m.Record.Provisional:
		got = "open"
	}
	switch {
	case got != wanted && got == "invalid":
		return fmt.Sprintf("it is invalid (%s), want %s", m.Invalid, wanted)
	case got != wanted:
		return fmt.Sprintf("it is %s, want %s", got, wanted)
	case got != call:
		return ""
	}
	var all []string
	for _, u := range m.Unmapped {
		all = append(all, unknownValue(&u))
	}
	all = append(all, want.Becomes.Differences(m.Record, b.definition.CurrencyFor(b.values))...)
	if more := len(all) - 3; more > 0 {
		all = append(all[:3], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

func unknownValue(u *collector.Unmapped) string {
	return u.Field + " is unknown: no table has its value " + cdr.HideNumbers(u.Value)
}
