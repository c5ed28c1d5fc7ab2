package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// waitForQuote is how long lines may wait for the end of a quote in a file that grows.
const waitForQuote = time.Minute

// linesLook reads files that grow, line by line.
//
// A file is found again by its inode, anywhere in its folder, if the bytes that were read are still
// the same: the file hasn't changed, or the hash of these bytes is equal. Any other file, such as a
// copy or a file with a reused inode, is read from its beginning, without the bytes that another
// file had already.
type linesLook struct {
	*look

	// byFirst are the entries by their First. Files that have no first lines in common aren't compared.
	byFirst map[rows.Chain][]*entry
	arrived map[uint64]time.Time // arriving of the last look
}

// newLinesLook finds up to where each file was read.
func newLinesLook(ctx context.Context, look *look) (readFile, error) {
	l := &linesLook{look, make(map[rows.Chain][]*entry), look.arriving}
	look.arriving = make(map[uint64]time.Time)
	missing := make(map[uint64]bool)
	entries := make(map[uint64][]*entry)
	for _, e := range l.entries {
		l.byFirst[e.First] = append(l.byFirst[e.First], e)
		if entries[e.ID] = append(entries[e.ID], e); len(l.list.ids[e.ID]) == 0 && e.ID != 0 {
			missing[e.ID] = true
		}
	}
	if len(missing) > 0 {
		l.list.addRenamed(l.Paths, missing)
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
	return l.read, nil
}

// findAgain looks for the entry of a file among the entries of its inode.
func (l *linesLook) findAgain(ctx context.Context, f *listedFile, entries []*entry) (found bool, err error) {
	if f.zipped { // one that is known is passed over; of another one its content says what was read
		version := versionOf(f)
		for _, e := range entries {
			if e.file == nil && (e.Change == version || e.Now.Offset == 0) {
				e.seeFile(f, l.day)
				return true, nil
			}
		}
		return false, nil
	}
	if len(entries) == 0 {
		return false, nil
	}
	change := l.settledChange(f.info)
	for _, e := range entries {
		if e.file == nil && change != 0 && e.Change == change {
			e.seeFile(f, l.day)
			return true, nil
		}
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
		same, err := fits(ctx, e.Now, file, f.info.Size())
		if err != nil && !errors.Is(err, errTruncated) {
			return false, err
		}
		if same {
			e.Change = change
			e.seeFile(f, l.day)
			return true, nil
		}
	}
	return false, nil
}

// settledChange is when a file last changed, 0 if that is only a moment ago: it may change again at
// the same instant.
func (l *linesLook) settledChange(info fs.FileInfo) int64 {
	change := changeOf(info)
	if l.Now().Sub(time.Unix(0, change)).Abs() < time.Second {
		return 0
	}
	return change
}

// addFile begins an unknown file. The file that had its inode before is gone, or has another inode now.
func (l *linesLook) addFile(f *listedFile, entries []*entry) {
	for _, e := range entries {
		if e.file == nil {
			e.ID = 0
		}
	}
	if !f.renamed {
		e := &entry{storedEntry: storedEntry{ID: f.id, Name: nameHash(f.path)}}
		e.seeFile(f, l.day)
		l.addEntry(e)
	}
}

// read reads what a file has beyond its mark.
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
	ends, err := printOf(file, e.Now.Offset)
	if err != nil {
		return nil // it was truncated just now
	}
	sum, err := hashOf(ctx, file, e.Now.Offset)
	if err == nil && rows.ChainOf(sum) != e.Now.Chain && e.Now.Offset > 0 {
		err = errTruncated
	}
	if err == nil {
		read := &linesRead{
			ctx: ctx, file: file, entry: e, print: ends, begin: l.markPage(), good: e.Good,
			goodNames: e.GoodNames,
		}
		if !l.audit {
			read.known, read.readable, err = l.known(ctx, file, e, sum)
		}
		if err == nil {
			e.Change = l.settledChange(info)
			err = l.readRows(read, sum)
		}
	}
	return ignoreTruncated(err)
}

// readZipped reads a compressed file once, at its end. It skips the beginning that the file shares
// with another one.
func (l *linesLook) readZipped(ctx context.Context, f *listedFile) error {
	e, version := f.entry, versionOf(f)
	if e.Change == version && !l.audit || !l.rests(f) {
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
	read := &linesRead{ctx: ctx, file: content, entry: e, begin: l.markPage()}
	if !l.audit {
		if read.known, read.readable, err = l.known(ctx, content, e, sha256.New()); err != nil {
			return ignoreTruncated(err)
		}
	}
	if err := l.readRows(read, sha256.New()); err != nil {
		return ignoreTruncated(err)
	}
	e.Change = version
	return nil
}

// linesRead is one reading of a file. print is a sample of its bytes, and guards against a
// truncation meanwhile; only its whole hash identifies a file.
// A compressed file has none: it rests.
type linesRead struct {
	ctx   context.Context
	file  io.ReaderAt
	entry *entry
	known int64 // up to where rows are passed over
	print [sha256.Size]byte
	// begin is the page without the rows behind the entry's mark.
	begin pageMark
	// readable is up to where the rows that are passed over could be read, good the entry's next Good.
	readable  int64
	good      rows.Mark
	goodNames int64
}

// readRows reads the complete rows behind a file's mark.
func (l *linesLook) readRows(r *linesRead, sum hash.Hash) error {
	f := r.entry.file
	size := f.info.Size()
	first := rows.New(r.ctx, r.file, &l.Config.Layout, r.entry.NowNames, sha256.New(), size)
	first.Waited = l.waited(f)
	err := first.ReadNames()
	if r.entry.Now.Offset <= first.Behind.Offset {
		r.entry.Name = nameHash(f.path) // names alone don't say that it is a file that was renamed
	}
	in := rows.New(r.ctx, r.file, &l.Config.Layout, r.entry.Now.Offset, sum, size)
	in.Columns, in.NamesAt, in.Ends, in.Waited = first.Columns, r.entry.NowNames, l.isComplete(f), first.Waited
	for err == nil {
		var row rows.PlacedRow
		if row, err = in.Next(); err != nil {
			break
		}
		if row.Bare <= min(r.known, r.readable) || row.Bare > r.known && l.addRow(&row, f.path) {
			r.good, r.goodNames = row.Mark, in.NamesAt
		}
		if l.isFull() {
			if err = l.moveTo(r, in, row.Mark); err == nil {
				err = l.emitPage()
				r.begin = l.markPage()
			}
		}
	}
	switch {
	case errors.Is(err, errStopped), errors.Is(err, errTruncated):
		return err
	case !errors.Is(err, io.EOF) && !errors.Is(err, rows.ErrOpen):
		return cmp.Or(l.moveTo(r, in, in.Behind), err)
	}
	l.noteWaiting(f, in, errors.Is(err, rows.ErrOpen))
	if err := l.compareLines(r.ctx, r.file, f, in); err != nil {
		return err
	}
	return l.moveTo(r, in, in.Behind)
}

// isComplete says whether no program writes to a file any more: it has another name than it had, or
// one as old files get, and rests; or it rests for long, and another file was written to since.
func (l *linesLook) isComplete(f *listedFile) bool {
	if f.zipped {
		return true
	}
	rests, newest := l.Now().Sub(f.info.ModTime()).Abs(), l.list.files[len(l.list.files)-1].info.ModTime()
	return rests >= l.Config.Quiet && (f.entry.Name != nameHash(f.path) || l.list.hasNewer(f)) ||
		rests >= waitForWhole && f.info.ModTime().Before(newest)
}

var errTruncated = errors.New("the file was truncated")

// ignoreTruncated leaves a file that was truncated to the next look.
func ignoreTruncated(err error) error {
	if errors.Is(err, errTruncated) {
		return nil
	}
	return err
}

// moveTo moves a file's rows.Mark behind the rows that were added to the page. If the file
// was truncated meanwhile it takes them off the page, and the error is errTruncated: they may be of
// two files, so they are left for the next look.
func (l *linesLook) moveTo(r *linesRead, in *rows.Reader, at rows.Mark) error {
	e := r.entry
	if !e.file.zipped {
		was, err := printOf(r.file, e.Now.Offset)
		next, failed := printOf(r.file, at.Offset)
		if err != nil || failed != nil || was != r.print {
			l.cutPage(r.begin)
			return errTruncated
		}
		r.print = next
	}
	e.Now, e.NowNames, e.Good, e.GoodNames = at, in.NamesAt, r.good, r.goodNames
	return nil
}
