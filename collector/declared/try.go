package declared

import (
	"bytes"
	"iter"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Try maps saved rows, without a network: a page of JSON, a list of rows, one row, JSON lines, or
// CSV with its names in the first line. It yields each row's number, from 1, and its result. An
// error ends it.
func (m *Mapper) Try(text []byte) iter.Seq2[int, Mapped] {
	return func(yield func(int, Mapped) bool) {
		if all := m.feed.combinations(m.row.Parameters); m.row.Each == nil && len(all) > 0 {
			m.row.Each = all[0] // saved rows don't say which list they come from
		}
		saved := rows.Trimmed(text)
		if len(saved) > 0 && !bytes.ContainsRune([]byte("{[<"), rune(saved[0])) {
			saved = bytes.Trim(bytes.TrimPrefix(text, []byte("\ufeff")), "\r\n") // blanks count in a row of one column
		}
		rows, err := m.savedRows(saved)
		for i := range rows {
			if !yield(i+1, m.mapRow(&rows[i])) {
				return
			}
		}
		if err != nil {
			yield(len(rows)+1, Mapped{Invalid: err.Error()})
		}
	}
}

func (m *Mapper) savedRows(text []byte) (saved []rows.Row, err error) {
	var page answerPage
	switch {
	case len(text) == 0:
	case text[0] == '<' && m.feed.xml:
		for row, err := range rows.ReadXML(bytes.NewReader(text), m.feed.Rows) {
			if err != nil {
				return saved, err
			}
			saved = append(saved, row)
		}
	case text[0] != '{' && text[0] != '[', m.feed.Format == rows.FormatPattern:
		for row, err := range rows.Of(text, m.feed.csv()).All() {
			if err != nil {
				return saved, err
			}
			saved = append(saved, row.Row)
		}
	case !rows.IsJSON(text) && m.feed.Format == rows.FormatJSONLines:
		for row, err := range rows.Of(text, &rows.Layout{Format: rows.FormatJSONLines}).All() {
			if err != nil {
				return saved, err
			}
			saved = append(saved, row.Row)
		}
	case !rows.IsJSON(text):
		saved = rows.Documents(text)
	case page.readJSON(m.feed, text) == nil:
		saved = page.rows
	case text[0] == '[':
		wire.Elements(text, func(raw []byte) { saved = append(saved, rows.Row{Raw: raw}) })
	default:
		saved = []rows.Row{{Raw: text}}
	}
	return saved, err
}
