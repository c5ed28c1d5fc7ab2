package declared

import (
	"bytes"
	"iter"
	"strings"

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
		rows, err := m.Saved(text)
		for i := range rows {
			result, list := m.Map(&rows[i]), m.feed.Rows
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

// Saved are the rows of a text that Try maps, as they are written.
func (m *Mapper) Saved(text []byte) (saved []rows.Row, err error) {
	bare := rows.Trimmed(text)
	if len(bare) > 0 && !bytes.ContainsRune([]byte("{[<"), rune(bare[0])) {
		bare = bytes.Trim(bytes.TrimPrefix(text, []byte("\ufeff")), "\r\n") // blanks count in a row of one column
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
	case text[0] != '{' && text[0] != '[', m.feed.Format == rows.FormatPattern:
		all = rows.Of(text, m.feed.CSV()).All()
	case rows.IsJSON(text):
		return m.savedJSON(text), nil
	case m.feed.Format == rows.FormatJSONLines:
		all = rows.Of(text, &rows.Layout{Format: rows.FormatJSONLines}).All()
	default:
		return rows.Documents(text), nil
	}
	for row, err := range all {
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
