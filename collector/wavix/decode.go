package wavix

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// answer is one page of a query.
type answer struct {
	rows  []*listed
	total int // number of rows of the query, -1 if the format doesn't have it
}

// maxRows limits the rows of a page. A provider with a larger page doesn't support pages.
const maxRows = 10 * pageRows

// errTooManyRows is an answer that can't be a page.
var errTooManyRows = &advice.Error{
	What: fmt.Sprintf("the answer has over %d rows, but the request was for %d", maxRows, pageRows),
	Todo: "check for something in between, such as a cache; with format: stream, try json",
}

// decoder decodes one answer. After an error nothing of the answer is used.
type decoder struct {
	log    *callLog
	values *values // of the current row
	query  query
	page   int
	answer answer
}

func (d *decoder) object(raw []byte) error {
	d.values.parse(raw)
	return d.add(raw)
}

func (d *decoder) add(raw []byte) error {
	if len(d.answer.rows) == maxRows {
		return errTooManyRows
	}
	l := d.log.mapRow(d.values, d.query.Kind)
	switch problem := d.values.Problem; {
	case problem != "":
		l.bad = &collector.BadRow{Content: d.content(raw), Problem: problem}
		l.bad.At = fmt.Sprintf("%s %s, page %d, row %d", d.query.Day.Format(time.DateOnly), d.query.Kind, d.page,
			len(d.answer.rows)+1)
		l.key = maphash.Bytes(d.log.seed, l.bad.Content)
	case l.record.ID != "":
		l.key = maphash.String(d.log.seed, l.record.ID)
	default:
		l.key, l.nameless = maphash.String(d.log.seed, l.record.Synthetic), true
	}
	d.answer.rows = append(d.answer.rows, l)
	return nil
}

// content identifies a malformed row (counting.md 14): by its id, if that member has any value,
// since a later version of the row is the same row; else by the whole row.
func (d *decoder) content(raw []byte) []byte {
	for _, name := range []string{"call_id", "uuid"} {
		if id, _ := d.values.textOrNumber(name); id != "" {
			return []byte(d.query.Kind + ":" + id)
		}
	}
	return append([]byte(d.query.Kind+" "), raw...)
}

// decodePage reads {items, pagination}, in any order.
func (d *decoder) decodePage(body []byte) error {
	hasItems := false
	err := readEnvelope(body, "the answer isn't an object", func(in *wire.Input, name string) (bool, error) {
		switch name {
		case "items":
			hasItems = true
			return true, in.Array("the answer's items aren't an array", d.object)
		case "pagination":
			return true, in.Object("the answer's pagination isn't an object",
				func(name string) error { return d.pagination(in, name) })
		}
		return false, nil
	})
	if err == nil && !hasItems {
		err = errors.New("the answer has no member items, so it isn't a page of calls")
	}
	return err
}

// pagination reads the total. The page size isn't reliable, since 0 was seen; the number of pages
// follows from the other values.
func (d *decoder) pagination(in *wire.Input, name string) error {
	raw, err := in.JSON.ReadValue()
	if err != nil || folded(name) != "total" {
		return err
	}
	n, err := strconv.ParseUint(string(raw), 10, 31)
	if err != nil {
		return errors.New("the answer's pagination.total isn't a number of rows") // the parser's text quotes it
	}
	d.answer.total = int(n)
	return nil
}

// decodeStream reads a row per line. Empty lines, a last line without its end and an empty answer
// are valid. A line that is cut, or says that something failed, is an error of the whole answer.
func (d *decoder) decodeStream(body []byte) error {
	return wire.Lines(body, func(raw []byte) error {
		if err := refusedLine(raw); err != nil {
			return err
		}
		return d.object(raw)
	})
}

// refusedLine is the error for a line of a stream that says that the request failed after the
// answer had begun.
func refusedLine(raw jsontext.Value) error {
	if raw.Kind() != '{' || !bytes.Contains(raw, []byte("success")) && !bytes.Contains(raw, []byte("error")) {
		return nil
	}
	var r refusal
	wire.Members(raw, func(name, value []byte) { r.member(strings.Trim(string(name), `"`), value) })
	return r.err()
}

// decodeCSV reads comma-separated values. The provider doesn't document the columns, so they are
// found by their names, in any spelling. An empty answer, without names, has no rows.
func (d *decoder) decodeCSV(body []byte) error {
	content := bytes.TrimPrefix(body, []byte("\ufeff"))
	switch begin := bytes.TrimLeft(content, " \t\r\n"); {
	case bytes.HasPrefix(begin, []byte("<")):
		return wire.ErrHTML
	case bytes.HasPrefix(begin, []byte("{")):
		refused := readEnvelope(content, "", func(*wire.Input, string) (bool, error) { return false, nil })
		return cmp.Or(refused, errors.New("the answer is JSON instead of CSV")) // only a refusal comes as JSON
	}
	reader := csv.NewReader(bytes.NewReader(content))
	reader.FieldsPerRecord = -1
	var columns []string
	for {
		begin := reader.InputOffset()
		record, err := reader.Read()
		line := content[begin:reader.InputOffset()]
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case columns != nil && isBadRow(err, line):
			record = nil // the next line starts a row again
		case errors.Is(err, csv.ErrQuote) && reader.InputOffset() == int64(len(content)):
			return wire.ErrCut
		case err != nil:
			syntax, _ := errors.AsType[*csv.ParseError](err)
			return fmt.Errorf("the answer isn't valid CSV in line %d", syntax.Line)
		}
		if columns == nil {
			if columns, err = csvColumns(record); err != nil {
				return err
			}
			continue
		}
		if err := d.csvRow(line, record, columns); err != nil {
			return err
		}
		if last := d.answer.rows[len(d.answer.rows)-1]; last.bad != nil && !bytes.HasSuffix(line, []byte("\n")) {
			return wire.ErrCut // the last line has no line end and isn't a row
		}
	}
}

// isBadRow says whether an error concerns one row only: a quotation mark stands within a field, or
// after a field that ends within the line.
func isBadRow(err error, line []byte) bool {
	oneLine := !bytes.Contains(bytes.TrimSpace(line), []byte("\n")) && bytes.Count(line, []byte(`"`))%2 == 0
	return errors.Is(err, csv.ErrBareQuote) || errors.Is(err, csv.ErrQuote) && oneLine
}

// csvRow adds a row of fields; nil if they can't be separated.
func (d *decoder) csvRow(line []byte, record, columns []string) error {
	d.values.Clear()
	switch {
	case record == nil:
		d.values.Problem = "has a quotation mark within a field"
	case len(record) != len(columns):
		d.values.Problem = fmt.Sprintf("it has %d fields, must have %d", len(record), len(columns))
	default:
		for i, text := range record {
			d.values.setCSV(columns[i], text)
		}
	}
	return d.add(bytes.TrimSpace(line))
}

// csvColumns are the folded names of the columns.
func csvColumns(header []string) (columns []string, err error) {
	for _, name := range header {
		name = folded(strings.TrimSpace(name))
		if name != "" && slices.Contains(columns, name) {
			return nil, errors.New("the answer has the same column twice")
		}
		columns = append(columns, name)
	}
	if !slices.Contains(columns, "date") {
		return nil, errors.New("the answer has no column date: its first line must name the columns")
	}
	return columns, nil
}
