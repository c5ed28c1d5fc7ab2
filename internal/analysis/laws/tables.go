package laws

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// value is a value in a statement: its column, with the column's type, and where it stands.
type value struct {
	table, column, typed string
	from, to             int
}

var tokens = regexp.MustCompile(`'(?:[^']|'')*'|[(),]|[^\s(),']+`)

// fields are what stands between the commas of each outer pair of brackets: where each begins and ends.
func fields(text string) (groups [][][2]int) {
	depth, first := 0, false
	for _, at := range tokens.FindAllStringIndex(text, -1) {
		token := text[at[0]:at[1]]
		if token == ")" {
			depth--
		}
		switch last := len(groups) - 1; {
		case depth == 0 && token == "(":
			groups, first = append(groups, nil), true
		case depth == 1 && token == ",":
			first = true
		case depth > 0 && first:
			groups[last], first = append(groups[last], [2]int(at)), false
		case depth > 0:
			groups[last][len(groups[last])-1][1] = at[1]
		}
		if token == "(" {
			depth++
		}
	}
	return groups
}

// valuesIn are the values that a statement inserts.
func (b *bench) valuesIn(text string) (all []value) {
	table, groups := tableOf(text), fields(text)
	types := make(map[string]string)
	var columns []string
	for _, r := range b.setup {
		made, found := fields(r.text), tableIn.FindStringSubmatch(r.text)
		if found == nil || !strings.EqualFold(found[1], table) || len(made) == 0 {
			continue
		}
		for _, at := range made[0] {
			words := append(strings.Fields(r.text[at[0]:at[1]]), "")
			columns = append(columns, words[0])
			types[words[0]] = words[1]
		}
	}
	if named, _, _ := strings.Cut(text, "("); len(groups) > 0 && !strings.Contains(strings.ToUpper(named), "VALUES") {
		columns = nil
		for _, at := range groups[0] {
			columns = append(columns, text[at[0]:at[1]])
		}
		groups = groups[1:]
	}
	for _, group := range groups {
		for i, at := range group[:min(len(group), len(columns))] {
			all = append(all, value{table, columns[i], types[columns[i]], at[0], at[1]})
		}
	}
	return all
}

// movedTables are the statements of tests, all of whose times are later; nil: they can't be written so.
func (b *bench) movedTables(by time.Duration) (all []*row) {
	for _, r := range b.base {
		other := *r
		for _, v := range slices.Backward(b.valuesIn(r.text)) {
			text := strings.Trim(r.text[v.from:v.to], "'")
			if at := b.movedTime(text, by); at != "" {
				other.text = other.text[:v.from] + strings.Replace(r.text[v.from:v.to], text, at, 1) + other.text[v.to:]
			}
		}
		all = append(all, &other)
	}
	page, err := b.attach(all)
	if err != nil || len(page.Records) != len(b.read.Records) {
		return nil
	}
	for i, r := range page.Records { // a time in an hour that comes twice may mean the other one
		if off := r.Start.Sub(b.read.Records[i].Start) - by; off.Abs() > time.Hour {
			return nil
		}
	}
	b.follow(all)
	return all
}

// inTables is how tables write times that no field is taken from.
var inTables = declared.TimesOf(time.DateTime, "rfc3339", "unix")

var unixTime = regexp.MustCompile(`^1[5-9]\d{8}(\d{3}){0,2}$`)

// movedTime is a time in a form that the definition or a database knows, moved; empty: it isn't one.
func (b *bench) movedTime(text string, by time.Duration) string {
	if !strings.ContainsAny(text, "-:/") && !unixTime.MatchString(text) {
		return ""
	}
	for _, source := range append(b.feed.Sources(), inTables) {
		if at := source.Shift(text, by, b.zone); at != "" {
			return at
		}
	}
	return ""
}

// damages of a table: none is in a column whose type can't hold it.
var tableDamages = []struct{ name, text string }{
	{"null", "NULL"},
	{"another word", "'kit'"},
	{"70,000 digits", "'" + strings.Repeat("9", 70_000) + "'"},
}

// damagedTables: a value of a row is damaged, one after the other.
func (b *bench) damagedTables() (scripts []script, why string) {
	seen, pages := make(map[string]bool), make(map[string]bool)
	for i, r := range b.base {
		others, err := b.readShown(slices.Delete(slices.Clone(b.base), i, i+1))
		if err != nil {
			return []script{{name: r.name + " is missing", judge: says(err.Error())}}, ""
		}
		for _, v := range b.valuesIn(r.text) {
			if seen[v.table+"."+v.column] || strings.EqualFold(r.text[v.from:v.to], "NULL") {
				continue
			}
			seen[v.table+"."+v.column] = true
			for _, d := range tableDamages {
				if d.text != "NULL" && (r.text[v.from] != '\'' || !holdsTexts.MatchString(v.typed)) {
					continue
				}
				other := *r
				other.text = r.text[:v.from] + d.text + r.text[v.to:]
				s := script{name: fmt.Sprintf("%s with %s at %s", r.name, d.name, v.column)}
				rows := slices.Clone(b.base)
				rows[i] = &other
				var page string
				if page, s.judge = b.judgeTable(rows, others); s.judge != nil && !pages[page] {
					pages[page] = true
					s.steps = []step{{rows: rows}}
					scripts = append(scripts, s)
				}
			}
		}
	}
	if scripts == nil {
		return nil, "no value of a row that could be damaged"
	}
	return scripts, ""
}

// holdsTexts matches types of columns that hold any text. A column of SQLite may have no type.
var holdsTexts = regexp.MustCompile(`(?i)^$|text|char|clob|json`)

// says breaks a law.
func says(problem string) func(b *bench, plain, out *played) string {
	return func(*bench, *played, *played) string { return problem }
}

// judgeTable wants the calls of all rows that the query still gives, and among these each one of the others. It is nil
// if the database refuses the damaged value, or if the value is another time. Scripts whose query gives the same are
// played once.
func (b *bench) judgeTable(
	rows []*row, others *collector.Page,
) (gives string, judge func(b *bench, plain, out *played) string) {
	var page *collector.Page
	refused := false
	err := b.withTables(func(r *run) (err error) {
		r.shown = rows
		if refused = r.world.show() != nil; !refused {
			page, err = r.readEver()
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
		if !slices.ContainsFunc(b.read.Records, func(o *cdr.Record) bool { return o.Start.Equal(record.Start) }) {
			return "", nil
		}
	}
	for _, record := range b.read.Records {
		if has(others, record) && !has(page, record) {
			return "others", says("the query loses other rows")
		}
	}
	calls, visits := callsOf(page.Records)
	gives = fmt.Sprint(len(page.Records), len(page.Invalid), len(page.Ignored), len(page.Unmapped), calls, visits)
	return gives, func(_ *bench, _, out *played) string { return out.miscounts(calls, visits) }
}

func rowsOf(p *collector.Page) int { return len(p.Records) + len(p.Invalid) + len(p.Ignored) }

// nameOf tells a record of a database from the others.
func nameOf(r *cdr.Record) string {
	return cmp.Or(r.ID, fmt.Sprint(r.Start, r.CallerNumber, r.CalleeNumber))
}

// has says whether a record is on a page.
func has(p *collector.Page, r *cdr.Record) bool {
	return slices.ContainsFunc(p.Records, func(o *cdr.Record) bool { return nameOf(o) == nameOf(r) })
}

// callsOf counts the calls and visits of records of a database.
func callsOf(records []*cdr.Record) (calls, visits float64) {
	known := make(map[string]bool)
	for i, r := range records {
		call := cmp.Or(callOf(r, slices.Values(records)), "row "+cmp.Or(r.ID, fmt.Sprint("number ", i)))
		if visits += float64(len(r.Visits)); !r.NoCall && !known[call] {
			known[call] = true
			calls++
		}
	}
	return calls, visits
}
