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
	reserveName = "reserve"
	// mostReserve and leastReserve bound it; between them it is an eighth of what is
	// free.
	mostReserve  = 16 << 20
	leastReserve = 1 << 20
)

type reserve struct {
	file string
	most int64
	// spent says that it was given up and isn't back yet.
	spent bool
}

// fill makes the reserve if it is missing and the disk has room for two, and says
// whether it is there. That it can't be made is no fault: the disk is full or
// nearly so.
func (r *reserve) fill() bool {
	if info, err := os.Stat(r.file); err == nil && info.Size() >= leastReserve {
		r.spent = false
		return true
	}
	size := r.most
	if free, known := freeSpace(filepath.Dir(r.file)); known {
		size = min(size, free/8)
	}
	if size = size >> 20 << 20; size < leastReserve {
		return false
	}
	if err := r.write(size); err != nil {
		_ = os.Remove(r.file) // half a reserve
		return false
	}
	r.spent = false
	return true
}

// write writes real bytes: a sparse file would keep no room.
func (r *reserve) write(size int64) error {
	f, err := os.OpenFile(r.file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i) // not zeros: a file system may not store those
	}
	for range size / int64(len(block)) {
		if _, err := f.Write(block); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// release gives the room back, for the outbox.
func (r *reserve) release() {
	r.spent = true
	if err := os.Remove(r.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		// Nothing better can be done: the disk stays full until someone makes room.
		return
	}
}
