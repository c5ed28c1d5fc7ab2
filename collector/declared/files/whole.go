package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/position"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

const (
	// longestDocument bounds a file of JSON, which is read as a whole.
	longestDocument = 16 << 20
	// waitForWhole is how long a document that can't be read, or a last row that lacks values, may still be written.
	waitForWhole = time.Hour
)

// wholeLook reads files that are written once.
//
// A file is read when it rests for some time, once: it is known by its inode, size and time, and by
// the hash of its bytes, so that neither a new name nor a copy makes it another one. One of CSV
// that grows is read from where it ended.
type wholeLook struct {
	*look
	*wholePosition
}

func newWholeLook(_ context.Context, l *look) (kind, error) {
	position, err := parseWholePosition(l.stored)
	return &wholeLook{l, position}, err
}

// read implements kind: it reads a file unless it was read or is still being written.
func (l *wholeLook) read(ctx context.Context, f *listedFile) error {
	version := versionOf(f)
	if l.seeFile(version, l.day) || l.Now().Sub(f.changed()).Abs() < l.Config.Quiet {
		return nil
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer opened.Close() //nolint:errcheck // nothing was written
	var file io.ReaderAt = opened
	if f.zipped {
		file, err = l.inflate(ctx, f, opened, func() { l.noteFile(wholeEntry{Version: version, Day: l.day}) })
		if file == nil {
			return err
		}
	}
	size := f.info.Size()
	known, all, err := l.known(ctx, file, size)
	if err != nil {
		return ignoreTruncated(err)
	}
	read := rows.Mark{Offset: size, Chain: all}
	switch {
	case known == size:
	case l.Config.Format == rows.FormatXML:
		err = l.addRows(l.xmlRows(ctx, file, f), f, 0)
	case l.Config.Format == rows.FormatJSON:
		err = l.addRows(l.jsonRows(file, f), f, 0)
	default:
		in := rows.New(ctx, file, &l.Config.Layout, 0, sha256.New(), size)
		in.Ends, in.Waited = !l.mayGrow(f), l.waited(f)
		err = l.addRows(in.All(), f, known)
		open := errors.Is(err, rows.ErrOpen)
		if open {
			err = nil
		}
		if err == nil {
			read = in.Behind
			l.noteWaiting(f, in, open)
			err = l.compareLines(ctx, file, f, in)
		}
	}
	if errors.Is(err, io.EOF) { // it is still being written
		return nil
	} else if err != nil {
		return err
	}
	// else it changed meanwhile
	if now, err := opened.Stat(); err == nil && versionOf(&listedFile{info: now, id: f.id}) == version {
		if read.Offset < size { // its version isn't read yet, and these rows are
			version = binary.BigEndian.Uint64(read.Chain[:])
		}
		l.noteFile(wholeEntry{version, read, l.day})
	}
	return nil
}

// known is up to where a file has the bytes that were read of another one, or of this one before,
// and the hash of all its bytes.
func (l *wholeLook) known(ctx context.Context, file io.ReaderAt, size int64) (known int64, all rows.Chain, err error) {
	sum, err := hashOf(ctx, file, size)
	if err != nil {
		return 0, all, err
	}
	if all = rows.ChainOf(sum); l.marks[rows.Mark{Offset: size, Chain: all}] && !l.audit {
		return size, all, nil
	}
	if l.Config.Format != rows.FormatJSON && l.Config.Format != rows.FormatXML && !l.audit {
		known, err = commonUpTo(ctx, file, 0, sha256.New(), size, l.offsets, l.marks)
	}
	return known, all, err
}

// addRows adds the rows of a file that end behind a place to pages, and yields those that are full.
func (l *wholeLook) addRows(all iter.Seq2[*rows.PlacedRow, error], f *listedFile, known int64) error {
	for row, err := range all {
		if err != nil {
			return err
		}
		if row.Bare <= known {
			continue
		}
		if l.isFull() {
			// the position is of the files before this one
			if err := l.emitPage(l.takePage(), l.append(nil)); err != nil {
				return err
			}
		}
		l.addRow(row, f.path)
	}
	return nil
}

// mayGrow says whether what can't be read of a file may still be written.
func (l *wholeLook) mayGrow(f *listedFile) bool {
	return !f.zipped && l.Now().Sub(f.info.ModTime()).Abs() < waitForWhole
}

// jsonRows are the rows of a file of documents, mostly one: the array that the definition names, or
// the document itself. If one can't be read, the file is waited for (io.EOF), and then that one is
// set aside until the file changes.
func (l *wholeLook) jsonRows(file io.ReaderAt, f *listedFile) iter.Seq2[*rows.PlacedRow, error] {
	return func(yield func(*rows.PlacedRow, error) bool) {
		all, problem := l.documentRows(file, f.info.Size())
		if problem != "" && l.mayGrow(f) {
			l.list.wait(true, f.path, problem,
				"see that the file is a document of JSON, or objects one after the other; it is tried again "+
					"for an hour after it was last written to, "+
					"then what can't be read is set aside until it changes")
			yield(nil, io.EOF)
			return
		}
		var place rows.Chain
		for _, row := range all {
			if row.Problem != "" {
				sum := sha256.Sum256(row.Raw)
				row.Raw = sum[:]
			}
			place = place.Next(row.Raw)
			size := f.info.Size()
			if !yield(&rows.PlacedRow{Row: row, Mark: rows.Mark{Offset: size, Chain: place}, Bare: size}, nil) {
				return
			}
		}
	}
}

// xmlRows are the rows of a file of XML. If it can't be read to its end it is waited for (io.EOF),
// and then the rest is set aside until it changes.
func (l *wholeLook) xmlRows(ctx context.Context, file io.ReaderAt, f *listedFile) iter.Seq2[*rows.PlacedRow, error] {
	size := f.info.Size()
	all := func() iter.Seq2[rows.Row, error] {
		return rows.ReadXML(rows.WithContext(ctx, io.NewSectionReader(file, 0, size)), l.Path)
	}
	return func(yield func(*rows.PlacedRow, error) bool) {
		if l.mayGrow(f) {
			for _, err := range all() {
				if problem, bad := errors.AsType[rows.XMLError](err); bad {
					l.list.wait(true, f.path, string(problem),
						"see that the file is one document of XML; it is tried again for an hour after it was last "+
							"written to, then the rows before that place are read and the rest is set aside until "+
							"it changes")
					yield(nil, io.EOF)
					return
				}
			}
		}
		var place rows.Chain
		for row, err := range all() {
			if problem, bad := errors.AsType[rows.XMLError](err); bad {
				row = rows.Row{Raw: place[:], Problem: string(problem)}
			} else if err != nil {
				yield(nil, err)
				return
			}
			place = place.Next(row.Raw)
			if !yield(&rows.PlacedRow{Row: row, Mark: rows.Mark{Offset: size, Chain: place}, Bare: size}, nil) {
				return
			}
		}
	}
}

// documentRows are the rows of a file of JSON, and what is wrong with the first one that can't be
// read. Such a row stands for its document.
func (l *wholeLook) documentRows(file io.ReaderAt, size int64) (found []rows.Row, problem string) {
	if size > longestDocument {
		problem = fmt.Sprintf("the file is larger than %d MiB", longestDocument>>20)
		return []rows.Row{{Problem: problem}}, problem
	}
	text, err := io.ReadAll(io.NewSectionReader(file, 0, size))
	all := rows.Documents(rows.Trimmed(text))
	for _, document := range all {
		switch {
		case err != nil, document.Problem != "":
			document.Problem = "the file isn't valid JSON"
			if len(all) > 1 {
				document.Problem = "the file has an object that isn't valid JSON"
			}
		case l.Path != nil:
			inside, err := l.Document(document.Raw)
			if err == nil {
				found = append(found, inside...)
				continue
			}
			document.Problem = err.Error()
		}
		problem = cmp.Or(problem, document.Problem)
		found = append(found, document)
	}
	return found, problem
}

// wholePosition is which files were read.
type wholePosition struct {
	slots    position.Slots[wholeEntry]
	versions map[uint64]int // slots by versionOf
	marks    map[rows.Mark]bool
	offsets  []int64 // of marks, sorted
}

// wholeEntry is a file that was read. It is stored as it is.
type wholeEntry struct {
	Version uint64
	Mark    rows.Mark // up to where it was read
	Day     int64     // when it was last seen, since 1970
}

const (
	// goneWholes is the number of deleted files that are remembered as read.
	goneWholes = 10_000

	wholeForm = 4 // of the stored position
)

// versionOf is a hash of what changes when a file is written to.
func versionOf(f *listedFile) uint64 {
	b := binary.BigEndian.AppendUint64(nil, f.id)
	b = binary.BigEndian.AppendUint64(b, uint64(f.info.Size()))               //nolint:gosec // it is hashed
	b = binary.BigEndian.AppendUint64(b, uint64(f.info.ModTime().UnixNano())) //nolint:gosec // it is hashed
	b = binary.BigEndian.AppendUint64(b, uint64(changeOf(f.info)))            //nolint:gosec // it is hashed
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// seeFile notes that a version of a file is there, and says whether it was read.
func (p *wholePosition) seeFile(version uint64, day int64) bool {
	slot, known := p.versions[version]
	if known {
		p.slots.All[slot].Day = day
	}
	return known
}

func (p *wholePosition) noteFile(e wholeEntry) {
	slot, known := p.versions[e.Version]
	if !known {
		slot = p.slots.Take()
	}
	p.slots.All[slot] = e
	p.versions[e.Version], p.marks[e.Mark] = slot, true
	if at, there := slices.BinarySearch(p.offsets, e.Mark.Offset); !there {
		p.offsets = slices.Insert(p.offsets, at, e.Mark.Offset)
	}
}

// forget forgets of the files that weren't seen on a day those that are gone for longest.
func (p *wholePosition) forget(day int64) {
	var gone []int
	for _, slot := range p.versions {
		if p.slots.All[slot].Day != day {
			gone = append(gone, slot)
		}
	}
	if len(gone) <= goneWholes {
		return
	}
	slices.SortFunc(gone, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.slots.All[a].Day, p.slots.All[b].Day), cmp.Compare(a, b))
	})
	for _, slot := range gone[:len(gone)-goneWholes] {
		delete(p.versions, p.slots.All[slot].Version)
		p.slots.Free(slot)
	}
}

// append appends the stored form.
func (p *wholePosition) append(dst []byte) []byte {
	return position.Append(dst, wholeForm, p.slots.All)
}

func parseWholePosition(data []byte) (*wholePosition, error) {
	p := &wholePosition{versions: make(map[uint64]int), marks: make(map[rows.Mark]bool)}
	var err error
	if p.slots, err = position.ParseSlots[wholeEntry](data, wholeForm); err != nil {
		return nil, err
	}
	for slot := range p.slots.All {
		switch e := &p.slots.All[slot]; {
		case *e == wholeEntry{}:
		case e.Mark.Offset < 0:
			return nil, position.ErrDamaged
		default:
			p.versions[e.Version], p.marks[e.Mark] = slot, true
			p.offsets = append(p.offsets, e.Mark.Offset)
		}
	}
	slices.Sort(p.offsets)
	p.offsets = slices.Compact(p.offsets)
	return p, nil
}
