package files

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

const (
	// mostInflated bounds a compressed file, in bytes inflated, and mostRatio how many times its
	// size that may be.
	mostInflated = 1 << 30
	mostRatio    = 200
)

// zipped is what is in a file that is compressed by gzip. Reading forward is cheap; reading back
// inflates from the beginning.
type zipped struct {
	file *os.File
	in   *gzip.Reader
	at   int64
	size int64 // inflated
}

// openZipped inflates a file to its end. problem says why it can't be read; mayPass that this may
// be because it isn't written yet.
func openZipped(ctx context.Context, file *os.File) (z *zipped, problem string, mayPass bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, "", false, err
	}
	z = &zipped{file: file}
	limit := min(mostInflated, mostRatio*info.Size())
	z.size, err = io.Copy(io.Discard, rows.WithContext(ctx, io.NewSectionReader(z, 0, limit+1)))
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case corrupt, errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum),
		errors.Is(err, io.ErrUnexpectedEOF), info.Size() == 0:
		return nil, "it isn't a complete gzip file", true, nil
	case err != nil:
		return nil, "", false, err
	case z.size > limit && limit == mostInflated:
		return nil, fmt.Sprintf("it inflates to more than %d GiB", mostInflated>>30), false, nil
	case z.size > limit:
		return nil, fmt.Sprintf("it inflates to more than %d times its size", mostRatio), false, nil
	}
	return z, "", false, nil
}

// ReadAt implements io.ReaderAt. Unlike others it isn't safe for concurrent use.
func (z *zipped) ReadAt(p []byte, offset int64) (n int, err error) {
	if z.in == nil || offset < z.at {
		from := bufio.NewReader(io.NewSectionReader(z.file, 0, 1<<62))
		if z.in, err = gzip.NewReader(from); err != nil {
			z.in = nil
			return 0, err
		}
		z.at = 0
	}
	skipped, err := io.CopyN(io.Discard, z.in, offset-z.at)
	z.at += skipped
	for n < len(p) && err == nil {
		var read int
		read, err = z.in.Read(p[n:])
		n += read
	}
	z.at += int64(n)
	if n == len(p) {
		err = nil
	}
	return n, err
}

// sizedInfo is a file with its inflated size.
type sizedInfo struct {
	fs.FileInfo

	size int64
}

// Size implements fs.FileInfo.
func (i sizedInfo) Size() int64 { return i.size }

// rests says whether a file hasn't changed for Config.Quiet. A command says that it leaves the file out. Commands and
// a first history wait for an older one that was only compressed or renamed since.
func (l *look) rests(f *listedFile) bool {
	now := l.Now()
	rests := now.Sub(f.changed()).Abs() >= l.Config.Quiet
	if !rests && !l.done {
		moved := now.Sub(f.info.ModTime()).Abs() >= l.Config.Quiet
		if l.justMoved = l.justMoved || moved; moved || l.once {
			l.list.wait(moved, f.path, "it was written, compressed or renamed just now",
				"nothing: it is read once it rests")
		}
	}
	return rests
}

// changed is when a file was last written to. gzip gives its file the time of the one that it
// compressed, so there the time of the last change counts if it is known.
func (f *listedFile) changed() time.Time {
	at := f.info.ModTime()
	if change := changeOf(f.info); f.zipped && change > at.UnixNano() {
		at = time.Unix(0, change)
	}
	return at
}
