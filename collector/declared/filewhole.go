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
		rows := newFileRows(file, l.fileSettings.files, mark{}, f.info.Size()).all(l.fileSettings.files.Skip)
		if l.fileSettings.files.Format == formatJSON {
			rows = l.jsonRows(file, f)
		}
		if err := l.addRows(rows, f.path, yield); errors.Is(err, io.EOF) {
			return nil // it is still being written
		} else if err != nil {
			return err
		}
	}
	if now, err := file.Stat(); err == nil && versionOf(&listedFile{info: now, id: f.id}) == version { // else it changed meanwhile
		l.position.add(version, wholeEntry{content, l.day})
	}
	return nil
}

// addRows adds the rows of a file to pages, and yields those that are full.
func (l *wholeLook) addRows(rows iter.Seq2[*fileRow, error], path string, yield func(*collector.Page, error) bool) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		if l.pages.isFull() {
			page := l.pages.take()
			page.Position = &collector.Position{Plan: l.position.append(nil)} // of the files before this one
			if !yield(page, nil) {
				return errStopped
			}
		}
		l.pages.add(row, path)
	}
	return nil
}

// jsonRows are the rows of a document: the array that the definition names, or the document itself. One that can't be read is waited for (io.EOF), and
// then set aside until it changes.
func (l *wholeLook) jsonRows(file *os.File, f *listedFile) iter.Seq2[*fileRow, error] {
	return func(yield func(*fileRow, error) bool) {
		document, problem := readDocument(file, f.info.Size())
		rows := []rawRow{{raw: document}}
		if problem == "" && l.feed.Rows != nil {
			page, err := l.feed.readPage(document)
			if rows = page.rows; err != nil {
				problem = err.Error()
			}
		}
		if problem != "" {
			if l.now().Sub(f.info.ModTime()).Abs() < waitForWhole {
				yield(nil, io.EOF)
				return
			}
			sum := sha256.Sum256(document)
			rows = []rawRow{{raw: sum[:], problem: problem}}
		}
		var place chain
		for _, row := range rows {
			place = place.next(row.raw)
			if !yield(&fileRow{rawRow: row, end: f.info.Size(), chain: place}, nil) {
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
	if document = trimmed(document); err != nil || !isJSON(document) {
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
