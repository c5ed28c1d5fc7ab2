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
	"slices"
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
	// LineEnd is the last byte of a line.
	LineEnd byte
	// Count is the number of rows that were read, with names.
	Count int
	// Blank says that nothing but what may stand between objects follows the last row, so that no row waits.
	Blank bool
	// Unclosed says that the quotes of a row had no end.
	Unclosed bool

	in     *bufio.Reader
	layout *Layout
	at     int64     // behind the lines that were read
	sum    hash.Hash // of the bytes up to there
	ahead  []line
}

// line is one line; one that is too long has no text, and Chain stands for it.
type line struct {
	text []byte
	Mark
	bare    int64
	tooLong bool
}

// New reads rows from a place on, which is a row's end, up to a size. sum is the hash of
// what stands before the place. Reading ends with the context.
func New(ctx context.Context, file io.ReaderAt, layout *Layout, from int64, sum hash.Hash, size int64) *Reader {
	in := WithContext(ctx, io.NewSectionReader(file, from, size-from))
	return &Reader{
		in: bufio.NewReaderSize(in, int(min(64<<10, size-from))), LineEnd: lineEnd(file, size), layout: layout,
		Columns: layout.Columns, at: from, sum: sum, Behind: Mark{from, ChainOf(sum)},
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

// The byte order marks of UTF-16.
var utf16le, utf16be = []byte("\xff\xfe"), []byte("\xfe\xff")

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
		} else if row.Row = (Row{}); len(bytes.TrimSpace(first.text)) > 0 && !r.isSeparatorLine(first.text) {
			row.Raw = first.text
			if bytes.HasPrefix(row.Raw, utf16le) || bytes.HasPrefix(row.Raw, utf16be) {
				row.Problem = "it is in UTF-16; convert the file to UTF-8, or let its program write UTF-8"
			} else if n, err = r.readRow(&row.Row); err != nil {
				return row, false, err
			}
		}
		if isNames = r.isNames(&row.Row); isNames {
			if err := r.fill(n + r.layout.Skip); err != nil && (!r.Ends || !errors.Is(err, io.EOF)) {
				return row, false, err
			}
			r.Columns = namesOf(row.Fields)
			n = min(n+r.layout.Skip, len(r.ahead))
			r.Count += r.layout.Skip
		}
		row.Mark, row.Bare = r.ahead[n-1].Mark, r.ahead[n-1].bare
		r.Behind = row.Mark
		r.ahead = r.ahead[:copy(r.ahead, r.ahead[n:])]
		if len(row.Raw) > 0 {
			r.Count++
			return row, isNames, nil
		}
	}
}

// separatorLine is a line by which a file of CSV tells Excel its separator.
var separatorLine = regexp.MustCompile(`^(?i)(?:sep=.|"sep=.")\s*$`)

func (r *Reader) isSeparatorLine(text []byte) bool {
	return r.layout.Format == FormatCSV && separatorLine.Match(text)
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
				mayEnd = !r.ahead[lines].tooLong
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

// FirstLines reads up to the end of the first line behind names. complete says whether that line has
// its end; if not, the place is where the names end, without a chain.
func (r *Reader) FirstLines() (behind Mark, complete bool, err error) {
	first := 1
	if err = r.fill(1); err == nil && r.isSeparatorLine(r.ahead[0].text) {
		first++
	}
	if r.layout.Format == FormatCSV && len(r.layout.Columns) == 0 {
		first += r.layout.Skip
		if err == nil {
			err = r.fill(first)
		}
		behind.Offset = r.at
		first++
	}
	if err == nil {
		err = r.fill(first)
	}
	if errors.Is(err, io.EOF) {
		return behind, false, nil
	}
	return Mark{r.at, ChainOf(r.sum)}, true, err
}

// fill reads ahead until n lines are there.
func (r *Reader) fill(n int) error {
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
	object := objectScan{lines: true}
	for {
		piece, err := r.readPiece(&object)
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
func (r *Reader) readPiece(object *objectScan) ([]byte, error) {
	if r.layout.Format != FormatJSONLines {
		return r.in.ReadSlice(r.LineEnd)
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

// split are the values of a row. Blanks behind a quoted value may be text too: they aren't if the row then has as many
// values as there are names, and has not otherwise.
func (r *Reader) split(text string) (fields []string, state fieldsState) {
	fits := func(n int) bool {
		return r.Columns == nil || n == len(r.Columns) || slices.Contains(r.layout.Widths, n)
	}
	fields, state = splitFields(text, r.layout, false)
	if state == fieldsRead && r.Columns != nil && fits(len(fields)) {
		return fields, state
	}
	padded, ofPadded := splitFields(text, r.layout, true)
	if ofPadded == fieldsRead && fits(len(padded)) && len(padded) > len(fields) {
		return padded, ofPadded
	}
	return fields, state
}

// splitFields are the values of a row (RFC 4180, but blanks around quotes don't count). Quotes are plain text unless
// the layout has them, and within a value that doesn't begin with one. Within one that does, a quote is text if
// neither a separator nor the end of a line is next to it; padded says that blanks may be between them.
func splitFields(text string, layout *Layout, padded bool) (fields []string, state fieldsState) {
	separator, blanks := layout.Separator, strings.ReplaceAll(" \t", layout.Separator, "")
	if !layout.HasQuotes() {
		return strings.Split(text, separator), fieldsRead
	}
	for {
		value, rest, more := strings.Cut(text, separator)
		if quoted := strings.TrimLeft(text, blanks); strings.HasPrefix(quoted, `"`) {
			isPadded := len(quoted) < len(text)
			end, state := quotedEnd(quoted, separator, "")
			if padded || isPadded || state == fieldsWrong {
				end, state = quotedEnd(quoted, separator, blanks)
			}
			isPlain := isPadded && (state != fieldsRead || hasText(quoted[1:end]))
			switch {
			case isPlain: // such as 1, "Ada" <4101>
			case state != fieldsRead:
				return nil, state
			default:
				value = strings.ReplaceAll(quoted[1:end], `""`, `"`)
				_, rest, more = strings.Cut(quoted[end+1:], separator)
			}
		}
		if fields = append(fields, value); !more {
			return fields, fieldsRead
		}
		text = rest
	}
}

// quotedText is a quoted value.
var quotedText = regexp.MustCompile(`^"(?:[^"]|"")*"`)

// splitAsWritten are the values of a line of which one goes on behind its closing quote, such as "Ada" <4101>.
// That value keeps its quotes. If a quote has no end, it returns nil.
func splitAsWritten(text string, layout *Layout) (fields []string) {
	for {
		quoted := quotedText.FindString(text)
		if quoted == "" && strings.HasPrefix(text, `"`) {
			return nil
		}
		behind, rest, more := strings.Cut(text[len(quoted):], layout.Separator)
		value := quoted + behind
		if quoted != "" && strings.TrimSpace(behind) == "" {
			value = strings.ReplaceAll(quoted[1:len(quoted)-1], `""`, `"`)
		}
		if fields = append(fields, value); !more {
			return fields
		}
		text = rest
	}
}

// hasText says whether quotes within a quoted value are text.
func hasText(quoted string) bool { return strings.Contains(strings.ReplaceAll(quoted, `""`, ""), `"`) }

// quotedEnd is where the quote ends that a text begins with. between may stand between it and a separator.
func quotedEnd(text, separator, between string) (end int, state fieldsState) {
	for at := 1; ; at++ {
		length := strings.IndexByte(text[at:], '"')
		if length < 0 {
			return 0, fieldsOpen
		}
		at += length
		before, behind := text[at-1], text[at+1:]
		lineEnd := strings.TrimLeft(behind, " \t")
		switch {
		case strings.HasPrefix(behind, `"`):
			at++
		case lineEnd == "", lineEnd[0] == '\n', strings.HasPrefix(strings.TrimLeft(behind, between), separator):
			return at, fieldsRead
		case before == separator[0], before == '\n':
			return 0, fieldsWrong
		}
	}
}
