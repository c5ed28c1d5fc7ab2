package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// background is the context of statements, which aren't cancelled half-way.
var background = context.Background()

// Size is how many bytes the ledger's files take, the write-ahead log included.
func (l *Ledger) Size() (int64, error) {
	var total int64
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(filepath.Join(l.settings.Folder, fileName+suffix))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("size of the ledger: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}

// Glance is what may be read of a ledger without its lock.
type Glance struct {
	// HashKey is the ledger's own key of redaction by hash.
	HashKey []byte
	// Origins are the origins of feeds by `source/feed`.
	Origins map[string]time.Time
}

// Look reads a ledger that another process may have open. Without one it gives
// a key made for this call only, and no origins.
func Look(ctx context.Context, folder string) (Glance, error) {
	file := filepath.Join(folder, fileName)
	g := Glance{Origins: make(map[string]time.Time)}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		key := newKeyring()
		g.HashKey = key.privacy()
		return g, nil
	}
	e, err := openView(ctx, file)
	if err != nil {
		return Glance{}, err
	}
	defer e.close() //nolint:errcheck // nothing was written
	secret, err := e.meta("key")
	if err != nil {
		return Glance{}, fmt.Errorf("read key of the ledger: %w", err)
	}
	key, err := parseKeyring(secret)
	if err != nil {
		return Glance{}, err
	}
	g.HashKey = key.privacy()
	rows, err := e.query(`SELECT source, feed, origin FROM feeds WHERE id > 0`)
	if err != nil {
		return Glance{}, fmt.Errorf("read feeds of the ledger: %w", err)
	}
	return g, scanAll(rows, func() error {
		var source, feed string
		var origin int64
		if err := rows.Scan(&source, &feed, &origin); err != nil {
			return err
		}
		g.Origins[source+"/"+feed] = fromMicros(origin)
		return nil
	})
}

// fileSystem is what is known of the file system of a folder.
type fileSystem struct {
	// network is its name if it is on a network; empty if it isn't, or if that isn't known.
	network string
	// doubtful: it may be on a network (FUSE).
	doubtful bool
}

// Warning says what the operator should know of where the ledger is; empty if all is well.
func (l *Ledger) Warning() string {
	if fileSystemOf(l.settings.Folder).doubtful {
		return "storage.path is on a FUSE file system: if it is on a network (sshfs, s3fs, a container's shared folder), locks and fsync can't be trusted and the ledger may be damaged; use a local disk"
	}
	return ""
}
