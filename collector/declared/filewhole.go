package declared

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

const (
	// longestDocument bounds a file of JSON, which is read as a whole.
	longestDocument = 16 << 20
	// waitForWhole is how long a document that can't be read may still be written.
	waitForWhole = time.Hour
)

// wholeReader reads files that are written once. It implements collector.StreamReader.
//
// A file is read when it rests for some time, once: it is known by its inode, size and time, and by its content, so that neither a new name nor a copy
// makes it another one.
type wholeReader struct{ *fileSettings }

// Pages implements collector.StreamReader.
func (r *wholeReader) Pages(ctx context.Context, from collector.StreamPosition) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		position, err := parseWholePosition(from.Position)
		if err != nil {
			yield(nil, err)
			return
		}
		l := &wholeLook{wholeReader: r, position: position, day: dayOf(from.Now), files: listFiles(r.paths), pages: newFilePages(r.fileSettings)}
		for _, f := range l.files.files {
			if err := l.read(f, yield); errors.Is(err, errStopped) {
				return
			} else if err != nil {
				l.files.fail(f, err)
			}
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
		}
		l.end(from.Position, yield)
	}
}

// errStopped says that the consumer wants no more.
var errStopped = errors.New("stopped")

// wholeLook is one look at all files.
type wholeLook struct {
	*wholeReader

	position *wholePosition
	day      int64
	files    *fileList
	pages    *filePages
}

// read reads a file unless it was read or is still being written.
func (l *wholeLook) read(f *listedFile, yield func(*collector.Page, error) bool) error {
	version := versionOf(f)
	if l.position.see(version, l.day) || l.now().Sub(f.info.ModTime()).Abs() < l.fileSettings.files.Quiet {
		return nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	content := binary.BigEndian.Uint64(sum.Sum(nil))
	if !l.position.contents[content] {
		next := l.csvRows
		if l.fileSettings.files.Format == formatJSON {
			next = l.jsonRows
		}
		if complete, err := l.addRows(file, f, next, yield); err != nil || !complete {
			return err
		}
	}
	if now, err := file.Stat(); err == nil && versionOf(&listedFile{info: now, id: f.id}) == version { // else it changed meanwhile
		l.position.add(version, wholeEntry{content, l.day})
	}
	return nil
}

// addRows adds the rows of a file to pages, and yields those that are full. It isn't complete if it is still being written.
func (l *wholeLook) addRows(
	file *os.File, f *listedFile, rowsOf func(*os.File, *listedFile) iter.Seq2[*fileRow, []string], yield func(*collector.Page, error) bool,
) (complete bool, err error) {
	for row, columns := range rowsOf(file, f) {
		if row == nil {
			return false, nil
		}
		if l.pages.isFull() {
			page := l.pages.take()
			page.Position = &collector.Position{Plan: l.position.append(nil)} // of the files before this one
			if !yield(page, nil) {
				return false, errStopped
			}
		}
		l.pages.add(row, columns, f.path)
	}
	return true, nil
}

// csvRows are the rows of a file of CSV, each with the names of its values; no row at all if it can't be read yet.
func (l *wholeLook) csvRows(file *os.File, f *listedFile) iter.Seq2[*fileRow, []string] {
	return func(yield func(*fileRow, []string) bool) {
		rows := newFileRows(file, l.fileSettings.files, mark{}, f.info.Size())
		rows.ends = true
		columns, inFile, err := l.names(rows)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				l.files.fail(f, err)
			}
			yield(nil, nil)
			return
		}
		for number := 1; ; number++ {
			row, err := rows.next()
			if err != nil {
				return
			}
			if inFile && number <= l.fileSettings.files.Skip {
				continue
			}
			if !yield(&row, columns) {
				return
			}
		}
	}
}

// jsonRows are the rows of a document: the array that the definition names, or the document itself. One that can't be read is waited for, and then set
// aside until it changes.
func (l *wholeLook) jsonRows(file *os.File, f *listedFile) iter.Seq2[*fileRow, []string] {
	return func(yield func(*fileRow, []string) bool) {
		document, problem := readDocument(file, f.info.Size())
		rows := []answerRow{{raw: document}}
		if problem == "" && l.feed.Rows != nil {
			page, err := l.feed.readPage(document)
			if rows = page.rows; err != nil {
				problem = err.Error()
			}
		}
		if problem != "" {
			if l.now().Sub(f.info.ModTime()).Abs() < waitForWhole {
				yield(nil, nil)
				return
			}
			sum := sha256.Sum256(document)
			yield(&fileRow{raw: sum[:], problem: problem, end: f.info.Size()}, nil)
			return
		}
		var place chain
		for i := range rows {
			raw := rows[i].raw
			place = place.next(raw)
			if !yield(&fileRow{raw: raw, end: f.info.Size(), chain: place}, nil) {
				return
			}
		}
	}
}

// readDocument reads a file of JSON, and says what is wrong with it.
func readDocument(file io.ReaderAt, size int64) (document []byte, problem string) {
	if size > longestDocument {
		return nil, fmt.Sprintf("the file is larger than %d MiB", longestDocument>>20)
	}
	document, err := io.ReadAll(io.NewSectionReader(file, 0, size))
	document = bytes.TrimSpace(bytes.TrimPrefix(document, []byte("\ufeff")))
	if err != nil || !jsontext.Value(document).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		problem = "the file is no valid JSON"
	}
	return document, problem
}

// end yields the last rows with the position behind all files, and then the troubles.
func (l *wholeLook) end(stored []byte, yield func(*collector.Page, error) bool) {
	if len(l.files.files) > 0 && len(l.files.troubles) == 0 {
		l.position.forget(l.day)
	}
	page, err := l.pages.take(), l.files.err()
	page.Position = &collector.Position{Plan: l.position.append(nil), HistoryDone: l.files.anyRead()}
	if err != nil || !bytes.Equal(page.Position.Plan, stored) || len(page.Records)+len(page.Invalid)+len(page.Ignored) > 0 {
		if !yield(page, nil) {
			return
		}
	}
	if err != nil {
		yield(nil, err)
	}
}
