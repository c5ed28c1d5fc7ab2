package rows

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
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

// NamesUpTo finds the names that hold behind a place, a row's end, of a file whose first names were read. Only a file
// that has other names in its middle is read row by row: a line of a quoted text isn't a row.
func (r *Reader) NamesUpTo(ctx context.Context, file io.ReaderAt, place int64) error {
	if r.layout.Format != FormatCSV || len(r.layout.Columns) > 0 || place <= r.Behind.Offset {
		return nil
	}
	from := r.Behind.Offset
	if other, err := r.mayHaveOtherNames(WithContext(ctx, io.NewSectionReader(file, from, place-from))); !other {
		return err
	}
	in := New(ctx, file, r.layout, from, sha256.New(), place)
	in.Columns, in.Ends, in.LineEnd = r.Columns, true, r.LineEnd
	for {
		if _, err := in.Next(); errors.Is(err, io.EOF) {
			r.Columns = in.Columns
			return nil
		} else if err != nil {
			return err
		}
	}
}

// mayHaveOtherNames says whether a line may have other names. Such a line begins with one of the names, or has all.
func (r *Reader) mayHaveOtherNames(text io.Reader) (other bool, err error) {
	longest := []byte(slices.MaxFunc(r.Columns, func(a, b string) int { return len(a) - len(b) }))
	in, separator := bufio.NewReaderSize(text, 64<<10), []byte(r.layout.Separator)
	for {
		text, err := in.ReadSlice(r.LineEnd)
		text = withoutMark(bytes.TrimLeft(text, "\x00"))
		first, _, more := bytes.Cut(text, separator)
		first = bytes.Trim(first, "\" \t")
		isFirst := func(name string) bool { return name == string(first) }
		if more && (slices.ContainsFunc(r.Columns, isFirst) || bytes.Contains(text, longest)) {
			var row Row
			if fields, state := r.split(string(bytes.TrimRight(text, "\r\n"))); state == fieldsRead {
				row.Fields = fields
			}
			if r.isNames(&row) && !slices.Equal(namesOf(row.Fields), r.Columns) {
				return true, nil
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, err
		}
	}
}
