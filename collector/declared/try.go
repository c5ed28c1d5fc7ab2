package declared

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Try maps saved rows, without a network: a page of JSON, a list of rows, one row, JSON lines, or
// CSV with its names in the first line. It yields each row's number, from 1, and its result. An
// error ends it.
func (m *Mapper) Try(text []byte) iter.Seq2[int, rowmap.Result] {
	return func(yield func(int, rowmap.Result) bool) {
		if all := m.feed.Combinations(m.row.Parameters); m.row.Each == nil && len(all) > 0 {
			m.row.Each = all[0] // saved rows don't say which list they come from
		}
		for _, one := range m.withLegs() {
			one.unseen, one.row.Tried = one.paths(), make(map[string]bool)
		}
		rows, err := m.Saved(text)
		for i := range rows {
			result, list := m.Map(&rows[i]), m.feed.Rows
			m.see(result.Record != nil && !result.Record.Provisional)
			whole := len(rows[i].Raw) == len(bytes.TrimSpace(text))
			if whole && len(list) > 0 && strings.HasSuffix(result.Invalid, "is missing") {
				result.Invalid += "; the text has no list at " + strings.Join(list, ".") +
					", so it was taken for one row"
			}
			if !yield(i+1, result) {
				return
			}
		}
		if err != nil {
			yield(len(rows)+1, rowmap.Result{Invalid: err.Error()})
		}
	}
}

// paths are the paths that the record's values and the feed's conditions name, with the fields of these values.
func (m *Mapper) paths() map[string]unseen {
	all := make(map[string]unseen)
	add := func(field string, paths []language.Path) {
		for _, p := range paths {
			key := strings.Join(p, ".")
			if one := all[key]; !slices.Contains(one.fields, field) {
				all[key] = unseen{p, append(one.fields, field)}
			}
		}
	}
	for field, v := range language.Values(&m.feed.Record, "") {
		add(field, v.Paths())
	}
	add(ignoreKey, m.feed.Ignore.Paths())
	add("final", m.feed.Final.Paths())
	add("whole", m.feed.Whole.Paths())
	return all
}

const ignoreKey = "ignore"

// unseen is a path at which no record has had a value yet.
type unseen struct {
	path   language.Path
	fields []string
}

// see notes where the row has values. A row that isn't a record may have what `ignore` compares.
func (m *Mapper) see(isRecord bool) {
	maps.DeleteFunc(m.unseen, func(_ string, one unseen) bool {
		_, is := m.row.Text(one.path)
		return is != language.Missing && (isRecord || slices.Contains(one.fields, ignoreKey))
	})
}

// withLegs are the mapper and the one of the legs within its rows.
func (m *Mapper) withLegs() map[string]*Mapper {
	all := map[string]*Mapper{"": m}
	if m.leg != nil {
		all["legs."] = m.leg
	}
	return all
}

// Failing are the expressions and comparisons that had no result for any row.
func (m *Mapper) Failing() (all []string) {
	for _, one := range m.withLegs() {
		for text, has := range one.row.Tried {
			if !has {
				all = append(all, text)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Unseen are the paths at which no record of the rows that were tried has a value, each with its fields.
func (m *Mapper) Unseen() (all []string) {
	for of, one := range m.withLegs() {
		for path, unseen := range one.unseen {
			slices.Sort(unseen.fields)
			all = append(all, of+path+" ("+strings.Join(unseen.fields, ", ")+")")
		}
	}
	slices.Sort(all)
	return all
}

// Saved are the rows of a text that Try maps, as they are written.
func (m *Mapper) Saved(text []byte) (saved []rows.Row, err error) {
	layout, bare := m.feed.CSV(), rows.Trimmed(text)
	hasLines := m.feed.Format == rows.FormatPattern || layout.Titles > 0
	if hasLines || len(bare) > 0 && !bytes.ContainsRune([]byte("{[<"), rune(bare[0])) {
		// blanks count in a row of one column, and blank lines may be titles
		bare = bytes.TrimRight(bytes.TrimPrefix(text, []byte("\ufeff")), "\r\n")
	}
	text = bare
	var all iter.Seq2[*rows.PlacedRow, error]
	switch {
	case len(text) == 0:
		return nil, nil
	case text[0] == '<' && m.feed.xml:
		for row, err := range rows.ReadXML(bytes.NewReader(text), m.feed.Rows) {
			if err != nil {
				return saved, err
			}
			saved = append(saved, row)
		}
		return saved, nil
	case text[0] != '{' && text[0] != '[', hasLines:
		all = rows.Of(text, layout).All()
	case rows.IsJSON(text):
		return m.savedJSON(text), nil
	case m.feed.Format == rows.FormatJSONLines:
		all = rows.Of(text, &rows.Layout{Format: rows.FormatJSONLines}).All()
	default:
		return rows.Documents(text), nil
	}
	for row, err := range all {
		if errors.Is(err, io.EOF) {
			err = errors.New("the text ends before the names of its columns")
		}
		if err != nil {
			return saved, err
		}
		saved = append(saved, row.Row)
	}
	return saved, nil
}

// savedJSON are the rows of a page, of a list, or a row by itself.
func (m *Mapper) savedJSON(text []byte) (saved []rows.Row) {
	if saved, err := m.feed.JSONRows(text); err == nil {
		return saved
	}
	if text[0] != '[' {
		return []rows.Row{{Raw: text}}
	}
	wire.Elements(text, func(raw []byte) { saved = append(saved, rows.Row{Raw: raw}) })
	return saved
}
