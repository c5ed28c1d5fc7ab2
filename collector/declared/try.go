package declared

import (
	"bytes"
	"iter"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Try maps saved rows, without a network: a page of JSON, a list of rows, one row, JSON lines, or CSV with its names in the first line. It yields each
// row's number, from 1, with what it became. An error ends it.
func (m *Mapper) Try(text []byte) iter.Seq2[int, Mapped] {
	return func(yield func(int, Mapped) bool) {
		rows, err := m.savedRows(trimmed(text))
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

func (m *Mapper) savedRows(text []byte) (rows []rawRow, err error) {
	var page answerPage
	switch {
	case len(text) == 0:
	case text[0] != '{' && text[0] != '[':
		files := m.feed.csv()
		for row, err := range newFileRows(bytes.NewReader(text), files, mark{}, int64(len(text))).all(files.Skip) {
			if err != nil {
				return rows, err
			}
			rows = append(rows, row.rawRow)
		}
	case !isJSON(text):
		err = wire.Lines(text, func(raw []byte) error {
			rows = append(rows, rawRow{raw: raw})
			return nil
		})
	case page.readJSON(m.feed, text) == nil:
		rows = page.rows
	case text[0] == '[':
		wire.Elements(text, func(raw []byte) { rows = append(rows, rawRow{raw: raw}) })
	default:
		rows = []rawRow{{raw: text}}
	}
	return rows, err
}
