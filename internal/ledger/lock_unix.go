//go:build unix

package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// takeLock makes the folder if it is missing and locks it for this process.
func takeLock(folder string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("make the ledger's folder (storage.path): %w", err)
	}
	if name := fileSystemOf(folder).network; name != "" {
		return nil, fmt.Errorf("storage.path %s is on a network file system (%s), where locks and fsync can't be trusted: use a local disk", folder, name)
	}
	lock := flock.New(filepath.Join(folder, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the ledger: storage.path %s must be a folder that can be written: %w", folder, err)
	}
	if !held {
		return nil, errors.Join(fmt.Errorf("%w: %s; stop the other one, or give this one its own storage.path", ErrLocked, folder), lock.Close())
	}
	return lock, nil
}
