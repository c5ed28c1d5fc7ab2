package declared

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
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

// chain is a hash of all bytes of a file up to a place. It identifies a file as far as it was read,
// and a row without an id: it is the same for the same row of a copy, and differs for rows that are
// alike within a file.
type chain [16]byte

func chainOf(sum hash.Hash) (c chain) {
	copy(c[:], sum.Sum(nil))
	return c
}

// next is the chain behind a row of a document.
func (c chain) next(row []byte) chain {
	sum := sha256.New()
	sum.Write(c[:])
	sum.Write(row)
	return chainOf(sum)
}

// fileRow is one row of a file, without the end of its line.
type fileRow struct {
	rawRow

	mark       // behind it
	bare int64 // where its text ends, without the end of its line
}

// fileRows reads the rows of a file one by one. Memory is bounded by rowLines and longestLine.
type fileRows struct {
	in      *bufio.Reader
	files   *Files
	columns []string // of CSV; nil: the first row has them
	// ends says that the file is complete, so that a last line without an end is a row; else it waits.
	ends bool
	// waited is up to where lines have waited for the end of a quote for long enough.
	waited int64
	at     int64     // behind the lines that were read
	sum    hash.Hash // of the bytes up to there
	behind mark      // behind the last row, and the blank lines after it
	ahead  []fileLine
	count  int // of the rows that were read, with names
	// unclosed says that the quotes of a row had no end.
	unclosed bool
}

// fileLine is one line; one that is too long has no text, and chain stands for it.
type fileLine struct {
	text []byte
	mark
	bare    int64
	tooLong bool
}

// newFileRows reads rows from a place on, which is a row's end, up to a size. sum is the hash of
// what stands before the place. Reading ends with the context.
func newFileRows(ctx context.Context, file io.ReaderAt, files *Files, from int64, sum hash.Hash, size int64) *fileRows {
	in := &contextReader{ctx, io.NewSectionReader(file, from, size-from)}
	return &fileRows{
		in: bufio.NewReaderSize(in, int(min(64<<10, size-from))), files: files, columns: files.Columns, at: from,
		sum: sum, behind: mark{from, chainOf(sum)},
	}
}

// rowsOf reads the rows of a complete text.
func rowsOf(text []byte, files *Files) *fileRows {
	r := newFileRows(context.Background(), bytes.NewReader(text), files, 0, sha256.New(), int64(len(text)))
	r.ends = true
	return r
}

// contextReader ends reading with a context.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// readNames reads the names of the values from the first row if it has them, and says so. The error
// is io.EOF if that row isn't complete yet.
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

// all yields the rows of CSV, without the first skip ones behind names in the file. The error is
// io.EOF if names are missing, or errOpen.
func (r *fileRows) all(skip int) iter.Seq2[*fileRow, error] {
	return func(yield func(*fileRow, error) bool) {
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

// errOpen is a row that has an open quote and isn't complete yet.
var errOpen = errors.New("its quotes have no end yet")

// next is the next row; io.EOF if it isn't complete yet, errOpen if lines of it are. Blank lines
// are passed over.
func (r *fileRows) next() (row fileRow, err error) {
	for {
		if err := r.fill(1); err != nil {
			return row, err
		}
		n := 1
		if first := &r.ahead[0]; first.tooLong {
			row.rawRow = rawRow{raw: first.Chain[:], problem: "the line is longer than 1 MiB"}
		} else if row.rawRow = (rawRow{raw: first.text}); len(row.raw) > 0 {
			if n, err = r.readRow(&row.rawRow); err != nil {
				return row, err
			}
		}
		row.mark, row.bare = r.ahead[n-1].mark, r.ahead[n-1].bare
		r.behind = row.mark
		r.ahead = r.ahead[:copy(r.ahead, r.ahead[n:])]
		if len(row.raw) > 0 {
			r.count++
			return row, nil
		}
	}
}

// readRow reads a row that begins with a line, and says over how many lines it goes.
func (r *fileRows) readRow(row *rawRow) (lines int, err error) {
	switch r.files.Format {
	case formatCSV:
		return r.readFields(row)
	case formatPattern:
		row.columns, row.fields, row.problem = r.files.Pattern.fields(string(row.raw))
		return 1, nil
	}
	row.raw = bytes.Trim(row.raw, betweenObjects)
	row.problem = jsonProblem(row.raw)
	return 1, nil
}

// readFields reads the values of a row of CSV and says over how many lines it goes. One whose
// quotes don't fit is set aside as one line: what follows it are rows again.
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
			err = r.fill(lines + 1)
			switch {
			case err == nil:
				mayEnd = !r.ahead[lines].tooLong
			case !errors.Is(err, io.EOF):
				return 0, err
			case !r.ends && r.behind.Offset >= r.waited:
				return 0, errOpen
			default:
				mayEnd = false
			}
		}
		if !mayEnd {
			row.problem, r.unclosed = "the quotes of the row don't fit", r.unclosed || state == fieldsOpen
			return 1, nil
		}
		text += "\n" + string(r.ahead[lines].text)
	}
}

// fill reads ahead until n lines are there.
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
	length := 0
	object := objectScan{lines: true}
	for {
		piece, err := r.readPiece(&object)
		isLast := errors.Is(err, io.EOF) && r.ends && length+len(piece) > 0
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !isLast {
			return l, err // what has no end yet is read again
		}
		r.sum.Write(piece)
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
	l.mark, l.bare = mark{r.at, chainOf(r.sum)}, r.at
	if !l.tooLong {
		text := bytes.TrimRight(l.text, "\r\n")
		l.bare -= int64(len(l.text) - len(text))
		l.text = text
	}
	if r.at == int64(length) { // the file's first line
		l.text = bytes.TrimPrefix(l.text, []byte("\ufeff"))
	}
	return l, nil
}

// readPiece reads on to the end of a line, of JSON only to the end of an object. The error is
// bufio.ErrBufferFull if that isn't there yet.
func (r *fileRows) readPiece(object *objectScan) ([]byte, error) {
	if r.files.Format != formatJSONLines {
		return r.in.ReadSlice('\n')
	}
	if _, err := r.in.Peek(1); err != nil {
		return nil, err
	}
	piece, _ := r.in.Peek(r.in.Buffered())
	n, ends := object.scan(piece)
	_, err := r.in.Discard(n)
	if err == nil && !ends {
		err = bufio.ErrBufferFull
	}
	return piece[:n], err
}

// fieldsState says how far the values of a text were read.
type fieldsState uint8

const (
	fieldsRead  fieldsState = iota
	fieldsOpen              // a quote has no end yet
	fieldsWrong             // something follows a quote that can't
)

// splitFields are the values of a row (RFC 4180). Quotes are plain text unless the separator is the
// comma, and within a value that doesn't begin with one. Within one that does, a quote is text if
// neither a separator nor the end of a line is next to it.
func splitFields(text string, separator byte) (fields []string, state fieldsState) {
	if separator != comma[0] {
		return strings.Split(text, string(separator)), fieldsRead
	}
	for {
		value, rest, more := strings.Cut(text, comma)
		if strings.HasPrefix(text, `"`) {
			end, state := quotedEnd(text)
			if state != fieldsRead {
				return nil, state
			}
			value = strings.ReplaceAll(text[1:end], `""`, `"`)
			_, rest, more = strings.Cut(text[end+1:], comma)
		}
		if fields = append(fields, value); !more {
			return fields, fieldsRead
		}
		text = rest
	}
}

// quotedEnd is where the quote ends that a text begins with.
func quotedEnd(text string) (end int, state fieldsState) {
	for at := 1; ; at++ {
		length := strings.IndexByte(text[at:], '"')
		if length < 0 {
			return 0, fieldsOpen
		}
		at += length
		before, after := text[at-1], byte('\n')
		if at+1 < len(text) {
			after = text[at+1]
		}
		switch {
		case after == '"':
			at++
		case after == comma[0], after == '\n':
			return at, fieldsRead
		case before == comma[0], before == '\n':
			return 0, fieldsWrong
		}
	}
}
