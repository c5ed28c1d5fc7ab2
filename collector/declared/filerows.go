package declared

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

const (
	// longestLine bounds a row of a file. Longer ones are set aside.
	longestLine = 1 << 20
	// rowLines is over how many lines a row of CSV may go.
	rowLines = 20
)

// chain is a hash of all lines of a file up to a place. It is what a row without an id is known by: the same for the same row in a copy, and different for
// rows that are alike within a file.
type chain [16]byte

func (c chain) next(line []byte) (next chain) {
	sum := sha256.Sum256(append(c[:], line...))
	copy(next[:], sum[:])
	return next
}

// fileRow is one row of a file, without the end of its line.
type fileRow struct {
	rawRow

	end   int64 // where the next row begins
	chain chain // up to there
	// half says that it is the last one of a file of CSV, without an end, and lacks values: the file may still be written.
	half bool
}

// fileRows reads the rows of a file one by one. Memory is bounded by rowLines and longestLine.
type fileRows struct {
	in      *bufio.Reader
	files   *Files
	columns []string // of CSV; nil: the first row has them
	// ends says that the file is complete, so that a last line without an end is a row; else it waits.
	ends  bool
	at    int64 // behind the lines that were read
	chain chain // up to the last row
	ahead []fileLine
	// unclosed says that the quotes of a row had no end.
	unclosed bool
}

// fileLine is one line; of one that is too long sum stands for its text.
type fileLine struct {
	text    []byte
	sum     []byte
	end     int64
	tooLong bool
	noEnd   bool
}

// newFileRows reads rows from a place on, which is a row's end, up to a size.
func newFileRows(file io.ReaderAt, files *Files, from mark, size int64) *fileRows {
	in := io.NewSectionReader(file, from.Offset, size-from.Offset)
	return &fileRows{in: bufio.NewReaderSize(in, 64<<10), files: files, columns: files.Columns, at: from.Offset, chain: from.Chain}
}

// readNames reads the names of the values from the first row if it has them, and says so. The error is io.EOF if that row isn't complete yet.
func (r *fileRows) readNames() (inFile bool, err error) {
	if r.files.Format != formatCSV || len(r.columns) > 0 {
		return false, nil
	}
	row, err := r.next()
	if err == nil && row.problem != "" {
		err = errors.New("its first line doesn't name the columns: " + row.problem)
	}
	r.columns = row.fields
	return true, err
}

// all yields the rows of a complete file of CSV. The first ones behind names in the file may be none. The error is io.EOF if there are no names.
func (r *fileRows) all(skip int) iter.Seq2[*fileRow, error] {
	return func(yield func(*fileRow, error) bool) {
		r.ends = true
		inFile, err := r.readNames()
		if err != nil {
			yield(nil, err)
			return
		}
		for number := 1; ; number++ {
			row, err := r.next()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err == nil && inFile && number <= skip:
				continue
			}
			if !yield(&row, err) || err != nil {
				return
			}
		}
	}
}

// next is the next row; io.EOF if it isn't complete yet. Blank lines are passed over.
func (r *fileRows) next() (row fileRow, err error) {
	for {
		if err := r.fill(1); err != nil {
			return row, err
		}
		n := 1
		if first := &r.ahead[0]; first.tooLong {
			row.rawRow = rawRow{raw: first.sum, problem: "the line is longer than 1 MiB"}
		} else if row.rawRow = (rawRow{raw: first.text}); len(row.raw) > 0 {
			if n, err = r.readRow(&row.rawRow); err != nil {
				return row, err
			}
		}
		for i := range n {
			l := &r.ahead[i]
			r.chain, row.end = r.chain.next(l.sum), l.end
			row.half = l.noEnd && len(row.fields) < len(r.columns)
		}
		r.ahead = r.ahead[:copy(r.ahead, r.ahead[n:])]
		if row.chain = r.chain; len(row.raw) > 0 {
			return row, nil
		}
	}
}

// readRow reads a row that begins with a line, and says over how many lines it goes.
func (r *fileRows) readRow(row *rawRow) (lines int, err error) {
	if r.files.Format == formatCSV {
		return r.readFields(row)
	}
	if row.raw = bytes.TrimSpace(row.raw); !isJSON(row.raw) {
		row.problem = "it is no valid JSON"
	}
	return 1, nil
}

// readFields reads the values of a row of CSV and says over how many lines it goes. One whose quotes don't fit is set aside as one line: what follows
// it are rows again.
func (r *fileRows) readFields(row *rawRow) (lines int, err error) {
	text := string(row.raw)
	for lines = 1; ; lines++ {
		fields, state := splitFields(text, r.files.Separator[0])
		if state == fieldsRead {
			row.raw, row.columns, row.fields = []byte(text), r.columns, fields
			if r.columns != nil && !r.files.allows(len(fields)) {
				row.problem = fmt.Sprintf("it has %d values, which is none of %v", len(fields), r.files.Widths)
			}
			return lines, nil
		}
		mayEnd := state == fieldsOpen && lines < rowLines && len(text) <= longestLine
		if mayEnd {
			if err = r.fill(lines + 1); err != nil && (!r.ends || !errors.Is(err, io.EOF)) {
				return 0, err
			}
			mayEnd = err == nil && !r.ahead[lines].tooLong
		}
		if !mayEnd {
			row.problem, r.unclosed = "the quotes of the row don't fit", r.unclosed || state == fieldsOpen
			return 1, nil
		}
		text += "\n" + string(r.ahead[lines].text)
	}
}

// fill reads lines until so many are there.
func (r *fileRows) fill(n int) error {
	for len(r.ahead) < n {
		l, err := r.readLine()
		if err != nil {
			return err
		}
		r.ahead = append(r.ahead, l)
	}
	return nil
}

func (r *fileRows) readLine() (l fileLine, err error) {
	sum, length := sha256.New(), 0
	for {
		piece, err := r.in.ReadSlice('\n')
		isLast := errors.Is(err, io.EOF) && r.ends && length+len(piece) > 0
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !isLast {
			return l, err // what has no end yet is read again
		}
		l.noEnd = isLast
		sum.Write(piece)
		length += len(piece)
		if l.tooLong = length > longestLine; l.tooLong {
			l.text = nil
		} else {
			l.text = append(l.text, piece...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	r.at += int64(length)
	if l.end = r.at; l.end == int64(length) { // the file's first line
		l.text = bytes.TrimPrefix(l.text, []byte("\ufeff"))
	}
	l.text = bytes.TrimRight(l.text, "\r\n")
	l.sum = sum.Sum(binary.BigEndian.AppendUint64(nil, uint64(length)))
	return l, nil
}

// fieldsState says how far the values of a text were read.
type fieldsState uint8

const (
	fieldsRead  fieldsState = iota
	fieldsOpen              // a quote has no end yet
	fieldsWrong             // something follows a quote that can't
)

// splitFields are the values of a row (RFC 4180). Quotes are plain text unless the separator is the comma, and within a value that doesn't begin with one.
func splitFields(text string, separator byte) (fields []string, state fieldsState) {
	if separator != comma[0] {
		return strings.Split(text, string(separator)), fieldsRead
	}
	for {
		value, rest, more := strings.Cut(text, comma)
		if strings.HasPrefix(text, `"`) {
			end := quotedEnd(text)
			if end < 0 {
				return nil, fieldsOpen
			}
			value = strings.ReplaceAll(text[1:end], `""`, `"`)
			var before string
			if before, rest, more = strings.Cut(text[end+1:], comma); before != "" {
				return nil, fieldsWrong
			}
		}
		if fields = append(fields, value); !more {
			return fields, fieldsRead
		}
		text = rest
	}
}

// quotedEnd is where the quote ends that a text begins with; -1 if it doesn't.
func quotedEnd(text string) int {
	for at := 1; ; at += 2 {
		length := strings.IndexByte(text[at:], '"')
		if length < 0 {
			return -1
		}
		if at += length; !strings.HasPrefix(text[at:], `""`) {
			return at
		}
	}
}
