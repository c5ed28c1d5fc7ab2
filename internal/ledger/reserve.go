package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// The reserve is a file that is given up when the disk is full, so that the
// outbox can drain: removing a batch needs room in the write-ahead log.
const (
	reserveName  = "reserve"
	reserveBytes = 16 << 20
)

type reserve struct {
	file string
	size int64
}

// fill makes the reserve if it is missing and the disk has room for several. That
// it can't be made is no fault: the disk is full or nearly so.
func (r *reserve) fill() {
	if info, err := os.Stat(r.file); err == nil && info.Size() == r.size {
		return
	}
	if free, known := freeSpace(filepath.Dir(r.file)); known && free < 4*r.size {
		return
	}
	if err := r.write(); err != nil {
		r.release()
	}
}

// write writes real bytes: a sparse file would keep no room.
func (r *reserve) write() error {
	f, err := os.OpenFile(r.file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i) // not zeros: a file system may not store those
	}
	for range r.size / int64(len(block)) {
		if _, err := f.Write(block); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// release gives the room back.
func (r *reserve) release() {
	if err := os.Remove(r.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		// Nothing better can be done: the disk stays full until someone makes room.
		return
	}
}
