package rows

import (
	"errors"
	"slices"
	"strings"
)

// ReadNames reads the names of the values from the first row, if they are there. The error is io.EOF if
// that row isn't complete yet.
func (r *Reader) ReadNames() error {
	if r.layout.Format != FormatCSV || len(r.Columns) > 0 {
		return nil
	}
	row, _, err := r.readNext()
	if err == nil && row.Problem != "" {
		err = errors.New("its first line doesn't name the columns: " + row.Problem)
	}
	return err
}

// isNames says whether a row has the names of the columns. After an update a program may write others into the same
// file: in another order, more of them, or fewer.
func (r *Reader) isNames(row *Row) bool {
	switch {
	case row.Fields == nil || r.layout.Format != FormatCSV:
		return false
	case r.Columns == nil:
		return true
	}
	names := namesOf(row.Fields)
	return slices.Equal(names, r.Columns) ||
		len(r.layout.Columns) == 0 && min(len(names), len(r.Columns)) > 1 &&
			(haveAll(names, r.Columns) || haveAll(r.Columns, names))
}

func namesOf(fields []string) []string {
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = strings.TrimSpace(field)
	}
	return names
}

// haveAll says whether names have all of some others, each of which is there once.
func haveAll(names, others []string) bool {
	for i, other := range others {
		if slices.Contains(others[:i], other) || !slices.Contains(names, other) {
			return false
		}
	}
	return true
}
