package sim

import (
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// writer writes rows. It is used by one goroutine.
type writer struct {
	format
	scratch []byte
}

// json appends a row as a JSON object, whole or spoilt.
func (w *writer) json(dst []byte, r *row, v *version) []byte {
	if r.flaw == simulator.NotAnObject {
		return append(r.id.Append(append(dst, `"row `...)), '"')
	}
	look := w.look(styleOf(r.id))
	dst = append(dst, '{')
	begin := len(dst)
	for _, col := range w.columns {
		if r.flaw == simulator.Truncated && col != colUUID && col != colCallID {
			continue
		}
		value, class := look.spoilt(w.scratch[:0], col, r, v)
		w.scratch = value
		if class == absent {
			continue
		}
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), names[col]...), `":`...)
		switch class {
		case null:
			dst = append(dst, "null"...)
		case text:
			dst = appendQuoted(dst, value)
		default:
			dst = append(dst, value...)
		}
	}
	return append(dst, '}')
}

// spoilt is a cell that a flaw may have changed.
func (l *look) spoilt(dst []byte, col column, r *row, v *version) ([]byte, class) {
	switch {
	case r.flaw == simulator.NoFlaw:
	case col == colDate && r.flaw == simulator.BadTime:
		return append(dst, "yesterday"...), text
	case col == colDate && r.flaw == simulator.ImpossibleTime:
		return append(dst, "2026-02-30T25:61:00.000Z"...), text
	case col == colDate && r.flaw == simulator.NullStart:
		return dst, null
	case col == colDuration && r.flaw == simulator.WrongType:
		return append(dst, "true"...), bare
	case col == colDuration && r.flaw == simulator.NegativeDuration:
		return append(dst, "-5"...), bare
	case col == colFrom && r.flaw == simulator.ObjectForString:
		return append(dst, `{"number":"hidden"}`...), bare
	case (col == colUUID || col == colCallID) && r.flaw == simulator.NumericID:
		return strconv.AppendUint(dst, uint64(r.id[0])<<8|uint64(r.id[1]), 10), bare
	}
	return l.cell(dst, col, r, v)
}

// appendQuoted appends a JSON string. Of what needs an escape there is the quote.
func appendQuoted(dst, value []byte) []byte {
	dst = append(dst, '"')
	for _, c := range value {
		if c == '"' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// header is the first line of CSV.
func (w *writer) header() []byte {
	list := make([]string, len(w.columns))
	for i, col := range w.columns {
		list[i] = names[col]
	}
	return []byte(strings.Join(list, ",") + "\n")
}

// csv appends a row as a line, whole or spoilt. CSV has no types: what is spoilt in
// JSON by its type is spoilt otherwise here.
func (w *writer) csv(dst []byte, r *row, v *version) []byte {
	if r.flaw == simulator.NotAnObject {
		return append(r.id.Append(append(dst, `row `...)), '\n')
	}
	look := w.look(styleOf(r.id))
	for i, col := range w.columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		value, class := look.spoilt(w.scratch[:0], col, r, v)
		switch {
		case r.flaw == simulator.Truncated && col != colUUID && col != colCallID:
			class = null
		case r.flaw == simulator.ObjectForString && col == colDuration, r.flaw == simulator.NumericID && col == colDate:
			value, class = append(value[:0], "[object Object]"...), text
		}
		w.scratch = value
		if class == text || class == bare {
			dst = appendField(dst, value)
		}
	}
	return append(dst, '\n')
}

// appendField appends a field of CSV, quoted if it must be (RFC 4180).
func appendField(dst, value []byte) []byte {
	if !strings.ContainsAny(string(value), ",\"\n") {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for _, c := range value {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
