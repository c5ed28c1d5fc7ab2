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

	versions map[int64]*entry
	marks    map[rows.Mark]rows.Mark // up to where a file was read, and up to where its rows could be
	offsets  []int64                 // of marks, sorted
	last     rows.Mark               // of the last row that was added

	// places are those up to which documents were read, by the chain of their rows, and whether these could be read;
	// ends has the place of the last row of each document.
	places map[rows.Chain]bool
	ends   map[rows.Mark]rows.Mark
	end    rows.Mark // of the last row of the document in hand
}

func newWholeLook(_ context.Context, look *look) (readFile, error) {
	l := &wholeLook{
		look: look, versions: make(map[int64]*entry), marks: make(map[rows.Mark]rows.Mark),
		places: make(map[rows.Chain]bool), ends: make(map[rows.Mark]rows.Mark),
	}
	for _, e := range l.entries {
		l.addVersion(e)
	}
	return l.read, nil
}

// read reads a file unless it was read or is still being written.
func (l *wholeLook) read(ctx context.Context, f *listedFile) error {
	version := versionOf(f)
	if l.seeFile(f, version) || !l.rests(f) {
		return nil
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer opened.Close() //nolint:errcheck // nothing was written
	var file io.ReaderAt = opened
	if f.zipped {
		file, err = l.inflate(ctx, f, opened, func() { l.noteFile(f, version, rows.Mark{}, rows.Mark{}) })
		if file == nil {
			return err
		}
	}
	size := f.info.Size()
	known, good, all, err := l.known(ctx, file, size)
	if err != nil {
		return ignoreTruncated(err)
	}
	read := rows.Mark{Offset: size, Chain: all}
	l.last, l.end = rows.Mark{}, rows.Mark{}
	switch {
	case known == size:
		l.end = l.ends[read]
	case l.Config.Format == rows.FormatXML:
		err = l.addRows(l.behindKnown(l.xmlRows(ctx, file, f), &good), f, 0, &good)
	case l.Config.Format == rows.FormatJSON:
		err = l.addRows(l.behindKnown(l.jsonRows(file, f), &good), f, 0, &good)
	default:
		in := rows.New(ctx, file, &l.Config.Layout, 0, sha256.New(), size)
		in.Ends, in.Waited = !l.mayGrow(f), l.waited(f)
		err = l.addRows(in.All(), f, known, &good)
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
		if l.Config.Titles > 0 && size > 0 && !l.mayGrow(f) {
			l.list.wait(false, f.path, "it ends before the names of its columns",
				"nothing, if it has no calls; otherwise see how many lines its program writes before them, and set "+
					"titles of the definition's files to that")
		}
		return nil
	} else if err != nil {
		return err
	}
	// else it changed meanwhile
	if now, err := opened.Stat(); err == nil && versionOf(&listedFile{info: now, id: f.id}) == version {
		if read.Offset < size { // its version isn't read yet, and these rows are
			version = int64(binary.BigEndian.Uint64(read.Chain[:])) //nolint:gosec // it is compared
		}
		if good == l.last && good.Offset > 0 {
			good = read
		}
		l.noteFile(f, version, read, good)
	}
	return nil
}

// known is up to where a file has the bytes that were read of another one, or of this one before,
// up to where their rows could be read, and the hash of all its bytes.
func (l *wholeLook) known(
	ctx context.Context, file io.ReaderAt, size int64,
) (known int64, good rows.Mark, all rows.Chain, err error) {
	sum, err := hashOf(ctx, file, size)
	if err != nil {
		return 0, good, all, err
	}
	all = rows.ChainOf(sum)
	if of, is := l.marks[rows.Mark{Offset: size, Chain: all}]; is && !l.audit {
		return size, of, all, nil
	}
	if l.Config.Format != rows.FormatJSON && l.Config.Format != rows.FormatXML && !l.audit {
		known, good, err = commonUpTo(ctx, file, 0, sha256.New(), size, l.offsets, l.marks)
	}
	return known, good, all, err
}

// addRows adds the rows of a file that end behind a place to pages, and yields those that are full.
// It moves good behind each row that can be read.
func (l *wholeLook) addRows(
	all iter.Seq2[*rows.PlacedRow, error], f *listedFile, known int64, good *rows.Mark,
) error {
	for row, err := range all {
		if err != nil {
			return err
		}
		if row.Bare <= known {
			continue
		}
		if l.isFull() {
			// the position is of the files before this one
			if err := l.emitPage(); err != nil {
				return err
			}
		}
		if l.last = row.Mark; l.addRow(row, f.path) {
			*good = row.Mark
		}
	}
	return nil
}

// behindKnown leaves out the rows at the beginning of a document that an earlier document ended with, and moves good
// behind those of them that could be read. Each row ends with its file: the rows before it give its mark.
func (l *wholeLook) behindKnown(
	all iter.Seq2[*rows.PlacedRow, error], good *rows.Mark,
) iter.Seq2[*rows.PlacedRow, error] {
	return func(yield func(*rows.PlacedRow, error) bool) {
		known, number := 0, 0
		if len(l.places) > 0 && !l.audit {
			for row, err := range all {
				if err != nil {
					yield(nil, err)
					return
				}
				number++
				if number == 1 && row.Problem != "" {
					continue // it stands for the whole document, and another document has the same one
				}
				if couldBeRead, is := l.places[row.Chain]; is {
					if known = number; couldBeRead {
						*good = row.Mark
					}
				}
			}
		}
		for row, err := range all {
			if err == nil {
				l.end = row.Mark
			}
			if known--; (known < 0 || err != nil) && !yield(row, err) {
				return
			}
		}
	}
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
		case l.Path != nil, document.Raw[0] == '[':
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

// versionOf is a hash of what changes when a file is written to.
func versionOf(f *listedFile) int64 {
	b := binary.BigEndian.AppendUint64(nil, f.id)
	b = binary.BigEndian.AppendUint64(b, uint64(f.info.Size()))               //nolint:gosec // it is hashed
	b = binary.BigEndian.AppendUint64(b, uint64(f.info.ModTime().UnixNano())) //nolint:gosec // it is hashed
	b = binary.BigEndian.AppendUint64(b, uint64(changeOf(f.info)))            //nolint:gosec // it is hashed
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // it is compared
}

// seeFile notes that a version of a file is there, and says whether it was read.
func (l *wholeLook) seeFile(f *listedFile, version int64) bool {
	e, known := l.versions[version]
	if known {
		e.file, e.Day = f, l.day
	}
	return known
}

// noteFile notes up to where a version of a file was read, and could be read.
func (l *wholeLook) noteFile(f *listedFile, version int64, read, good rows.Mark) {
	e, known := l.versions[version]
	if !known {
		e = &entry{storedEntry: storedEntry{ID: f.id, Change: version}}
		l.addEntry(e)
	}
	e.file, e.Day, e.Now, e.Older, e.Good = f, l.day, read, l.end, good
	l.addVersion(e)
}

// addVersion makes known what an entry says was read.
func (l *wholeLook) addVersion(e *entry) {
	l.versions[e.Change], l.marks[e.Now] = e, e.Good
	l.ends[e.Now] = e.Older
	l.places[e.Now.Chain], l.places[e.Good.Chain] = true, true // Now is a place after a retry
	l.places[e.Older.Chain] = l.places[e.Older.Chain] || e.Good == e.Now
	if at, there := slices.BinarySearch(l.offsets, e.Now.Offset); !there {
		l.offsets = slices.Insert(l.offsets, at, e.Now.Offset)
	}
}
