package laws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

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
func says(problem string) func(plain, out *played) string {
	return func(*played, *played) string { return problem }
}

// judgeTable wants the calls of all rows that the query still gives, and among these each one of the others. It is nil
// if the database refuses the damaged value, or if the value is another time. Scripts whose query gives the same are
// played once.
func (b *bench) judgeTable(
	statements []*row, others *collector.Page,
) (gives string, judge func(plain, out *played) string) {
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
	return gives, func(_, out *played) string { return out.miscounts(calls, visits) }
}
