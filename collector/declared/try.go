package declared

import (
	"bytes"
	"errors"
	"io"
	"iter"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Try maps saved rows, without a network: a page of JSON, a list of rows, one row, JSON lines, or CSV with its names in the first line. It yields each
// row's number, from 1, with what it became. An error ends it.
func (m *Mapper) Try(text []byte) iter.Seq2[int, Mapped] {
	return func(yield func(int, Mapped) bool) {
		number := 0
		err := m.rowsOf(bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff"))), func(r answerRow) error {
			if number++; !yield(number, m.mapAnswer(&r)) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(number+1, Mapped{Invalid: err.Error()})
		}
	}
}

// errEnough ends the reading of rows that nobody wants any more.
var errEnough = io.EOF

// rowsOf hands each row to use.
func (m *Mapper) rowsOf(text []byte, use func(answerRow) error) error {
	switch {
	case len(text) == 0:
		return nil
	case text[0] != '{' && text[0] != '[':
		return m.csvRows(text, use)
	case jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		for _, r := range m.jsonRows(text) {
			if err := use(r); err != nil {
				return err
			}
		}
		return nil
	}
	return wire.Lines(text, func(raw []byte) error { return use(answerRow{raw: raw}) })
}

// jsonRows are those of a page, of a list, or one.
func (m *Mapper) jsonRows(text []byte) (rows []answerRow) {
	var page answerPage
	if err := page.readJSON(m.feed, text); err == nil {
		return page.rows
	}
	if text[0] != '[' {
		return []answerRow{{raw: text}}
	}
	wire.Elements(text, func(raw []byte) { rows = append(rows, answerRow{raw: raw}) })
	return rows
}

// csvRows hands rows of columns to use, whose names the definition has, or the first line.
func (m *Mapper) csvRows(text []byte, use func(answerRow) error) error {
	files := m.feed.files
	if files == nil {
		return readCSV(text, m.feed.Columns, use)
	}
	rows := newFileRows(bytes.NewReader(text), files, mark{}, int64(len(text)))
	rows.ends = true
	columns := m.feed.Columns
	for number := 0; ; number++ {
		row, err := rows.next()
		switch {
		case err != nil:
			return nil //nolint:nilerr // the end
		case columns == nil && row.problem == "":
			columns, number = row.fields, 0
			continue
		case m.feed.Columns == nil && number <= files.Skip:
			continue
		}
		if err := use(answerRow{columns: columns, fields: row.fields, problem: row.problem}); err != nil {
			return err
		}
	}
}
