package ledger

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

func takeLock(folder string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("make the ledger's folder (storage.path): %w", err)
	}
	if network, _, _ := fileSystem(folder); network != "" && network != fuse {
		return nil, fmt.Errorf("storage.path %s is on a network file system (%s), where locks and fsync can't "+
			"be trusted: use a local disk", folder, network)
	}
	lock := flock.New(filepath.Join(folder, lockName))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the ledger: storage.path %s must be a folder that can be written: %w", folder, err)
	}
	if !held {
		return nil, errors.Join(fmt.Errorf("%w: %s; stop the other one, or give this one its own storage.path",
			ErrLocked, folder), lock.Close())
	}
	return lock, nil
}

// lockName is the file that the process with the ledger holds.
const lockName = "lock"

// fuse is the name of file systems in user space: some are local, some are on a network.
const fuse = "fuse"

// Warning is a warning for the operator about the ledger's place; empty if there is none.
func (l *Ledger) Warning() string {
	if network, _, _ := fileSystem(l.settings.Folder); !l.Shared() && network == fuse {
		return "storage.path is on a FUSE file system: if it is on a network (sshfs, s3fs, a container's " +
			"shared folder), locks and fsync can't be trusted and the ledger may be damaged; use a local disk"
	}
	return ""
}

// Size is the size of the ledger's files in bytes, including the write-ahead log. It is unsupported for
// a shared database, because the exporter can't see its files.
func (l *Ledger) Size() (int64, error) {
	if l.Shared() {
		return 0, errors.ErrUnsupported
	}
	var total int64
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(filepath.Join(l.settings.Folder, fileName+suffix))
		switch {
		case err == nil:
			total += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return 0, fmt.Errorf("size of the ledger: %w", err)
		}
	}
	return total, nil
}

// Free is the free space of the ledger's file system in bytes, and whether it is known.
func (l *Ledger) Free() (free int64, known bool) {
	if !l.Shared() {
		_, free, known = fileSystem(l.settings.Folder)
	}
	return free, known
}

// The reserve is a file that is given up when the disk is full, so that the outbox can drain: a
// removal grows the write-ahead log.
const (
	reserveName = "reserve"
	// mostReserve and leastReserve bound it; between them it is an eighth of what is free.
	mostReserve  = 16 << 20
	leastReserve = 1 << 20
)

type reserve struct {
	file string // empty: there is none
	most int64
	// released says that it was given up and isn't back yet.
	released bool
	// gave is how much room that gave: what isn't more is for the outbox.
	gave int64
}

// fill makes the reserve if it is missing and there is room for it, and says whether it is there.
// If not, the disk is full or nearly so.
func (r *reserve) fill() bool {
	if info, err := os.Stat(r.file); r.file == "" || err == nil && info.Size() >= leastReserve {
		r.released = false
		return true
	}
	size := r.most
	if _, free, known := fileSystem(filepath.Dir(r.file)); known {
		size = min(size, free/8)
		if r.released && free < r.gave+size {
			return false
		}
	}
	if size = size >> 20 << 20; size < leastReserve {
		return false
	}
	if err := r.write(size); err != nil {
		_ = os.Remove(r.file) // half a reserve
		return false
	}
	r.released = false
	return true
}

// fillReserve fills it in the ledger's own folder.
func (l *Ledger) fillReserve() bool { return l.checkFiles() == nil && l.reserve.fill() }

// write writes real bytes: a sparse file would keep no room.
func (r *reserve) write(size int64) error {
	f, err := os.OpenFile(r.file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	var seed [32]byte
	_, _ = rand.Read(seed[:])                             // never fails
	_, err = io.CopyN(f, mathrand.NewChaCha8(seed), size) // a file system may not store zeros or known bytes
	return errors.Join(err, f.Sync(), f.Close())
}

// release gives the room back, for the outbox.
func (r *reserve) release() {
	if info, err := os.Stat(r.file); err == nil {
		r.gave = info.Size()
	}
	r.released = true
	_ = os.Remove(r.file) // if it fails, the disk stays full until someone makes room
}
