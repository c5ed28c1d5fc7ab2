package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// known is up to where a file has what was read from another one, or from this one on an earlier
// day, and up to where its rows could be read. The error is errTruncated while that isn't sure,
// since another one changes.
func (l *linesLook) known(
	ctx context.Context, file io.ReaderAt, e *entry, sum hash.Hash,
) (known, readable int64, err error) {
	size := e.file.info.Size()
	first, at, complete, err := l.firstLines(ctx, file, size)
	if err != nil || !complete && !l.isComplete(e.file) { // then it has no row yet
		return 0, 0, err
	}
	if e.First != first {
		e.First = first
		l.byFirst[first] = append(l.byFirst[first], e)
	}
	others := l.byFirst[first]
	var offsets []int64
	marks := make(map[rows.Mark]rows.Mark)
	for _, other := range others {
		for _, m := range [...]rows.Mark{other.Now, other.Older} {
			if other != e {
				offsets, marks[m] = append(offsets, m.Offset), other.Good
			}
		}
	}
	slices.Sort(offsets)
	known, good, err := commonUpTo(ctx, file, e.Now.Offset, sum, size, offsets, marks)
	if err != nil {
		return 0, 0, err
	}
	readable = good.Offset
	if !complete { // it may be a copy that was cut within its first row
		others = l.entries
	}
	head, overwrites, common := headOf(file, at), false, false
	for _, other := range others {
		if other == e {
			continue
		}
		common = common || other.file != nil // as first lines are that each file has
		if other.Now.Offset <= size || size <= known {
			continue
		}
		if other.file == nil { // only its first lines can be compared
			overwrites = complete && e.Now.Offset < at // no row was read
			continue
		}
		same, err := other.mayHave(ctx, head, at)
		if same && err == nil {
			same, err = other.sameUpTo(ctx, size, file)
		}
		if err != nil {
			return 0, 0, err
		}
		if same {
			known, readable = size, other.Good.Offset // a copy that isn't complete yet
		}
	}
	if l.arrives(e.file, overwrites && !common && known < size) {
		l.list.wait(true, e.file.path, "it begins as a longer file that was read and is gone, and it is still written",
			"nothing: if it is a copy, its rows are known once it is as long; else they are read when it rests")
		return 0, 0, errTruncated
	}
	return known, readable, nil
}

// arrives says whether a file that may overwrite a longer one is still written. A file that is never at rest is read
// after an hour.
func (l *linesLook) arrives(f *listedFile, overwrites bool) bool {
	if !overwrites || l.isComplete(f) || l.Now().Sub(f.changed()).Abs() >= l.Config.Quiet {
		return false
	}
	since, is := l.arrived[f.id]
	if !is {
		since = l.Now()
	}
	l.arriving[f.id] = since
	return l.Now().Sub(since) < waitForWhole
}

// firstLines is a hash of a file up to the end of the first line behind names, which is at. If that
// line isn't complete, the hash is of the whole file, and at is where the names end.
func (l *linesLook) firstLines(
	ctx context.Context, file io.ReaderAt, size int64,
) (first rows.Chain, at int64, complete bool, err error) {
	behind, complete, err := rows.New(ctx, file, &l.Config.Layout, 0, sha256.New(), size).FirstLines()
	if err == nil && !complete {
		sum, err := hashOf(ctx, file, size)
		return rows.ChainOf(sum), behind.Offset, false, err
	}
	return behind.Chain, behind.Offset, true, err
}

// commonUpTo is the last of the marks, at sorted offsets, that a file has from a place on, whose
// hash is sum, and what marks has for it; the place itself if it has none.
func commonUpTo(
	ctx context.Context, file io.ReaderAt, from int64, sum hash.Hash, size int64, offsets []int64,
	marks map[rows.Mark]rows.Mark,
) (common int64, good rows.Mark, err error) {
	if sum, err = sum.(hash.Cloner).Clone(); err != nil {
		return 0, good, err
	}
	common = from
	for _, at := range offsets {
		if at <= from || at > size {
			continue
		}
		if err := hashTo(ctx, sum, file, from, at); err != nil {
			return 0, good, err
		}
		from = at
		if of, is := marks[rows.Mark{Offset: at, Chain: rows.ChainOf(sum)}]; is {
			common, good = at, of
		}
	}
	return common, good, nil
}

// headOf is some bytes of a file from a place on.
func headOf(file io.ReaderAt, at int64) []byte {
	head := make([]byte, 64)
	n, _ := file.ReadAt(head, at) // what can't be read is found out later
	return head[:n]
}

// mayHave says whether a file, which is longer, may have the bytes of another one from a place on.
// They are read once a look.
func (e *entry) mayHave(ctx context.Context, head []byte, at int64) (bool, error) {
	if e.head == nil || e.headAt != at {
		file, done, err := e.open()
		if err != nil {
			return false, err
		}
		defer done() //nolint:errcheck // nothing was written
		if e.head, e.headAt = headOf(file, at), at; e.stillFits(ctx) != nil {
			e.head = nil
			return false, errTruncated
		}
	}
	return bytes.HasPrefix(e.head, head) || len(e.head) < len(head), nil
}

// open opens the file of this look.
func (e *entry) open() (file io.ReaderAt, done func() error, err error) {
	opened, err := os.Open(e.file.path)
	if err != nil {
		return nil, nil, errTruncated
	}
	if e.file.zipped {
		return &zipped{file: opened}, opened.Close, nil
	}
	return opened, opened.Close, nil
}

// sameUpTo says whether another file has the same bytes up to an offset, at which this one was read already.
func (e *entry) sameUpTo(ctx context.Context, offset int64, other io.ReaderAt) (bool, error) {
	file, done, err := e.open()
	if err != nil {
		return false, err
	}
	defer done() //nolint:errcheck // nothing was written
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
			return false, e.stillFits(ctx)
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	err = e.stillFits(ctx)
	return err == nil, err
}

// stillFits returns errTruncated if the part of a file that was read has changed.
func (e *entry) stillFits(ctx context.Context) error {
	info, err := os.Stat(e.file.path)
	if err == nil && e.Change != 0 && changeOf(info) == e.Change {
		return nil
	}
	file, done, err := e.open()
	if err != nil {
		return err
	}
	defer done() //nolint:errcheck // nothing was written
	same, err := fits(ctx, e.Now, file, e.Now.Offset)
	if err == nil && !same {
		err = errTruncated
	}
	return err
}
