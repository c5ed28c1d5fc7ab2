package laws

import (
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// layout says how rows of columns stand in a file, or in an answer.
type layout struct {
	rows.Layout

	names bool // the first line has the names
}

func (b *bench) layout() layout {
	l := layout{Layout: *b.feed.CSV()}
	if len(l.Columns) == 0 {
		l.Columns, l.names = b.columns, true
	}
	return l
}

// isFile says whether tests give a row of columns as a file, with the lines before it.
func (b *bench) isFile(text string) bool {
	return b.feed.Format == rows.FormatCSV && b.layout().names && strings.Contains(text, "\n")
}

// valuesOf are the values of a row of columns, by name; nil: it is a line.
func valuesOf(text string) (values map[string]any) {
	if isObject(text) {
		_ = decode(text, &values) // half an object is a line too
	}
	return values
}

// columnsOf are the columns of rows whose definition leaves them to the first line.
func columnsOf(all []*row) (columns []string) {
	for _, r := range all {
		columns = append(columns, slices.Collect(maps.Keys(valuesOf(r.text)))...)
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// document is a file of rows, or an answer.
func (b *bench) document(texts []string) string {
	format := b.feed.Format
	if len(texts) > 0 && strings.HasPrefix(texts[0], "<") { // of records that are posted it says nothing
		format = rows.FormatXML
	}
	switch format {
	case rows.FormatCSV:
		l := b.layout()
		var heading []string
		if l.names {
			heading = append(slices.Repeat([]string{"title"}, l.Titles),
				slices.Repeat([]string{l.join(l.Columns)}, 1+l.Skip)...)
		}
		return lines(append(heading, l.lines(texts)...))
	case rows.FormatXML:
		all := lines(texts)
		for i := len(b.feed.Rows) - 2; i >= 0; i-- {
			all = "<" + b.feed.Rows[i] + ">\n" + all + "</" + b.feed.Rows[i] + ">"
		}
		if len(b.feed.Rows) == 1 && len(texts) != 1 {
			all = "<kit>\n" + all + "</kit>"
		}
		return all
	case rows.FormatJSON:
		if len(b.feed.Rows) > 0 {
			document := "[" + strings.Join(texts, ",") + "]"
			for _, name := range slices.Backward(b.feed.Rows) {
				document = `{"` + name + `":` + document + "}"
			}
			return document
		}
	}
	return lines(texts)
}

func lines(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return strings.Join(texts, "\n") + "\n"
}

// lines are rows of columns as lines of CSV.
func (l *layout) lines(texts []string) (all []string) {
	for _, text := range texts {
		values := valuesOf(text)
		if values == nil {
			all = append(all, text)
			continue
		}
		fields := make([]string, len(l.Columns))
		for i, column := range l.Columns {
			if v := values[column]; v != nil {
				fields[i] = fmt.Sprint(v)
			}
		}
		all = append(all, l.join(fields))
	}
	return all
}

// strange is the name of a value that has no column; empty: each has one.
func (l *layout) strange(text string) string {
	for _, name := range slices.Sorted(maps.Keys(valuesOf(text))) {
		if !slices.Contains(l.Columns, name) {
			return name
		}
	}
	return ""
}

// join are values as a line.
func (l *layout) join(fields []string) string {
	if !l.HasQuotes() {
		return strings.Join(fields, l.Separator)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = rune(l.Separator[0])
	_ = w.Write(fields) // into memory
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}
