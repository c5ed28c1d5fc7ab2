package laws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// judgeRows compares what each row becomes with tests.
func (b *bench) judgeRows() Verdict {
	v := Verdict{Feed: b.name, Law: "rows"}
	if b.definition.SQL != nil {
		return b.judgeTables(v)
	}
	known := 0
	for _, r := range b.rows {
		if !r.known {
			continue
		}
		known++
		if r.rows != 1 {
			return v.broken("%s: it is read as %d rows", r.name, r.rows)
		}
		if problem := b.compare(r.word, r.becomes, &r.mapped); problem != "" {
			return v.broken("%s: %s", r.name, problem)
		}
	}
	if known == 0 {
		return v.unjudged("no rows in tests")
	}
	return v.held("%d rows", known)
}

// compare says how a row became something else; empty: it didn't.
func (b *bench) compare(word string, becomes map[string]string, m *rowmap.Result) string {
	got := "a call"
	switch {
	case m.Invalid != "":
		got = "invalid"
	case m.Ignored:
		got = "ignored"
	case m.Record != nil && m.Record.Provisional:
		got = "open"
	}
	want := word
	if want == "" {
		want = "a call"
	}
	switch {
	case got != want && got == "invalid":
		return fmt.Sprintf("it is invalid (%s), want %s", m.Invalid, want)
	case got != want:
		return fmt.Sprintf("it is %s, want %s", got, want)
	case got != "a call":
		return ""
	}
	currency := ""
	if slices.ContainsFunc(strings.Split(becomes["charges"], ","), hasCurrency) { // else the row has none
		currency = b.definition.CurrencyFor(b.values)
	}
	var all []string
	for _, u := range m.Unmapped {
		all = append(all, u.Field+" is unknown: no table has its value "+cdr.HideNumbers(u.Value))
	}
	all = append(all, differences(becomes, shown(m.Record, currency))...)
	if len(all) == 0 {
		return ""
	}
	if more := len(all) - 3; more > 0 {
		all = append(all[:3], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// hasCurrency says whether a charge of tests names its currency.
func hasCurrency(charge string) bool { return len(strings.Fields(charge)) > 2 }

// judgeLimits compares the limits that the definition names with those of tests.
func (b *bench) judgeLimits() Verdict {
	v, t, f, most, own := Verdict{Feed: b.name, Law: "limits"}, b.tests, b.feed.Filter, b.feed.MaxRows, ""
	if lines := b.feed.Lines(); lines != nil {
		own = lines.Read
	}
	legs := b.feed.Map != "" || b.feed.Record.Group.IsSet() || b.feed.Record.Parent.IsSet()
	within := func(own, most time.Duration) bool { return 0 < own && own <= most }
	atMost := func(n any) string { return fmt.Sprint("at most ", n) }
	atLeast := func(n any) string { return fmt.Sprint("at least ", n) }
	// A list by insertion is read up to min_age ago, and its last overlap again.
	inserted, again := b.definition.HTTP != nil && f.By == "inserted", f.Overlap.Time
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
		{"defaults.lookback", t.Delay > 0 && !inserted, b.info.Lookback >= t.Delay, b.info.Lookback, atLeast(t.Delay)},
		{"defaults.settle", t.Apart > 0 && legs, b.info.Settle >= t.Apart, b.info.Settle, atLeast(t.Apart)},
		{"files.read", t.Read != "" && own != "", own == t.Read, own, t.Read},
	} {
		switch {
		case b.info.ActiveCalls != nil || !l.known:
		case !l.holds:
			return v.broken("%s is %v, want %s", l.key, l.own, l.want)
		default:
			known++
		}
	}
	if known == 0 {
		return v.unjudged("tests name no limit")
	}
	return v.held("%d limits%s", known, b.missingLimits(legs))
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

// judgeTables compares all rows that the query gives with tests.
func (b *bench) judgeTables(v Verdict) Verdict {
	if b.tests.Tables == "" {
		return v.unjudged("no tables in tests")
	}
	if len(b.tests.Rows) == 0 {
		return v.unjudged("no rows in tests")
	}
	page := *b.read
	page.Records = slices.Clone(page.Records)
	var wanted []declared.TestRow
	invalid := len(page.Invalid) // more than tests have
	for _, r := range b.tests.Rows {
		if r.Feed == b.name || r.Feed == "" {
			wanted = append(wanted, r)
		}
		if r.Becomes.Word == "invalid" {
			invalid--
		}
	}
	if got := len(page.Records) + len(page.Invalid) + len(page.Ignored); got != len(wanted) {
		return v.broken("the query gives %d rows, want %d", got, len(wanted))
	}
	words := map[string]int{"ignored": len(page.Ignored), "invalid": len(page.Invalid)}
	for _, record := range page.Records {
		if record.Provisional {
			words["open"]++
		}
	}
	for i, r := range wanted {
		if word := r.Becomes.Word; word != "" {
			if words[word]--; words[word] < 0 {
				return v.broken("rows[%d]: fewer rows of the query are %s than tests have", i, word)
			}
			continue
		}
		nearest, at := "", -1
		for j, record := range page.Records {
			problem := b.compare("", r.Becomes.Fields, &rowmap.Result{Record: record})
			if problem == "" {
				at = j
				break
			}
			if r.Becomes.Fields["id"] == record.ID || nearest == "" {
				nearest = problem
			}
		}
		if at < 0 && invalid > 0 {
			return v.broken("rows[%d]: no row of the query becomes this; one of its rows is invalid: %s", i,
				page.Invalid[0].Problem)
		}
		if at < 0 {
			return v.broken("rows[%d]: no row of the query becomes this; the nearest differs: %s", i, nearest)
		}
		page.Records = slices.Delete(page.Records, at, at+1)
	}
	if len(page.Unmapped) > 0 {
		return v.broken("%s is unknown: no table has its value %s", page.Unmapped[0].Field,
			cdr.HideNumbers(page.Unmapped[0].Value))
	}
	return v.held("%d rows", len(wanted))
}

// judgeSeconds wants each row of the tables in a read of the very second by which the query filters.
func (b *bench) judgeSeconds(v Verdict) Verdict {
	if b.tests.By == "" {
		return v.unjudged("tests don't say which time the query filters by")
	}
	if len(b.read.Records) == 0 {
		return v.unjudged("the query gives no row")
	}
	if problem := b.readSeconds(b.base); problem != "" {
		return v.broken("%s", problem)
	}
	return v.held("each of %d rows is in a read of its second", len(b.read.Records))
}

// readSeconds reads the second of each record from tables that statements fill, and says which read lacks it; empty:
// none.
func (b *bench) readSeconds(statements []*row) (problem string) {
	err := b.withTables(func(r *run) error {
		r.shown = statements
		all, err := r.readEver()
		if err != nil {
			return err
		}
		for _, record := range all.Records {
			at := b.filtered(record).Truncate(time.Second)
			page, err := b.readAll(r.world, at, at.Add(time.Second))
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

// filtered is the time of a record by which the provider filters.
func (b *bench) filtered(r *cdr.Record) time.Time {
	if b.filteredBy() == "end" && !r.End.IsZero() {
		return r.End
	}
	return r.Start
}

// readAll reads the rows of a database in a span.
func (b *bench) readAll(w world, from, to time.Time) (*collector.Page, error) {
	_, source, err := b.openSource(w.block(), time.Hour, collector.SourceSettings{
		Now: func() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	all := new(collector.Page)
	d := collector.Driver{Reader: source.Feeds[0].Reader, Commit: func(_ context.Context, page *collector.Page) error {
		all.Records, all.Invalid = append(all.Records, page.Records...), append(all.Invalid, page.Invalid...)
		all.Ignored, all.Unmapped = append(all.Ignored, page.Ignored...), append(all.Unmapped, page.Unmapped...)
		return nil
	}}
	return all, d.Read(context.Background(), from, to)
}
