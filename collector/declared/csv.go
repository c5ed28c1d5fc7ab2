package declared

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// readCSV hands each row of a text to use. Without columns the first line names them. A line that is no CSV is a row that can't be mapped; only quotes
// that aren't closed before the end are an error: then the answer was cut.
func readCSV(text []byte, columns []string, use func(answerRow) error) error {
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = -1
	for {
		begin := reader.InputOffset()
		fields, err := reader.Read()
		end := reader.InputOffset()
		r := answerRow{raw: text[begin:end], columns: columns, fields: fields}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && (columns == nil || end == int64(len(text)) && !bytes.HasSuffix(text, []byte("\n"))):
			return wire.ErrCut
		case err != nil:
			r.fields, r.problem = nil, "it is no valid CSV"
		case columns == nil:
			columns = fields
			continue
		}
		if err := use(r); err != nil {
			return err
		}
	}
}
