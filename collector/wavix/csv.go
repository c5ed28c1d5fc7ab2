package wavix

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvDecoder reads a page of comma-separated values, whose columns the provider doesn't
// document: it finds them by their names. It is for one goroutine.
type csvDecoder struct {
	batch  *batch
	buffer *bufio.Reader
	copy   recorder

	columns []property // of the answer
}

func newCSVDecoder(b *batch) *csvDecoder {
	d := &csvDecoder{batch: b, buffer: bufio.NewReaderSize(nil, BodyBuffer)}
	d.copy.reader = d.buffer
	return d
}

// decode reads a page to its end. An answer without anything, not even names, has no
// rows.
func (d *csvDecoder) decode(body io.Reader, page, perPage int) error {
	d.batch.begin(page, perPage)
	d.buffer.Reset(body)
	d.copy.reset()
	SkipMark(d.buffer)
	if err := NotHTML(d.buffer); err != nil {
		return err
	}
	if err := d.notRefused(); err != nil {
		return err
	}
	if err := d.rows(); err != nil {
		return err
	}
	return d.batch.end(-1)
}

// notRefused reads what comes as JSON: a refusal, for nothing else does.
func (d *csvDecoder) notRefused() error {
	begin, err := d.buffer.Peek(1)
	if err != nil || begin[0] != '{' {
		return nil //nolint:nilerr // whoever reads on will see the error
	}
	var r refusal
	in := NewInput(MaxValue, BodyBuffer)
	in.Reset(d.buffer)
	err = in.Object("", func(name string) error {
		raw, err := in.JSON.ReadValue()
		if err == nil {
			r.member(name, raw)
		}
		return err
	})
	if err = in.Fault(err); err == nil {
		err = r.err()
	}
	if err == nil {
		err = errors.New("the answer is JSON instead of CSV")
	}
	return err
}

func (d *csvDecoder) rows() error {
	reader := csv.NewReader(&d.copy)
	reader.ReuseRecord, reader.FieldsPerRecord = true, -1
	header, err := reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return d.fault(err)
	}
	if err := d.setColumns(header); err != nil {
		return err
	}
	for {
		d.copy.forget(reader.InputOffset())
		record, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, csv.ErrBareQuote):
			record = nil // the next line is a row again
		case err != nil:
			return d.fault(err)
		}
		row, ended := d.copy.until(reader.InputOffset())
		if err := d.batch.add(row, func([]byte) string { return d.parse(record) }); err != nil {
			return err
		}
		if !ended && d.batch.spoilt {
			return ErrCut // the last line has no end, and isn't a row
		}
	}
}

// setColumns finds the columns by name, in any spelling.
func (d *csvDecoder) setColumns(header []string) error {
	d.columns = d.columns[:0]
	var seen [properties]bool
	for _, name := range header {
		p := d.batch.fields.names.find([]byte(strings.TrimSpace(name)))
		if p != unknownProperty && seen[p] {
			return fmt.Errorf("the answer has the column %s twice", propertyNames[p])
		}
		if p != unknownProperty {
			seen[p] = true
		}
		d.columns = append(d.columns, p)
	}
	if !seen[pDate] {
		return fmt.Errorf("the answer has no column %s: its first line must name the columns", propertyNames[pDate])
	}
	return nil
}

// parse reads a row into the batch's fields. An empty field is one that isn't given.
func (d *csvDecoder) parse(record []string) (problem string) {
	f := &d.batch.fields
	f.begin()
	switch {
	case record == nil:
		return "a quotation mark stands within a field"
	case len(record) != len(d.columns):
		return fmt.Sprintf("it has %d fields, must have %d", len(record), len(d.columns))
	}
	for i, text := range record {
		if p := d.columns[i]; p != unknownProperty {
			f.set(p, plain(text))
		}
	}
	return ""
}

// fault words an error without anything of the answer.
func (d *csvDecoder) fault(err error) error {
	syntax, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return err
	case d.copy.ended && errors.Is(err, csv.ErrQuote):
		return fmt.Errorf("%w in line %d", ErrCut, syntax.StartLine)
	}
	return fmt.Errorf("the answer is no valid CSV in line %d", syntax.Line)
}

// recorder keeps the bytes that were read through it, for the raw content of rows.
type recorder struct {
	reader io.Reader
	bytes  []byte
	from   int64 // offset of the first of bytes
	ended  bool
}

func (r *recorder) reset() { r.bytes, r.from, r.ended = r.bytes[:0], 0, false }

// Read implements io.Reader.
func (r *recorder) Read(b []byte) (int, error) {
	if len(r.bytes) > MaxValue {
		return 0, TooLong(MaxValue)
	}
	n, err := r.reader.Read(b)
	r.bytes = append(r.bytes, b[:n]...)
	r.ended = r.ended || errors.Is(err, io.EOF)
	return n, err
}

// forget lets go of the bytes before an offset.
func (r *recorder) forget(offset int64) {
	r.bytes = r.bytes[:copy(r.bytes, r.bytes[offset-r.from:])]
	r.from = offset
}

// until is the row that ends before an offset, and whether its line had an end.
func (r *recorder) until(offset int64) (row []byte, ended bool) {
	all := bytes.TrimLeft(r.bytes[:offset-r.from], "\r\n") // empty lines before it
	row = bytes.TrimRight(all, "\r\n")
	return row, len(row) < len(all)
}
