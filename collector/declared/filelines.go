package declared

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
)

// linesLook reads files that grow, line by line.
//
// A file is found again by its inode, wherever it lies in its folder, if it still has what was read of it. One that isn't found again, such as a
// copy or one that the inode was given to, is read from its beginning, and what another file had already is passed over.
type linesLook struct {
	*fileLook
	*linesPosition
}

// newLinesLook finds what was read of each file.
func newLinesLook(look *fileLook) (fileKind, error) {
	position, err := parseLinesPosition(look.stored)
	if err != nil {
		return nil, err
	}
	l := &linesLook{look, position}
	missing := make(map[uint64]bool)
	for _, e := range l.entries {
		if _, found := l.list.ids[e.ID]; !found && e.ID != 0 {
			missing[e.ID] = true
		}
	}
	if len(missing) > 0 {
		l.list.addRenamed(l.paths, missing)
	}
	var others []*listedFile
	for _, f := range l.list.files {
		if !l.findAgain(f) {
			others = append(others, f)
		}
	}
	for _, f := range others {
		l.addFile(f)
	}
	for _, e := range l.entries {
		if e.file == nil && e.Day < l.day-1 && len(l.list.troubles) == 0 {
			e.ID = 0 // its folder isn't searched any more
		}
	}
	return l, nil
}

// findAgain looks for what was read of a file. It returns true if that was found, or the file can't be read.
func (l *linesLook) findAgain(f *listedFile) bool {
	file, err := os.Open(f.path)
	if err != nil {
		l.list.fail(f, err)
		return true
	}
	defer file.Close() //nolint:errcheck // nothing was written
	for _, e := range l.entries {
		if e.ID == f.id && e.file == nil && e.Now.fits(file, f.info.Size()) {
			e.seeFile(f, l.day)
			return true
		}
	}
	return false
}

// addFile begins a file that isn't known. What its inode was before is gone, or has another one now.
func (l *linesLook) addFile(f *listedFile) {
	for _, e := range l.entries {
		if e.ID == f.id && e.file == nil {
			e.ID = 0
		}
	}
	if !f.renamed {
		e := &fileEntry{storedEntry: storedEntry{ID: f.id}}
		e.seeFile(f, l.day)
		l.entries = append(l.entries, e)
	}
}

// read implements fileKind: it reads what a file has beyond its mark.
func (l *linesLook) read(ctx context.Context, f *listedFile) error {
	e := f.entry
	if e == nil || f.info.Size() == e.Now.Offset {
		return nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	info, err := file.Stat()
	if err != nil || !os.SameFile(info, f.info) {
		return nil // it was renamed just now
	}
	f.info = info
	known, sure := l.known(file, e)
	if !sure {
		return nil
	}
	if err := l.readRows(ctx, file, e, known); !errors.Is(err, io.EOF) && !errors.Is(err, errTruncated) {
		return err
	}
	return nil
}

// readRows reads the complete rows behind a file's mark; those up to known are passed over. It ends with io.EOF.
func (l *linesLook) readRows(ctx context.Context, file *os.File, e *fileEntry, known int64) error {
	size := e.file.info.Size()
	first := newFileRows(file, l.files, mark{}, size)
	inFile, err := first.readNames()
	if err != nil {
		return err
	}
	at, rows := e.Now, newFileRows(file, l.files, e.Now, size)
	rows.columns = first.columns
	isNames := inFile && at.Offset == 0
	for {
		row, err := rows.next()
		if err != nil {
			return cmp.Or(l.emitUpTo(file, e, at), err)
		}
		if row.end > known && !isNames {
			l.addRow(&row, e.file.path)
		}
		at.Offset, at.Chain, isNames = row.end, row.chain, false
		if l.isFull() {
			if err := l.emitUpTo(file, e, at); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// known is up to where a file has what was read from another one, or from this one on an earlier day. That isn't sure while another one changes.
func (l *linesLook) known(file io.ReaderAt, e *fileEntry) (known int64, sure bool) {
	size := e.file.info.Size()
	known = e.Now.Offset
	for _, other := range l.entries {
		if other == e {
			continue
		}
		for _, m := range [...]mark{other.Now, other.Older} {
			if m.Offset > known && m.fits(file, size) {
				known = m.Offset
			}
		}
		if other.Now.Offset <= size || size <= known || other.file == nil {
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
	if err == nil && !e.Now.fits(file, e.Now.Offset) {
		err = errTruncated
	}
	if err != nil {
		return false, err
	}
	theirs, err := printOf(other, offset)
	return ours == theirs, err
}

var errTruncated = errors.New("the file was truncated")

// emitUpTo yields the page so far with the position behind it. Of a file that was truncated meanwhile it yields nothing, and the error is errTruncated:
// what was read may be of two files, so it is left for the next look.
func (l *linesLook) emitUpTo(file *os.File, e *fileEntry, at mark) (err error) {
	page := l.takePage()
	if at.Offset == e.Now.Offset {
		return nil
	}
	if at.Print, err = printOf(file, at.Offset); err != nil || !e.Now.fits(file, at.Offset) {
		return errTruncated
	}
	e.Now = at
	return l.emitPage(page, l.append(nil))
}
