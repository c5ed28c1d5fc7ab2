package files

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// A page of rows of files is bounded by both.
const (
	pageRows  = 1000
	pageBytes = 4 << 20
)

// Settings are what a reader needs.
type Settings struct {
	Config Config
	Paths  []string // patterns
	// Optional says that files may be missing, because records are posted too.
	Optional bool
	Now      func() time.Time
	// Path leads to the rows in a document; nil: a document is a row.
	Path []string
	// Document reads the rows of a document of JSON.
	Document  func(text []byte) ([]rows.Row, error)
	NewMapper func() rowmap.Mapper
	// Wording is a digest of what the definition and the source say of rows.
	Wording uint64
	// Identity is a digest of the part that identifies rows.
	Identity uint64
}

// Reader reads files. It implements collector.StreamReader.
type Reader struct {
	Settings

	// open are the rows with an open quote that the last look found, by idOf of their files.
	open map[uint64]openRow
	// arriving is since when files that may overwrite longer ones are written, as of the last look, by idOf.
	arriving map[uint64]time.Time
	// changed is Changed in seconds since 1970; 0: always.
	changed int64
}

// New makes a reader. It reads nothing.
func New(s *Settings) *Reader { return &Reader{Settings: *s, open: make(map[uint64]openRow)} }

// Changed is since when the same values identify rows, zero if always. Pages finds it out.
func (r *Reader) Changed() (at time.Time) {
	if r.changed != 0 {
		at = time.Unix(r.changed, 0)
	}
	return at
}

// openRow is a row with an open quote in a file that grows.
type openRow struct {
	offset int64     // where it begins
	size   int64     // of the file then
	since  time.Time // when it was found
}

// readFile adds to the pages what a file has that wasn't read yet.
type readFile = func(ctx context.Context, f *listedFile) error

// Pages implements collector.StreamReader.
func (r *Reader) Pages(ctx context.Context, from collector.StreamPosition) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		l := &look{
			Reader: r, stored: from.Resume, day: dayOf(from.Now), audit: from.Audit, done: from.HistoryDone,
			once: from.Once, list: listFiles(r.Paths), yield: yield, mapper: r.NewMapper(), page: new(collector.Page),
		}
		newLook := newLinesLook
		if l.gone = goneLines; r.Config.Read == ReadWhole {
			l.gone, newLook = goneWholes, newWholeLook
		}
		var read readFile
		err := l.parse()
		if err == nil {
			read, err = newLook(ctx, l)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, f := range l.list.files {
			err := read(ctx, f)
			switch {
			case errors.Is(err, errStopped):
				return
			case ctx.Err() != nil:
				yield(nil, ctx.Err())
				return
			case err != nil:
				l.list.fail(f, err)
			}
		}
		if len(l.list.files) == 0 && len(l.entries) == 0 && !r.Optional {
			l.list.waits = append(l.list.waits, r.noFile())
		}
		l.emitEnd()
	}
}

// probeTime is how long a probe reads on behind the first rows, to find what can't be read or
// waits.
const probeTime = 10 * time.Second

// Probe reads for some time, at least until there are rows.
func (r *Reader) Probe(ctx context.Context) (n int, err error) {
	list := listFiles(r.Paths)
	if err := list.err(); err != nil {
		return 0, err
	}
	if len(list.files) == 0 && !r.Optional {
		return 0, r.noFile()
	}
	began, readable := r.Now(), false
	bad, first := 0, collector.BadRow{}
	for page, err := range r.Pages(ctx, collector.StreamPosition{Now: began, HistoryDone: true}) {
		if err != nil {
			return n, err
		}
		if bad == 0 && len(page.Invalid) > 0 {
			first = page.Invalid[0]
		}
		bad, readable = bad+len(page.Invalid), readable || len(page.Records)+len(page.Ignored) > 0
		if n += len(page.Records) + len(page.Invalid); n > 0 && r.Now().Sub(began) >= probeTime {
			break
		}
	}
	if bad > 0 && !readable {
		return n, advice.NoneReadable(bad, first.At+": "+first.Problem)
	}
	return n, nil
}

func (r *Reader) noFile() *advice.Error {
	return &advice.Error{
		What: "no file matches " + strings.Join(r.Paths, ", "),
		Todo: "see that paths are right, that the files are there, and that they aren't compressed otherwise than " +
			"by gzip",
	}
}

// look is one look at all files.
type look struct {
	*Reader
	filesPosition

	stored []byte // the position as it was committed
	day    int64
	audit  bool // nothing is passed over, and lines are counted
	done   bool // the first history was read, and later looks get what can't be read yet
	once   bool // no later look gets it
	// justMoved: a first history lacks a file that was compressed or renamed just now.
	justMoved bool

	list   *fileList
	mapper rowmap.Mapper
	yield  func(*collector.Page, error) bool

	page        *collector.Page
	rows, bytes int // on the page
}

// errStopped says that the consumer wants no more.
var errStopped = errors.New("stopped")

// isFull says whether the page must be committed before another row is added.
func (l *look) isFull() bool { return l.rows >= pageRows || l.bytes >= pageBytes }

// takePage returns the page and begins an empty one.
func (l *look) takePage() *collector.Page {
	page := l.page
	l.page, l.rows, l.bytes = new(collector.Page), 0, 0
	return page
}

// pageMark is how much a page has.
type pageMark struct{ records, invalid, ignored, unmapped, rows, bytes int }

func (l *look) markPage() pageMark {
	p := l.page
	return pageMark{len(p.Records), len(p.Invalid), len(p.Ignored), len(p.Unmapped), l.rows, l.bytes}
}

// cutPage takes from the page what was added since a mark.
func (l *look) cutPage(to pageMark) {
	p := l.page
	p.Records, p.Invalid, p.Ignored, p.Unmapped = p.Records[:to.records], p.Invalid[:to.invalid],
		p.Ignored[:to.ignored], p.Unmapped[:to.unmapped]
	l.rows, l.bytes = to.rows, to.bytes
}

// emitPage yields the page with the position, and begins an empty one.
func (l *look) emitPage() error {
	page := l.takePage()
	page.Position = &collector.Position{Resume: l.append(nil), Misses: l.list.misses()}
	if !l.yield(page, nil) {
		return errStopped
	}
	return nil
}

// addRow adds a row of a file to the page, and says whether it could be read.
func (l *look) addRow(row *rows.PlacedRow, path string) (valid bool) {
	l.rows++
	l.bytes += len(row.Raw)
	mapped := l.mapper.Map(&row.Row)
	if r := mapped.Record; r != nil && r.Synthetic != "" {
		r.Synthetic = string(row.Chain[:]) // its place
	}
	mapped.Put(l.page, row.Raw, fmt.Sprintf("%s, before byte %d", path, row.Offset))
	return mapped.Invalid == ""
}

// waited is up to where the lines of a file have waited for the end of a quote for long enough.
func (l *look) waited(f *listedFile) int64 {
	if l.Now().Sub(f.info.ModTime()).Abs() >= waitForQuote {
		return f.info.Size()
	}
	if o, is := l.open[f.id]; is && l.Now().Sub(o.since) >= waitForQuote {
		return o.size
	}
	return 0
}

// noteWaiting notes what isn't read of a file although all rows up to there are: complete lines
// with an open quote, or a line without an end.
func (l *look) noteWaiting(f *listedFile, in *rows.Reader, open bool) {
	size, at := f.info.Size(), in.Behind.Offset
	if o := l.open[f.id]; !open {
		delete(l.open, f.id)
	} else if o.offset != at || o.since.IsZero() {
		l.open[f.id] = openRow{at, size, l.Now()}
	}
	rests := l.Now().Sub(f.info.ModTime()).Abs()
	switch where := fmt.Sprintf("the %d bytes from byte %d on", size-at, at); {
	case open:
		l.list.wait(true, f.path, where+" begin with a row whose quotes have no end yet",
			"nothing: after a minute its first line is set aside, and the lines behind it are read; if it "+
				"happens again, see how the program writes quotes")
	case at < size && !in.Blank && rests >= waitForQuote:
		l.list.wait(false, f.path, where+" are a last line without an end",
			"nothing, if its program goes on; the line is read when it has an end, when the file was rotated, "+
				"or when the file has rested for an hour")
	}
}

// inflate reads a compressed file that rests, once: content is nil if it is being written or is set
// aside. done is called if it is set aside.
func (l *look) inflate(
	ctx context.Context, f *listedFile, file *os.File, done func(),
) (content io.ReaderAt, err error) {
	z, problem, mayPass, err := openZipped(ctx, file)
	switch {
	case err != nil:
		return nil, err
	case mayPass && l.Now().Sub(f.changed()).Abs() < waitForWhole:
		l.list.wait(true, f.path, problem, "see that it is a gzip file and was copied to its end; it is tried "+
			"again for an hour after it was last written to, "+
			"then set aside until it changes")
		return nil, nil
	case problem != "":
		row := rows.Row{Raw: fmt.Appendf(nil, "%x", versionOf(f)), Problem: problem}
		l.addRow(&rows.PlacedRow{Row: row}, f.path)
		done()
		return nil, nil
	}
	f.info = sizedInfo{f.info, z.size}
	return z, nil
}

// compareLines counts the lines of a file for an audit, apart from reading its rows, and says how
// many more there are.
func (l *look) compareLines(ctx context.Context, file io.ReaderAt, f *listedFile, in *rows.Reader) error {
	if !l.audit {
		return nil
	}
	text := bufio.NewReader(rows.WithContext(ctx, io.NewSectionReader(file, 0, f.info.Size())))
	lines, blank := 0, true
	for {
		piece, err := text.ReadSlice(in.LineEnd)
		if blank = blank && in.IsBlank(piece); errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if !blank {
			lines++
		}
		if blank = true; errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if lines > in.Count {
		l.list.waits = append(l.list.waits, &advice.Error{
			What: fmt.Sprintf("the file %s has %d lines and %d rows", f.path, lines, in.Count),
			Todo: "nothing, if values in quotes go over several lines or its last line isn't complete; else " +
				"see how the program writes quotes",
		})
	}
	return nil
}

// emitEnd yields the last rows with the position behind all files, if there is anything new, and then the troubles.
func (l *look) emitEnd() {
	if len(l.list.files) > 0 && len(l.list.troubles) == 0 {
		l.forget()
	}
	hasRows := l.rows > 0 // before takePage, which begins an empty page
	page, err := l.takePage(), l.list.err()
	page.Position = &collector.Position{
		Resume: l.append(nil), HistoryDone: l.list.anyRead() && !l.justMoved, Misses: l.list.misses(),
	}
	isNew := len(l.list.troubles) > 0 || hasRows || !bytes.Equal(page.Position.Resume, l.stored)
	if isNew && !l.yield(page, nil) {
		return
	}
	if err != nil {
		l.yield(nil, err)
	}
}
