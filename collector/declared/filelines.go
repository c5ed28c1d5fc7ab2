package declared

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// waitForQuote is how long lines may wait for the end of a quote in a file that grows.
const waitForQuote = time.Minute

// linesLook reads files that grow, line by line.
//
// A file is found again by its inode, wherever it lies in its folder, if it still has what was read of it: it hasn't changed, or the hash of these bytes is
// the same. One that isn't found again, such as a copy or one that the inode was given to, is read from its beginning, and what another
// file had already is passed over.
type linesLook struct {
	*fileLook
	*linesPosition
}

// newLinesLook finds what was read of each file.
func newLinesLook(ctx context.Context, look *fileLook) (fileKind, error) {
	position, err := parseLinesPosition(look.stored)
	if err != nil {
		return nil, err
	}
	l := &linesLook{look, position}
	missing := make(map[uint64]bool)
	entries := make(map[uint64][]*fileEntry)
	for _, e := range l.entries {
		if entries[e.ID] = append(entries[e.ID], e); len(l.list.ids[e.ID]) == 0 && e.ID != 0 {
			missing[e.ID] = true
		}
	}
	if len(missing) > 0 {
		l.list.addRenamed(l.paths, missing)
	}
	var others []*listedFile
	for _, f := range l.list.files {
		found, err := l.findAgain(ctx, f, entries[f.id])
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			l.list.fail(f, err)
		} else if !found {
			others = append(others, f)
		}
	}
	for _, f := range others {
		l.addFile(f, entries[f.id])
	}
	for _, e := range l.entries {
		if e.file == nil && e.Day < l.day-1 && len(l.list.troubles) == 0 {
			e.ID = 0 // its folder isn't searched any more
		}
	}
	return l, nil
}

// findAgain looks for the entry of a file among those of its inode.
func (l *linesLook) findAgain(ctx context.Context, f *listedFile, entries []*fileEntry) (found bool, err error) {
	if f.zipped { // one that is known is passed over; of another one its content says what was read
		version := int64(versionOf(f)) //nolint:gosec // it is compared
		for _, e := range entries {
			if e.file == nil && (e.Change == version || e.Change == 0 && e.Now.Offset == 0) {
				e.seeFile(f, l.day)
				return true, nil
			}
		}
		return false, nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return false, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	for _, e := range entries {
		if e.file != nil {
			continue
		}
		change := l.settledChange(f.info)
		fits := change != 0 && e.Change == change
		if !fits {
			if fits, err = e.Now.fits(ctx, file, f.info.Size()); err != nil && !errors.Is(err, errTruncated) {
				return false, err
			}
		}
		if fits {
			e.Change = change
			e.seeFile(f, l.day)
			return true, nil
		}
	}
	return false, nil
}

// settledChange is when a file last changed, 0 if that is only a moment ago: it may change again at the same instant.
func (l *linesLook) settledChange(info fs.FileInfo) int64 {
	change := changeOf(info)
	if l.now().Sub(time.Unix(0, change)).Abs() < time.Second {
		return 0
	}
	return change
}

// addFile begins a file that isn't known. What its inode was before is gone, or has another one now.
func (l *linesLook) addFile(f *listedFile, entries []*fileEntry) {
	for _, e := range entries {
		if e.file == nil {
			e.ID = 0
		}
	}
	if !f.renamed {
		e := &fileEntry{storedEntry: storedEntry{ID: f.id, Path: pathHash(f.path)}}
		e.seeFile(f, l.day)
		l.entries = append(l.entries, e)
	}
}

// read implements fileKind: it reads what a file has beyond its mark.
func (l *linesLook) read(ctx context.Context, f *listedFile) error {
	e := f.entry
	if e != nil && f.zipped {
		return l.readZipped(ctx, f)
	}
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
	print, err := printOf(file, e.Now.Offset)
	if err != nil {
		return nil // it was truncated just now
	}
	sum, err := hashOf(ctx, file, e.Now.Offset)
	if err == nil && chainOf(sum) != e.Now.Chain && e.Now.Offset > 0 {
		err = errTruncated
	}
	if err == nil {
		var known int64
		if !l.audit {
			known, err = l.known(ctx, file, e, sum)
		}
		if err == nil {
			e.Change = l.settledChange(info)
			err = l.readRows(&linesRead{ctx, file, e, known, print}, sum)
		}
	}
	return ignoreTruncated(err)
}

// readZipped reads a compressed file once, at its end. What it has in common with another one, from the beginning, is passed over.
func (l *linesLook) readZipped(ctx context.Context, f *listedFile) error {
	e, version := f.entry, int64(versionOf(f)) //nolint:gosec // it is compared
	if e.Change == version && !l.audit || l.now().Sub(f.changed()).Abs() < l.files.Quiet {
		return nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	content, err := l.inflate(ctx, f, file, func() { e.Change = version })
	if content == nil {
		return err
	}
	var known int64
	if !l.audit {
		if known, err = l.known(ctx, content, e, sha256.New()); err != nil {
			return ignoreTruncated(err)
		}
	}
	if err := l.readRows(&linesRead{ctx: ctx, file: content, entry: e, known: known}, sha256.New()); err != nil {
		return ignoreTruncated(err)
	}
	e.Change = version
	return nil
}

// linesRead is one reading of a file. print is a sample of its bytes, and guards against a truncation meanwhile; only its whole hash identifies a file.
// A compressed file has none: it rests.
type linesRead struct {
	ctx   context.Context
	file  io.ReaderAt
	entry *fileEntry
	known int64 // up to where rows are passed over
	print [sha256.Size]byte
}

// readRows reads the complete rows behind a file's mark.
func (l *linesLook) readRows(r *linesRead, sum hash.Hash) error {
	f := r.entry.file
	size := f.info.Size()
	first := newFileRows(r.ctx, r.file, l.files, 0, sha256.New(), size)
	first.waited = l.waited(f)
	inFile, err := first.readNames()
	if r.entry.Now.Offset <= first.behind.Offset {
		r.entry.Path = pathHash(f.path) // names alone don't say that it is a file that was renamed
	}
	rows := newFileRows(r.ctx, r.file, l.files, r.entry.Now.Offset, sum, size)
	rows.columns, rows.ends, rows.waited = first.columns, l.isComplete(f), first.waited
	for isNames := inFile && r.entry.Now.Offset == 0; err == nil; isNames = false {
		var row fileRow
		if row, err = rows.next(); err != nil {
			break
		}
		if row.bare > r.known && !isNames {
			l.addRow(&row, f.path)
		}
		if l.isFull() {
			err = l.emitUpTo(r, row.mark)
		}
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, errOpen) {
		return err
	}
	l.noteWaiting(f, rows, errors.Is(err, errOpen))
	if err := l.compareLines(r.ctx, r.file, f, rows); err != nil {
		return err
	}
	return l.emitUpTo(r, rows.behind)
}

// isComplete says whether no program writes to a file any more: it has another name than it had, or one as old files get, and rests; or it rests for
// long, and another file was written to since.
func (l *linesLook) isComplete(f *listedFile) bool {
	if f.zipped {
		return true
	}
	rests, newest := l.now().Sub(f.info.ModTime()).Abs(), l.list.files[len(l.list.files)-1].info.ModTime()
	return rests >= l.files.Quiet && (f.entry.Path != pathHash(f.path) || l.list.hasNewer(f.path)) ||
		rests >= waitForWhole && f.info.ModTime().Before(newest)
}

// known is up to where a file has what was read from another one, or from this one on an earlier day. The error is errTruncated while that isn't sure,
// since another one changes.
func (l *linesLook) known(ctx context.Context, file io.ReaderAt, e *fileEntry, sum hash.Hash) (known int64, err error) {
	size := e.file.info.Size()
	var marks []mark
	for _, other := range l.entries {
		if other != e {
			marks = append(marks, other.Now, other.Older)
		}
	}
	if known, err = commonUpTo(ctx, file, e.Now.Offset, sum, size, marks); err != nil {
		return 0, err
	}
	for _, other := range l.entries {
		if other == e || other.Now.Offset <= size || size <= known || other.file == nil {
			continue
		}
		switch same, err := other.sameUpTo(ctx, size, file); {
		case err != nil:
			return 0, err
		case same:
			known = size // a copy that isn't complete yet
		}
	}
	return known, nil
}

// commonUpTo is the last of the marks that a file has from a place on, whose hash is sum; the place itself if it has none.
func commonUpTo(ctx context.Context, file io.ReaderAt, from int64, sum hash.Hash, size int64, marks []mark) (common int64, err error) {
	slices.SortFunc(marks, func(a, b mark) int { return cmp.Compare(a.Offset, b.Offset) })
	if sum, err = sum.(hash.Cloner).Clone(); err != nil {
		return 0, err
	}
	common = from
	for _, m := range marks {
		if m.Offset <= common || m.Offset > size {
			continue
		}
		if err := hashTo(ctx, sum, file, from, m.Offset); err != nil {
			return 0, err
		}
		if from = m.Offset; chainOf(sum) == m.Chain {
			common = m.Offset
		}
	}
	return common, nil
}

// sameUpTo says whether another file has the same bytes up to an offset, at which this one was read already.
func (e *fileEntry) sameUpTo(ctx context.Context, offset int64, other io.ReaderAt) (bool, error) {
	opened, err := os.Open(e.file.path)
	if err != nil {
		return false, errTruncated
	}
	defer opened.Close() //nolint:errcheck // nothing was written
	var file io.ReaderAt = opened
	if e.file.zipped {
		file = &zipped{file: opened}
	}
	ours := make([]byte, 64<<10)
	theirs := make([]byte, len(ours))
	for at := int64(0); at < offset; at += int64(len(ours)) {
		n := int(min(offset-at, int64(len(ours))))
		if _, err := file.ReadAt(ours[:n], at); err != nil {
			return false, errTruncated
		}
		if _, err := other.ReadAt(theirs[:n], at); err != nil {
			return false, errTruncated
		}
		if !bytes.Equal(ours[:n], theirs[:n]) {
			return false, nil
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	fits, err := e.Now.fits(ctx, file, e.Now.Offset)
	if err == nil && !fits {
		err = errTruncated
	}
	return fits, err
}

var errTruncated = errors.New("the file was truncated")

// ignoreTruncated leaves a file that was truncated to the next look.
func ignoreTruncated(err error) error {
	if errors.Is(err, errTruncated) {
		return nil
	}
	return err
}

// emitUpTo yields the page so far with the position behind it. Of a file that was truncated meanwhile it yields nothing, and the error is errTruncated:
// what was read may be of two files, so it is left for the next look.
func (l *linesLook) emitUpTo(r *linesRead, at mark) (err error) {
	page, e := l.takePage(), r.entry
	if at.Offset == e.Now.Offset {
		return nil
	}
	if !e.file.zipped {
		was, err := printOf(r.file, e.Now.Offset)
		if err != nil || was != r.print {
			return errTruncated
		}
		if r.print, err = printOf(r.file, at.Offset); err != nil {
			return errTruncated
		}
	}
	e.Now = at
	return l.emitPage(page, l.append(nil))
}
