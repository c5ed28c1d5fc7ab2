package wavix

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// answer is one page of a query.
type answer struct {
	rows []listed
	// total is how many rows the query has, -1 if the format doesn't say. perPage is how many a full page has, which may be fewer than were
	// asked for; 0 if the format doesn't say.
	total, perPage int
}

// listed is a row of an answer, mapped.
type listed struct {
	*mapping

	// key is the same for the same call, and for all rows without an id that say the same (nameless).
	key      uint64
	nameless bool
	bad      *collector.BadRow // set if the row can't be read
}

// maxRows bounds the rows of a page: a provider that has a larger one doesn't know pages.
const maxRows = 10 * pageRows

// errTooManyRows is an answer that is no page.
var errTooManyRows = fmt.Errorf("the answer has over %d rows, where %d were asked for", maxRows, pageRows)

// decoder decodes one answer. After an error nothing of the answer is used.
type decoder struct {
	mapper *mapper
	seed   maphash.Seed
	query  query
	page   int
	answer answer
}

var rowOptions = json.JoinOptions(
	json.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// object adds a JSON row.
func (d *decoder) object(raw []byte) error {
	var r row
	if raw[0] != '{' {
		return d.add(raw, &r, "it is no object")
	}
	if json.Unmarshal(raw, &r, rowOptions) != nil {
		return d.add(raw, &r, "it can't be decoded")
	}
	return d.add(raw, &r, "")
}

// add adds a row, or what is wrong with it as a whole.
func (d *decoder) add(raw []byte, r *row, problem string) error {
	if len(d.answer.rows) == maxRows {
		return errTooManyRows
	}
	l := listed{mapping: d.mapper.mapRow(r, d.query.Kind)}
	switch {
	case cmp.Or(problem, l.first) != "":
		l.bad = &collector.BadRow{Content: d.content(raw, r), At: d.position(), Problem: cmp.Or(problem, l.first)}
		l.key = maphash.Bytes(d.seed, l.bad.Content)
	case l.record.ID != "":
		l.key = maphash.String(d.seed, l.record.ID)
	default:
		l.key, l.nameless = maphash.String(d.seed, l.record.Synthetic), true
	}
	d.answer.rows = append(d.answer.rows, l)
	return nil
}

// content identifies a row that can't be read (counting.md 14): by its id, if it has anything in that place, since a later version of the row
// is no other row; else by all of it.
func (d *decoder) content(raw []byte, r *row) []byte {
	for _, c := range []cell{r.CallID, r.UUID} {
		if c.kind == '"' || c.kind == csvValue || c.kind == '0' {
			return []byte(d.query.Kind + ":" + c.text)
		}
	}
	return append([]byte(d.query.Kind+" "), raw...)
}

// position is where the next row stands, for the log.
func (d *decoder) position() string {
	return d.query.Day.Format(time.DateOnly) + " " + d.query.Kind + ", page " + strconv.Itoa(d.page) + ", row " + strconv.Itoa(len(d.answer.rows)+1)
}

// decodePage reads {items, pagination}, in any order.
func (d *decoder) decodePage(body []byte) error {
	hasItems := false
	err := readEnvelope(body, "the answer is no object", func(in *wire.Input, name string) (bool, error) {
		switch {
		case strings.EqualFold(name, "items") && hasItems:
			return true, errors.New("the answer has items twice")
		case strings.EqualFold(name, "items"):
			hasItems = true
			return true, in.Array("the answer's items are no array", d.object)
		case strings.EqualFold(name, "pagination"):
			return true, in.Object("the answer's pagination is no object", func(name string) error {
				raw, err := in.JSON.ReadValue()
				if err == nil {
					err = d.pagination(strings.ToLower(name), raw)
				}
				return err
			})
		}
		return false, nil
	})
	if err == nil && !hasItems {
		err = errors.New("the answer has no items, so it is no page of calls")
	}
	return err
}

// pagination takes what a page says of all pages. A page size of 0 was seen, and says nothing; the number of pages follows from the others.
func (d *decoder) pagination(name string, raw jsontext.Value) error {
	if name != "total" && name != "per_page" {
		return nil
	}
	n, err := strconv.ParseUint(string(raw), 10, 31)
	if err != nil {
		return errors.New("the answer's pagination." + name + " is no number of rows")
	}
	if name == "total" {
		d.answer.total = int(n)
	} else {
		d.answer.perPage = int(n)
	}
	return nil
}

// decodeStream reads a row a line. Empty lines, a last line without its end and an empty answer are no fault; a line that is cut, or says that
// something failed, is one of the answer.
func (d *decoder) decodeStream(body []byte) error {
	in := wire.NewInput(wire.MaxValue, wire.BodyBuffer)
	in.Reset(bytes.NewReader(body))
	wire.SkipMark(in.Buffer)
	if err := wire.NotHTML(in.Buffer); err != nil {
		return err
	}
	for {
		in.Next()
		raw, err := in.JSON.ReadValue()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			raw, err = in.SkipLine(err)
		}
		if err == nil {
			err = refusedLine(raw)
		}
		if err == nil {
			err = d.object(raw)
		}
		if err != nil {
			return in.Fault(err)
		}
	}
}

// refusedLine is the error of a line of a stream that says that the request failed, after the answer had begun.
func refusedLine(raw jsontext.Value) error {
	if raw.Kind() != '{' || !bytes.Contains(raw, []byte("success")) && !bytes.Contains(raw, []byte("error")) {
		return nil
	}
	var r refusal
	wire.Members(raw, func(name, value []byte) { r.member(strings.Trim(string(name), `"`), value) })
	return r.err()
}

// decodeCSV reads comma-separated values. The provider doesn't document their columns, so they are found by their names, in any spelling. An
// answer without anything, not even names, has no rows.
func (d *decoder) decodeCSV(content []byte) error {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	switch begin := bytes.TrimLeft(content, " \t\r\n"); {
	case bytes.HasPrefix(begin, []byte("<")):
		return wire.ErrHTML
	case bytes.HasPrefix(begin, []byte("{")):
		refused := readEnvelope(content, "", func(*wire.Input, string) (bool, error) { return false, nil })
		return cmp.Or(refused, errors.New("the answer is JSON instead of CSV")) // only a refusal comes as JSON
	}
	reader := csv.NewReader(bytes.NewReader(content))
	reader.FieldsPerRecord = -1
	var fields []int
	for {
		begin := reader.InputOffset()
		record, err := reader.Read()
		line := content[begin:reader.InputOffset()]
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, csv.ErrBareQuote) && fields != nil:
			record = nil // the next line is a row again
		case errors.Is(err, csv.ErrQuote) && reader.InputOffset() == int64(len(content)):
			return wire.ErrCut
		case err != nil:
			syntax, _ := errors.AsType[*csv.ParseError](err)
			return fmt.Errorf("the answer is no valid CSV in line %d", syntax.Line)
		}
		if fields == nil {
			fields, err = csvColumns(record)
			if err != nil {
				return err
			}
			continue
		}
		if err := d.csvRow(line, record, fields); err != nil {
			return err
		}
		if last := d.answer.rows[len(d.answer.rows)-1]; last.bad != nil && !bytes.HasSuffix(line, []byte("\n")) {
			return wire.ErrCut // the last line has no end, and isn't a row
		}
	}
}

// csvRow adds a row of fields; nil if they can't be told apart.
func (d *decoder) csvRow(line []byte, record []string, fields []int) error {
	var r row
	switch {
	case record == nil:
		return d.add(bytes.TrimSpace(line), &r, "a quotation mark stands within a field")
	case len(record) != len(fields):
		return d.add(bytes.TrimSpace(line), &r, fmt.Sprintf("it has %d fields, must have %d", len(record), len(fields)))
	}
	for i, text := range record {
		if fields[i] >= 0 {
			r.setCSV(fields[i], text)
		}
	}
	return d.add(bytes.TrimSpace(line), &r, "")
}

// csvColumns finds the field of a row that each column belongs to; -1 for a column that isn't known.
func csvColumns(header []string) ([]int, error) {
	seen := map[string]bool{}
	fields := make([]int, len(header))
	for i, text := range header {
		name := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(text)))
		field, known := columns[name]
		switch {
		case !known:
			field = -1
		case seen[name]:
			return nil, fmt.Errorf("the answer has the column %s twice", name)
		}
		fields[i], seen[name] = field, true
	}
	if !seen["date"] {
		return nil, errors.New("the answer has no column date: its first line must name the columns")
	}
	return fields, nil
}
