package declared

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// linesReader reads files that grow, line by line. It implements collector.StreamReader.
//
// A file is found again by its inode, wherever it lies in its folder, if it still has what was read of it. One that isn't found again, such as a
// copy or one that the inode was given to, is read from its beginning, and what another file had already is passed over.
type linesReader struct{ *fileSettings }

// Pages implements collector.StreamReader.
func (r *linesReader) Pages(ctx context.Context, from collector.StreamPosition) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		position, err := parseLinesPosition(from.Position)
		if err != nil {
			yield(nil, err)
			return
		}
		l := &linesLook{linesReader: r, position: position, stored: from.Position, day: dayOf(from.Now), pages: newFilePages(r.fileSettings), yield: yield}
		l.list()
		for _, f := range l.files.files {
			if f.entry != nil && !l.stopped {
				l.read(ctx, f.entry)
			}
		}
		if !l.stopped {
			l.end()
		}
	}
}

// linesLook is one look at all files.
type linesLook struct {
	*linesReader

	position linesPosition
	stored   []byte // as it was committed
	day      int64
	files    *fileList
	pages    *filePages
	yield    func(*collector.Page, error) bool
	stopped  bool // the consumer wants no more
}

// list finds the files and what was read of each.
func (l *linesLook) list() {
	l.files = listFiles(l.paths)
	missing := make(map[uint64]bool)
	for _, e := range l.position.entries {
		if _, found := l.files.ids[e.id]; !found && e.id != 0 {
			missing[e.id] = true
		}
	}
	if len(missing) > 0 {
		l.files.addRenamed(l.paths, missing)
	}
	var others []*listedFile
	for _, f := range l.files.files {
		if !l.findAgain(f) {
			others = append(others, f)
		}
	}
	for _, f := range others {
		l.addFile(f)
	}
	for _, e := range l.position.entries {
		if e.file == nil && e.day < l.day-1 && len(l.files.troubles) == 0 {
			e.id = 0 // its folder isn't searched any more
		}
	}
}

// findAgain looks for what was read of a file. It returns true if that was found, or the file can't be read.
func (l *linesLook) findAgain(f *listedFile) bool {
	file, err := os.Open(f.path)
	if err != nil {
		l.files.fail(f, err)
		return true
	}
	defer file.Close() //nolint:errcheck // nothing was written
	for _, e := range l.position.entries {
		if e.id == f.id && e.file == nil && e.now.fits(file, f.info.Size()) {
			e.see(f, l.day)
			return true
		}
	}
	return false
}

// addFile begins a file that isn't known. What its inode was before is gone, or has another one now.
func (l *linesLook) addFile(f *listedFile) {
	for _, e := range l.position.entries {
		if e.id == f.id && e.file == nil {
			e.id = 0
		}
	}
	if !f.renamed {
		e := &fileEntry{id: f.id}
		e.see(f, l.day)
		l.position.entries = append(l.position.entries, e)
	}
}

// read reads what a file has beyond its mark.
func (l *linesLook) read(ctx context.Context, e *fileEntry) {
	if e.file.info.Size() == e.now.offset {
		return
	}
	file, err := os.Open(e.file.path)
	if err != nil {
		l.files.fail(e.file, err)
		return
	}
	defer file.Close() //nolint:errcheck // nothing was written
	info, err := file.Stat()
	if err != nil || !os.SameFile(info, e.file.info) {
		return // it was renamed just now
	}
	e.file.info = info
	known, sure := l.known(file, e)
	if !sure {
		return
	}
	if err := l.readRows(ctx, file, e, known); err != nil && !errors.Is(err, io.EOF) {
		l.files.fail(e.file, err)
	}
}

// readRows reads the complete rows behind a file's mark; those up to known are passed over. It ends with io.EOF.
func (l *linesLook) readRows(ctx context.Context, file *os.File, e *fileEntry, known int64) error {
	size := e.file.info.Size()
	first := newFileRows(file, l.fileSettings.files, mark{}, size)
	inFile, err := first.readNames()
	if err != nil {
		return err
	}
	at, rows := e.now, newFileRows(file, l.fileSettings.files, e.now, size)
	rows.columns = first.columns
	isNames := inFile && at.offset == 0
	for {
		row, err := rows.next()
		if err != nil {
			l.emit(file, e, at)
			return err
		}
		if row.end > known && !isNames {
			l.pages.add(&row, e.file.path)
		}
		at.offset, at.chain, isNames = row.end, row.chain, false
		if l.pages.isFull() && !l.emit(file, e, at) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			l.stopped = true
			l.yield(nil, err)
			return nil
		}
	}
}

// known is up to where a file has what was read from another one, or from this one on an earlier day. That isn't sure while another one changes.
func (l *linesLook) known(file io.ReaderAt, e *fileEntry) (known int64, sure bool) {
	size := e.file.info.Size()
	known = e.now.offset
	for _, other := range l.position.entries {
		if other == e {
			continue
		}
		for _, m := range [...]mark{other.now, other.older} {
			if m.offset > known && m.fits(file, size) {
				known = m.offset
			}
		}
		if other.now.offset <= size || size <= known || other.file == nil {
			continue
		}
		switch same, err := other.sameUpTo(size, file); {
		case err != nil:
			return 0, false
		case same:
			known = size // a copy that isn't complete yet
		}
	}
	return known, true
}

// sameUpTo says whether another file has the same bytes up to an offset, at which this one was read already.
func (e *fileEntry) sameUpTo(offset int64, other io.ReaderAt) (bool, error) {
	file, err := os.Open(e.file.path)
	if err != nil {
		return false, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	ours, err := printOf(file, offset)
	if err == nil && !e.now.fits(file, e.now.offset) {
		err = errTruncated
	}
	if err != nil {
		return false, err
	}
	theirs, err := printOf(other, offset)
	return ours == theirs, err
}

var errTruncated = errors.New("the file was truncated")

// emit yields the page so far with the position behind it, and says whether to go on with the file. If it was truncated meanwhile it is left for the next
// look: what was read may be of two files.
func (l *linesLook) emit(file *os.File, e *fileEntry, at mark) bool {
	page := l.pages.take()
	if at.offset == e.now.offset {
		return true
	}
	var err error
	if at.print, err = printOf(file, at.offset); err != nil || !e.now.fits(file, at.offset) {
		return false
	}
	e.now = at
	page.Position = &collector.Position{Plan: l.position.append(nil)}
	l.stopped = !l.yield(page, nil)
	return !l.stopped
}

// end yields the position if it changed without a row, and then the troubles.
func (l *linesLook) end() {
	if len(l.files.files) > 0 && len(l.files.troubles) == 0 {
		l.position.forget()
	}
	last := &collector.Position{Plan: l.position.append(nil), HistoryDone: l.files.anyRead()}
	err := l.files.err()
	if (err != nil || !bytes.Equal(last.Plan, l.stored)) && !l.yield(&collector.Page{Position: last}, nil) {
		return
	}
	if err != nil {
		l.yield(nil, err)
	}
}
