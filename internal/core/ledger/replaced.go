package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// A process commits only to the ledger that it has opened (counting.md 34): never to another one in
// its place, and it never makes a new one there.

// Identity distinguishes a ledger from every other one. It is made with a ledger and kept in it.
type Identity struct{ schema, key, instance string }

// errOtherKey: a feed's ids can't be found by the ledger's key.
var errOtherKey = errors.New("its ids are under another key than the ledger has, so that every call would be " +
	"counted once more: restore a backup, or start with an empty ledger")

func readIdentity(scan engine.RowScanner) (is Identity, err error) {
	err = scan(`SELECT COALESCE((SELECT value FROM meta WHERE name = 'schema'), ''),
		COALESCE((SELECT value FROM meta WHERE name = 'key'), ''),
		COALESCE((SELECT value FROM meta WHERE name = 'instance'), '')`, nil, &is.schema, &is.key, &is.instance)
	return is, err
}

// compareIdentity fails if a ledger's identity differs from the identity of the ledger that was opened.
func (l *Ledger) compareIdentity(scan engine.RowScanner) error {
	opened := l.identity.Load()
	if opened == nil {
		return nil
	}
	now, err := readIdentity(scan)
	switch {
	case errors.Is(err, engine.ErrNoTable):
		return l.setReplaced("the ledger is gone from its place")
	case err != nil:
		return fmt.Errorf("compare the ledger with the one that was opened: %w", err)
	case now.schema != opened.schema:
		return l.setReplaced(fmt.Sprintf("another version of the program has changed its layout to schema "+
			"version %q, this one has %s", now.schema, schemaVersion))
	case now != *opened:
		return l.setReplaced("another ledger is in its place, with a different key and instance")
	}
	return nil
}

// setReplaced makes every later call fail, so that the ledger's replacement is never written to.
func (l *Ledger) setReplaced(how string) error {
	err := fmt.Errorf("%w: %s", ErrReplaced, how)
	if l.replaced.CompareAndSwap(nil, &err) && l.settings.OnReplaced != nil {
		l.settings.OnReplaced(err)
	}
	return l.Replaced()
}

// Replaced returns ErrReplaced with the cause if the ledger was replaced, else nil. It doesn't block.
func (l *Ledger) Replaced() error {
	if err := l.replaced.Load(); err != nil {
		return *err
	}
	return nil
}

// walName is the write-ahead log. SQLite may create it again whenever the ledger is opened.
const walName = fileName + "-wal"

// noteFiles remembers the files that are open by device and inode.
func (l *Ledger) noteFiles() error {
	for _, name := range [...]string{lockName, fileName, walName} {
		if l.files[name] != nil {
			continue
		}
		info, err := os.Stat(filepath.Join(l.settings.Folder, name))
		if err != nil {
			return fmt.Errorf("open ledger: %w", err)
		}
		l.files[name] = info
	}
	return nil
}

// checkFiles fails if the open files are no longer in the folder. Then it closes them,
// which empties their write-ahead log: a start with another ledger.db must not find it. The commit
// lock is held.
func (l *Ledger) checkFiles() error {
	err := l.Replaced()
	if err == nil {
		err = l.compareFiles()
	}
	if errors.Is(err, ErrReplaced) {
		_ = l.closeEngine() // nothing that counts is written any more
	}
	return err
}

func (l *Ledger) compareFiles() error {
	for name, opened := range l.files {
		file := filepath.Join(l.settings.Folder, name)
		switch now, err := os.Stat(file); {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			return l.setReplaced(file + " was removed")
		case err != nil:
			return fmt.Errorf("see whether the ledger is in its place: %w", err)
		case !os.SameFile(opened, now):
			return l.setReplaced(file + " is another file now")
		}
	}
	return nil
}
