package laws

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mostShown is how many rows that became something else are shown.
const mostShown = 10

// judgeRows compares what each row becomes with tests.
func (b *bench) judgeRows() Verdict {
	if b.definition.SQL != nil {
		return b.judgeTables()
	}
	known, differ := 0, []string(nil)
	for _, r := range b.rows {
		if r.test == nil {
			continue
		}
		known++
		if problem := b.problemOf(r); problem != "" {
			differ = append(differ, r.name+": "+problem)
		}
	}
	if more := len(differ) - mostShown; more > 0 {
		differ = append(differ[:mostShown], fmt.Sprintf("and %d more rows", more))
	}
	if len(differ) > 0 {
		return broken("%s", strings.Join(differ, "\n  "))
	}
	if known == 0 {
		return unjudged("no rows in tests")
	}
	return held("%d rows%s%s", known, b.unseen(), b.ignoredHalves())
}

// unseen names the paths at which no row has a value, so that nothing proves them; empty: there are none. Rows of
// sources with other parameters may need only a part of them.
func (b *bench) unseen() string {
	if b.variant != "" || len(b.rows) == 0 {
		return ""
	}
	all := slices.Clone(b.rows[0].unseen)
	for _, r := range b.rows {
		all = slices.DeleteFunc(all, func(path string) bool { return !slices.Contains(r.unseen, path) })
	}
	if len(all) == 0 {
		return ""
	}
	return "; none has a value at " + strings.Join(all, ", ")
}

// problemOf says what is wrong with a row, or how it became something else than tests want; empty: nothing.
func (b *bench) problemOf(r *row) string {
	if r.rows != 1 {
		return fmt.Sprintf("it is read as %d rows", r.rows)
	}
	if b.feed.Format == rows.FormatCSV {
		l := b.layout()
		if column := l.strange(r.text); column != "" {
			return fmt.Sprintf("%q isn't one of its columns", column)
		}
	}
	return b.compare(r.test, &r.mapped)
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
	all = append(all, differences(want.Becomes.Fields, m.Record, b.definition.CurrencyFor(b.values))...)
	return strings.Join(all, "; ")
}

func unknownValue(u *collector.Unmapped) string {
	return u.Field + " is unknown: no table has its value " + cdr.HideNumbers(u.Value)
}

// judgeLimits compares the limits that the definition names with those of tests.
func (b *bench) judgeLimits() Verdict {
	t, f, most, own := b.tests, b.feed.Filter, b.feed.MaxRows, ""
	if lines := b.feed.Lines(); lines != nil {
		own = lines.Read
	}
	legs := b.feed.Map != "" || b.feed.Record.Group.IsSet() || b.feed.Record.Parent.IsSet()
	within := func(own, most time.Duration) bool { return 0 < own && own <= most }
	atMost := func(n any) string { return fmt.Sprint("at most ", n) }
	atLeast := func(n any) string { return fmt.Sprint("at least ", n) }
	// A list by insertion is read up to min_age ago, and its last overlap again.
	inserted, again := b.definition.HTTP != nil && f.By == "inserted", f.Overlap.Time
	unit := b.endUnit()
	isCoarse := unit > time.Minute && f.Margin < unit
	known := 0
	for _, l := range []struct {
		key          string
		known, holds bool
		own          any
		want         string
	}{
		{"filter.by", t.By != "", f.By == t.By, f.By, t.By},
		{"filter.max_range", t.MaxRange > 0, within(f.MaxRange, t.MaxRange), f.MaxRange, atMost(t.MaxRange)},
		{"filter.retention", t.Retention > 0, within(f.Retention, t.Retention), f.Retention, atMost(t.Retention)},
		{"filter.retention", t.Retention > 0, f.Retention >= t.Retention*9/10, f.Retention, fmt.Sprint(t.Retention)},
		{"filter.min_age", t.MinAge > 0, f.MinAge >= t.MinAge, f.MinAge, atLeast(t.MinAge)},
		{"max_rows", t.MaxRows > 0, 0 < most && most <= t.MaxRows, most, atMost(t.MaxRows)},
		{"filter.overlap", t.Delay > 0 && inserted, again >= t.Delay-f.MinAge, again, atLeast(t.Delay - f.MinAge)},
		{
			"filter.grain", isCoarse && f.Grain > time.Second, f.Grain%unit == 0, f.Grain,
			fmt.Sprintf("%s, because the end in the request has that form", unit),
		},
		{"defaults.lookback", t.Delay > 0 && !inserted, b.info.Lookback >= t.Delay, b.info.Lookback, atLeast(t.Delay)},
		{"defaults.settle", t.Apart > 0 && legs, b.info.Settle >= t.Apart, b.info.Settle, atLeast(t.Apart)},
		{"files.read", t.Read != "" && own != "", own == t.Read, own, t.Read},
	} {
		switch {
		case b.info.ActiveCalls != nil || !l.known:
		case !l.holds:
			return broken("%s is %v, want %s", l.key, l.own, l.want)
		default:
			known++
		}
	}
	if known == 0 {
		return unjudged("tests name no limit")
	}
	detail := b.missingLimits(legs)
	if isCoarse && f.Grain <= time.Second {
		detail += fmt.Sprintf("; write filter.grain: %gh, unless the provider includes the end in the request",
			unit.Hours())
	}
	return held("%d limits%s", known, detail)
}

// missingLimits names what tests don't say, although the definition's lookback or settle depends on it.
func (b *bench) missingLimits(legs bool) string {
	var lacks []string
	if b.tests.Delay == 0 && (b.info.Posted == nil && b.info.Stream == nil || b.definition.HTTP != nil) {
		lacks = append(lacks, "delay")
	}
	if b.tests.Apart == 0 && legs {
		lacks = append(lacks, "apart")
	}
	if lacks == nil {
		return ""
	}
	return "; tests lack " + strings.Join(lacks, ", ")
}
