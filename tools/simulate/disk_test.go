package simulate

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// image is the content of a ledger's files, by name.
type image map[string][]byte

// readImage reads the files of a folder, while nothing writes to them.
func readImage(folder string) (image, error) {
	files := make(image)
	for _, name := range []string{"ledger.db", "ledger.db-wal"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		files[name] = content
	}
	return files, nil
}

// write writes the files to a new folder.
func (i image) write(folder string) error {
	err := os.Mkdir(folder, 0o700)
	for name, content := range i {
		if content != nil {
			err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), content, 0o600))
		}
	}
	return err
}

// torn is the disk at some instant between two images: the write-ahead log was written from its
// first changed byte up to a random one. If the database's own file was written too (a checkpoint),
// SQLite had already finished the log, and the later image stays.
func torn(before, after image, random *rand.Rand) image {
	old, log := before["ledger.db-wal"], after["ledger.db-wal"]
	if !bytes.Equal(before["ledger.db"], after["ledger.db"]) || len(old) > len(log) {
		return after
	}
	first, last := 0, len(log)
	for first < len(old) && old[first] == log[first] {
		first++
	}
	if len(old) == len(log) {
		for last > first && old[last-1] == log[last-1] {
			last--
		}
	}
	cut := first
	if last > first {
		cut += random.IntN(last - first + 1)
	}
	mixed := append([]byte(nil), log[:cut]...)
	if cut < len(old) {
		mixed = append(mixed, old[cut:]...)
	}
	return image{"ledger.db": after["ledger.db"], "ledger.db-wal": mixed}
}
