package laws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

var manyDigits = strings.Repeat("9", 70_000)

// damages are values that no row should have.
var damages = []struct {
	name  string
	value any
}{
	{"null", nil},
	{"missing", missing{}},
	{"huge", manyDigits},
	{"an object", map[string]any{"kit": true}},
	{"a list", []any{"kit"}},
}

// damaged: a row that can't be read is set aside, and no other.
func (b *bench) damaged() (scripts []script, why string) {
	if b.definition.SQL != nil {
		return b.damagedTables()
	}
	bad := append(b.damagedValues(), b.damagedLines()...)
	if bad == nil {
		return nil, "no value of a row that could be damaged"
	}
	// Some can be read nevertheless. One that isn't final never becomes it, and counts in the end.
	var records []*cdr.Record
	for i, r := range bad {
		r.key = fmt.Sprintf("%s damaged %d", r.key, i)
		records = append(records, r.records...)
	}
	return []script{{
		name:  fmt.Sprintf("%d damaged rows among the others", len(bad)),
		steps: []step{{rows: slices.Concat(b.base, bad)}},
		judge: func(out *played) string {
			calls, visits := b.plain.calls()
			more, moreVisits := callsOf(records, b.records)
			return out.miscounts(calls+more, visits+moreVisits)
		},
	}}, ""
}

// damagedValues are rows, each with one damaged value, for each place from which a field is taken.
func (b *bench) damagedValues() (bad []*row) {
	seen := make(map[string]bool)
	for _, source := range sources(&b.feed) {
		if seen[source.Path] {
			continue
		}
		seen[source.Path] = true
		has := func(r *row) bool { return r.counts() && withValue(r.text, source.Steps, nil) != "" }
		i := slices.IndexFunc(b.base, has)
		if i < 0 {
			continue
		}
		r := b.base[i]
		for _, d := range damages {
			value, n := d.value, len(bad)
			switch {
			case value == manyDigits:
				value = fmt.Sprint(value, n) // two rows mustn't have the same id
			case b.feed.Format == rows.FormatCSV && value != nil && value != missing{}: // a column has a text, or none
				continue
			}
			other := b.rewritten(r, b.damage(r.text, source.Steps, value, n))
			if record := other.mapped.Record; record != nil && !record.Start.Equal(r.mapped.Record.Start) {
				continue
			}
			other.name = fmt.Sprintf("%s with %s at %s", r.name, d.name, source.Path)
			bad = append(bad, other)
		}
	}
	return bad
}

// identities are the fields by which rows are known and belong together.
var identities = []string{"record.id", "record.group", "record.parent", "record.call_id", "record.channel"}

// damage is a row under new ids, with another value at a path.
func (b *bench) damage(text string, steps []string, value any, n int) string {
	var document any
	_ = decode(text, &document) // withValue has read it
	for _, source := range sources(&b.feed) {
		if !slices.Contains(identities, source.Field) {
			continue
		}
		switch was, _ := valueAt(document, source.Steps); was := was.(type) {
		case string:
			if was != "" && !strings.HasSuffix(was, fmt.Sprintf("-kit%d", n)) {
				document = put(document, source.Steps, fmt.Sprintf("%s-kit%d", was, n))
			}
		case fmt.Stringer:
			if !strings.HasSuffix(was.String(), fmt.Sprintf("0%d", 77_000+n)) {
				document = put(document, source.Steps, fmt.Sprintf("%s0%d", was, 77_000+n))
			}
		}
	}
	return encode(put(document, steps, value))
}

// damagedLines are lines that can't be read, in place of rows that are lines.
func (b *bench) damagedLines() (bad []*row) {
	if f := b.feed.Lines(); f == nil || f.Format == rows.FormatXML {
		return nil
	}
	for _, r := range b.base {
		if isObject(r.text) || r.text == "" {
			continue
		}
		for _, text := range []string{r.text[:len(r.text)/2], manyDigits, "kit \x00\xff", "{\"kit\":"} {
			if other := b.rewritten(r, text); other.rows == 1 && other.mapped.Record == nil {
				other.name = r.name + " damaged"
				bad = append(bad, other)
			}
		}
	}
	return bad
}

// ignoredHalves says that half a line of a call is ignored, since the pattern has an alternative for every line. Then
// nobody sees a call whose line has another form.
func (b *bench) ignoredHalves() string {
	if f := b.feed.Lines(); f == nil || f.Format != rows.FormatPattern {
		return ""
	}
	for _, r := range b.base {
		if r.counts() && len(r.text) > 1 && b.rewritten(r, r.text[:len(r.text)/2]).mapped.Ignored {
			return "; half of " + r.name + " is ignored, not invalid: let the pattern's last alternative match only " +
				"lines that can't be calls"
		}
	}
	return ""
}

// tableDamages are texts in place of a value of a statement. Only columns that hold any text get other ones than NULL.
var tableDamages = []struct{ name, text string }{
	{"null", "NULL"},
	{"another word", "'kit'"},
	{"70,000 digits", "'" + manyDigits + "'"},
}

// holdsTexts matches types of columns that hold any text. A column of SQLite may have no type.
var holdsTexts = regexp.MustCompile(`(?i)^$|text|char|clob|json`)

// damagedTables: a value of a row is damaged, one after the other.
func (b *bench) damagedTables() (scripts []script, why string) {
	seen, pages := make(map[string]bool), make(map[string]bool)
	for i, r := range b.base {
		others, err := b.readAll(slices.Delete(slices.Clone(b.base), i, i+1))
		if err != nil {
			return []script{{name: r.name + " is missing", judge: says(err.Error())}}, ""
		}
		for _, v := range b.valuesIn(r.text) {
			old := r.text[v.from:v.to]
			if seen[v.table+"."+v.column] || strings.EqualFold(old, "NULL") {
				continue
			}
			seen[v.table+"."+v.column] = true
			for _, d := range tableDamages {
				if d.text != "NULL" && (old[0] != '\'' || !holdsTexts.MatchString(v.typed)) {
					continue
				}
				statements := slices.Clone(b.base)
				statements[i] = b.rewritten(r, r.text[:v.from]+d.text+r.text[v.to:])
				page, judge := b.judgeTable(statements, others)
				if judge == nil || pages[page] {
					continue
				}
				pages[page] = true
				scripts = append(scripts, script{
					name:  fmt.Sprintf("%s with %s at %s", r.name, d.name, v.column),
					steps: []step{{rows: statements}}, judge: judge,
				})
			}
		}
	}
	if scripts == nil {
		return nil, "no value of a row that could be damaged"
	}
	return scripts, ""
}

// says breaks a law.
func says(problem string) func(out *played) string {
	return func(*played) string { return problem }
}

// judgeTable wants the calls of all rows that the query still gives, and among these each one of the others. It is nil
// if the database refuses the damaged value, or if the value is another time. Scripts whose query gives the same are
// played once.
func (b *bench) judgeTable(
	statements []*row, others *collector.Page,
) (gives string, judge func(out *played) string) {
	var page *collector.Page
	refused := false
	err := b.withTables(nil, func(t *tables) (err error) {
		if refused = t.fill(statements) != nil; !refused {
			page, err = t.readAll()
		}
		return err
	})
	switch {
	case refused:
		return "", nil
	case err != nil:
		return err.Error(), says("all rows are lost: " + err.Error())
	}
	for _, record := range page.Records {
		if !slices.ContainsFunc(b.records, func(o *cdr.Record) bool { return o.Start.Equal(record.Start) }) {
			return "", nil
		}
	}
	for _, record := range b.records {
		if has(others, record) && !has(page, record) {
			return "others", says("the query loses other rows")
		}
	}
	calls, visits := callsOf(page.Records, page.Records)
	gives = fmt.Sprint(len(page.Records), len(page.Invalid), len(page.Ignored), len(page.Unmapped), calls, visits)
	return gives, func(out *played) string { return out.miscounts(calls, visits) }
}
