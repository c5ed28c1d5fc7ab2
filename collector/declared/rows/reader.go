package rows

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
	"regexp"
	"strings"
)

const (
	// longestLine bounds a row of a file. Longer ones are set aside.
	longestLine = 1 << 20
	// rowLines is over how many lines a row of CSV may go.
	rowLines = 20
	// beginning is how much of a file shows how its lines end.
	beginning = 16 << 10
)

// Reader reads the rows of a file one by one. Memory is bounded by rowLines and longestLine.
type Reader struct {
	// Columns are the names of CSV; nil: the first row has them.
	Columns []string
	// Ends says that the text is complete, so that a last line without an end is a row; else it waits.
	Ends bool
	// Waited is up to where lines have waited for the end of a quote for long enough.
	Waited int64
	// Behind is behind the last row, and the blank lines after it.
	Behind Mark
	// NamesAt is where the latest names begin.
	NamesAt int64
	// LineEnd is the last byte of a line.
	LineEnd byte
	// Count is the number of rows that were read, with names. One that was cut and the next one are one line.
	Count int
	// Blank says that nothing but what may stand between objects follows the last row, so that no row waits.
	Blank bool
	// Unclosed says that the quotes of a row had no end.
	Unclosed bool

	in     *bufio.Reader
	layout *Layout
	// rest is what was read behind the NULs of a line, and restErr what was wrong then.
	rest    []byte
	restErr error
	titles  int       // lines to pass over
	at      int64     // behind the lines that were read
	sum     hash.Hash // of the bytes up to there
	ahead   []line
}

// line is one line; one that is too long has no text, and Chain stands for it.
type line struct {
	text []byte
	Mark
	bare    int64
	tooLong bool
	cut     bool // NULs follow it, and then another row
}

// New reads rows from a place on, which is a row's end, up to a size. sum is the hash of
// what stands before the place. Reading ends with the context.
func New(ctx context.Context, file io.ReaderAt, layout *Layout, from int64, sum hash.Hash, size int64) *Reader {
	in := WithContext(ctx, io.NewSectionReader(file, from, size-from))
	return &Reader{
		in: bufio.NewReaderSize(in, int(min(64<<10, size-from))), LineEnd: lineEnd(file, size), layout: layout,
		Columns: layout.Columns, at: from, sum: sum, Behind: Mark{from, ChainOf(sum)}, titles: layout.Titles,
	}
}

// lineEnd is what ends a line: CR in a file that begins with lines that end so, as a PBX writes them for a printer that
// feeds lines by itself, otherwise LF.
func lineEnd(file io.ReaderAt, size int64) byte {
	text := make([]byte, min(beginning, size))
	n, _ := file.ReadAt(text, 0) // what can't be read is found out later
	text = bytes.TrimRight(text[:n], "\r")
	if bytes.IndexByte(text, '\r') >= 0 && bytes.IndexByte(text, '\n') < 0 {
		return '\r'
	}
	return '\n'
}

// Of reads the rows of a complete text.
func Of(text []byte, layout *Layout) *Reader {
	r := New(context.Background(), bytes.NewReader(text), layout, 0, sha256.New(), int64(len(text)))
	r.Ends = true
	return r
}

// WithContext ends reading with a context.
func WithContext(ctx context.Context, in io.Reader) io.Reader { return &contextReader{ctx, in} }

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

// All yields the rows. The error is io.EOF if names are missing, or ErrOpen.
func (r *Reader) All() iter.Seq2[*PlacedRow, error] {
	return func(yield func(*PlacedRow, error) bool) {
		if err := r.ReadNames(); err != nil {
			yield(nil, err)
			return
		}
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) || !yield(&row, err) || err != nil {
				return
			}
		}
	}
}

// ErrOpen is a row that has an open quote and isn't complete yet.
var ErrOpen = errors.New("its quotes have no end yet")

// Next is the next row; io.EOF if it isn't complete yet, ErrOpen if lines of it are. Blank lines and
// names are passed over: files that were put one behind the other have names again and again.
func (r *Reader) Next() (PlacedRow, error) {
	for {
		if row, isNames, err := r.readNext(); err != nil || !isNames {
			return row, err
		}
	}
}

// isUTF16 says whether a line begins with a byte order mark of UTF-16.
func isUTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff"))
}

// readNext reads the next row, which may be the names, with the lines that the layout skips behind
// them.
func (r *Reader) readNext() (row PlacedRow, isNames bool, err error) {
	for {
		if err := r.fill(1); err != nil {
			return row, false, err
		}
		n := 1
		if first := &r.ahead[0]; first.tooLong {
			row.Row = Row{Raw: first.Chain[:], Problem: "the line is longer than 1 MiB"}
		} else if first.cut {
			row.Row = Row{Raw: first.text, Problem: "it was cut: NULs are in place of its end, as a crash leaves them"}
		} else if row.Row = (Row{}); len(bytes.TrimSpace(first.text)) > 0 && !r.isSeparatorLine(first.text) {
			row.Raw = first.text
			if isUTF16(row.Raw) {
				row.Problem = "it is in UTF-16; convert the file to UTF-8, or let its program write UTF-8"
			} else if n, err = r.readRow(&row.Row); err != nil {
				return row, false, err
			}
		}
		if isNames = r.isNames(&row.Row); isNames {
			if err := r.fill(n + r.layout.Skip); err != nil && (!r.Ends || !errors.Is(err, io.EOF)) {
				return row, false, err
			}
			r.Columns, r.NamesAt = namesOf(row.Fields), r.Behind.Offset
			n = min(n+r.layout.Skip, len(r.ahead))
			r.Count += r.layout.Skip
		}
		row.Mark, row.Bare = r.ahead[n-1].Mark, r.ahead[n-1].bare
		cut := r.ahead[0].cut
		r.Behind = row.Mark
		r.ahead = r.ahead[:copy(r.ahead, r.ahead[n:])]
		if len(row.Raw) > 0 {
			if !cut {
				r.Count++
			}
			return row, isNames, nil
		}
	}
}

// separatorLine is a line by which a file of CSV tells Excel its separator.
var separatorLine = regexp.MustCompile(`^(?i)(?:sep=.|"sep=.")\s*$`)

func (r *Reader) isSeparatorLine(text []byte) bool {
	return r.layout.Format == FormatCSV && separatorLine.Match(text)
}

// readRow reads a row that begins with a line, and says over how many lines it goes.
func (r *Reader) readRow(row *Row) (lines int, err error) {
	switch r.layout.Format {
	case FormatCSV:
		return r.readFields(row)
	case FormatPattern:
		row.Columns, row.Fields, row.Problem = r.layout.Pattern.fields(string(row.Raw))
		return 1, nil
	}
	row.Raw = bytes.Trim(row.Raw, betweenLines)
	row.Problem = problemOf(row.Raw)
	return 1, nil
}

// readFields reads the values of a row of CSV and says over how many lines it goes. One whose
// quotes don't fit is set aside as one line: what follows it are rows again.
func (r *Reader) readFields(row *Row) (lines int, err error) {
	text := string(row.Raw)
	for lines = 1; ; lines++ {
		fields, state := r.split(text)
		if state == fieldsRead {
			row.Raw, row.Columns, row.Fields = []byte(text), r.Columns, fields
			if r.Columns != nil && !r.layout.allows(len(fields)) {
				row.Problem = fmt.Sprintf("it has %d values, which is none of %v", len(fields), r.layout.Widths)
			}
			return lines, nil
		}
		mayEnd := state == fieldsOpen && lines < rowLines && len(text) <= longestLine
		if mayEnd {
			err = r.fill(lines + 1)
			switch {
			case err == nil:
				mayEnd = !r.ahead[lines].tooLong && !r.ahead[lines].cut
			case !errors.Is(err, io.EOF):
				return 0, err
			case !r.Ends && r.Behind.Offset >= r.Waited:
				return 0, ErrOpen
			default:
				mayEnd = false
			}
		}
		if !mayEnd {
			if fields := splitAsWritten(string(row.Raw), r.layout); len(fields) > 0 && len(fields) == len(r.Columns) {
				row.Columns, row.Fields = r.Columns, fields
				return 1, nil
			}
			row.Problem, r.Unclosed = "the quotes of the row don't fit", r.Unclosed || state == fieldsOpen
			return 1, nil
		}
		text += "\n" + string(r.ahead[lines].text)
	}
}

// FirstLines reads up to the end of the first line that is neither blank nor names: other files may have these too.
// complete says whether that line has its end; if not, the place is where the names end, without a chain.
func (r *Reader) FirstLines() (behind Mark, complete bool, err error) {
	for err = r.fill(1); err == nil; err = r.fill(1) {
		n := 1
		if first := &r.ahead[0]; first.tooLong || !r.isEmpty(first.text) {
			var row Row
			isNames := r.layout.Format == FormatCSV
			if isNames {
				row.Fields, _ = r.split(string(first.text))
				isNames = r.Columns == nil || r.isNames(&row)
			}
			if !isNames {
				return first.Mark, true, nil
			}
			r.Columns, n = namesOf(row.Fields), 1+r.layout.Skip
		}
		if err = r.fill(n); err != nil {
			break
		}
		r.ahead = r.ahead[n:]
	}
	if errors.Is(err, io.EOF) {
		return Mark{Offset: r.at}, false, nil
	}
	return behind, false, err
}

// isEmpty says whether a line has no row, as readNext sees it.
func (r *Reader) isEmpty(text []byte) bool {
	return r.IsBlank(text) || len(bytes.TrimSpace(text)) == 0 || r.isSeparatorLine(text)
}

// fill reads ahead until n lines are there.
func (r *Reader) fill(n int) error {
	for ; r.titles > 0; r.titles-- {
		l, err := r.readLine()
		if err != nil {
			return err
		}
		if isUTF16(l.text) { // a row that says so
			r.ahead, r.titles = append(r.ahead, l), 0
			break
		}
		if l.tooLong || !r.IsBlank(l.text) {
			r.Count++
		}
	}
	for len(r.ahead) < n {
		l, err := r.readLine()
		if err != nil {
			return err
		}
		r.ahead = append(r.ahead, l)
	}
	return nil
}

// readLine reads a line. It leaves out NULs before it: they are what a crash of the machine, or a writer
// that kept its place when the file was truncated, left there.
func (r *Reader) readLine() (l line, err error) {
	length := 0
	object, nulls := objectScan{lines: true}, nullScan{separator: r.layout.Separator}
	for {
		piece, err := r.readPiece(&object, &nulls)
		isLast := errors.Is(err, io.EOF) && r.Ends && length+len(piece) > 0
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !isLast {
			r.Blank = len(r.ahead) == 0 && r.IsBlank(append(l.text, piece...))
			return l, err // what has no end yet is read again
		}
		r.sum.Write(piece)
		length += len(piece)
		if !l.tooLong && len(l.text) == 0 {
			piece = bytes.TrimLeft(piece, "\x00")
		}
		if l.tooLong = l.tooLong || len(l.text)+len(piece) > longestLine; l.tooLong {
			l.text = nil
		} else {
			l.text = append(l.text, piece...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	if l.cut = nulls.found; l.cut {
		l.text = bytes.TrimRight(l.text, "\x00")
	}
	r.at += int64(length)
	l.Mark, l.bare = Mark{r.at, ChainOf(r.sum)}, r.at
	if !l.tooLong {
		text := bytes.TrimRight(l.text, "\r\n")
		l.bare -= int64(len(l.text) - len(text))
		l.text = text
	}
	l.text = withoutMark(l.text)
	return l, nil
}

// IsBlank says whether a line has no row, nor a part of one.
func (r *Reader) IsBlank(text []byte) bool {
	if r.layout.Format == FormatJSONLines {
		return len(bytes.Trim(text, betweenLines)) == 0
	}
	return len(bytes.Trim(text, "\r\n")) == 0
}

// readPiece reads on to the end of a line, of JSON only to the end of an object. The error is
// bufio.ErrBufferFull if that isn't there yet.
func (r *Reader) readPiece(object *objectScan, nulls *nullScan) ([]byte, error) {
	if r.layout.Format != FormatJSONLines {
		piece, err := r.rest, r.restErr
		if r.rest = nil; piece == nil {
			piece, err = r.in.ReadSlice(r.LineEnd)
		}
		if at := nulls.scan(piece); nulls.found {
			r.rest, r.restErr = piece[at:], err
			return piece[:at], nil
		}
		return piece, err
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

// nullScan finds where a line goes on behind NULs that follow a text. It scans a line piece by piece. A single NUL may
// be of UTF-16, and NULs before a separator or the end of a line are part of a value.
type nullScan struct {
	separator   string
	text, found bool
	nulls       int // of the end of what was scanned
}

// scan returns where in a piece the line goes on, if that is found.
func (s *nullScan) scan(piece []byte) int {
	if s.nulls == 0 && bytes.IndexByte(piece, 0) < 0 {
		s.text = s.text || len(piece) > 0
		return 0
	}
	for i, c := range piece {
		if c == 0 {
			s.nulls++
			continue
		}
		ends := c == '\r' || c == '\n' || strings.IndexByte(s.separator, c) >= 0
		if s.found = s.text && s.nulls > 1 && !ends; s.found {
			return i
		}
		s.text, s.nulls = true, 0
	}
	return 0
}
