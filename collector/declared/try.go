package declared

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
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
		for row, err := range m.rowsOf(bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))) {
			number++
			mapped := Mapped{}
			if err != nil {
				mapped.Invalid = err.Error()
			} else {
				mapped = row()
			}
			if !yield(number, mapped) {
				return
			}
		}
	}
}

// rowsOf yields what maps each row.
func (m *Mapper) rowsOf(text []byte) iter.Seq2[func() Mapped, error] {
	switch {
	case len(text) == 0:
		return func(func(func() Mapped, error) bool) {}
	case text[0] != '{' && text[0] != '[':
		return m.csvRows(text)
	case jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return m.jsonRows(text)
	}
	return m.lines(text)
}

// jsonRows are those of a page, of a list, or one.
func (m *Mapper) jsonRows(text []byte) iter.Seq2[func() Mapped, error] {
	page, err := m.feed.readPage(text)
	rows := page.rows
	if err != nil {
		rows = nil
		if text[0] == '[' {
			wire.Elements(text, func(raw []byte) { rows = append(rows, raw) })
		} else {
			rows = [][]byte{text}
		}
	}
	return func(yield func(func() Mapped, error) bool) {
		for _, raw := range rows {
			if !yield(func() Mapped { return m.MapJSON(raw) }, nil) {
				return
			}
		}
	}
}

func (m *Mapper) lines(text []byte) iter.Seq2[func() Mapped, error] {
	return func(yield func(func() Mapped, error) bool) {
		err := wire.Lines(text, func(raw []byte) error {
			if !yield(func() Mapped { return m.MapJSON(raw) }, nil) {
				return io.EOF
			}
			return nil
		})
		if err != nil && !errors.Is(err, io.EOF) {
			yield(nil, err)
		}
	}
}

// csvRows are rows of columns, which the definition names, or the first line.
func (m *Mapper) csvRows(text []byte) iter.Seq2[func() Mapped, error] {
	return func(yield func(func() Mapped, error) bool) {
		reader := csv.NewReader(bytes.NewReader(text))
		reader.FieldsPerRecord = -1
		columns := m.feed.Columns
		for {
			fields, err := reader.Read()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				syntax, _ := errors.AsType[*csv.ParseError](err)
				yield(nil, fmt.Errorf("it is no valid CSV in line %d", syntax.Line))
				return
			case columns == nil:
				columns = fields
				continue
			}
			if !yield(func() Mapped { return m.MapFields(columns, fields) }, nil) {
				return
			}
		}
	}
}
