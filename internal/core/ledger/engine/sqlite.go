package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite is a ledger in a file of this process.
type SQLite struct {
	File string
	// Unsynced leaves it to the operating system when commits reach the disk.
	Unsynced bool
}

// pragmas make a commit durable (WAL, synchronous FULL) and bound the memory and the write-ahead log.
const pragmas = "_pragma=wal_autocheckpoint(8192)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=busy_timeout(10000)&_pragma=cache_size(-2048)&_pragma=journal_size_limit(67108864)" +
	"&_pragma=temp_store(MEMORY)"

func (s SQLite) open(a *Access) (writer, reader *sql.DB, err error) {
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: s.File}).String() + "?mode=rw&"
	const reads = "_pragma=query_only(1)&_pragma=busy_timeout(10000)"
	commits := reads
	if !a.View {
		commits = pragmas
		if s.Unsynced {
			commits += "&_pragma=synchronous(OFF)"
		}
	}
	if !a.View && !a.Known {
		if err := s.makePrivate(); err != nil {
			return nil, nil, err
		}
	}
	if writer, err = sql.Open("sqlite", dsn+commits); err != nil {
		return nil, nil, fmt.Errorf("open ledger: %w", err)
	}
	writer.SetMaxOpenConns(1)
	if reader, err = sql.Open("sqlite", dsn+reads); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open ledger for reading: %w", err), writer.Close())
	}
	reader.SetMaxOpenConns(2)
	return writer, reader, nil
}

// makePrivate makes the file for its owner only: it holds the ledger's key. The write-ahead log
// takes over its permissions.
func (s SQLite) makePrivate() error {
	f, err := os.OpenFile(s.File, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("ledger %s can't be written: check its owner, permissions and file system: %w", s.File, err)
	}
	return nil
}

// prepare makes SQLite keep the emptied write-ahead log and its index when the database is closed:
// a start on a full disk has no room to make them again. A view leaves an absent log absent.
func (s SQLite) prepare(conn any, view bool) error {
	if _, err := os.Stat(s.File + "-wal"); view && err != nil {
		return nil //nolint:nilerr // there is none to keep
	}
	control, ok := conn.(sqlite.FileControl)
	if !ok {
		return fmt.Errorf("open ledger: %T has no file control", conn)
	}
	_, err := control.FileControlPersistWAL("main", 1)
	return err
}

func (SQLite) prepareStatement(ctx context.Context, on preparer, text string) (statement, error) {
	return on.PrepareContext(ctx, text)
}

func (SQLite) statementTimeout() time.Duration { return 0 } // a disk that hangs hangs everything

func (s SQLite) explain(err error) error {
	var se *sqlite.Error
	if err == nil || !errors.As(err, &se) {
		return err
	}
	if se.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		return fmt.Errorf("%w: no room for the ledger's index: free some space: %w", ErrFull, err)
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: free some space; reading goes on by itself then", ErrFull)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("ledger %s is damaged or not an SQLite file: restore a backup, or move it away and "+
			"start with an empty ledger (the exporter reads history again from the provider): %w", s.File, err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: ledger %s can't be written: its file system or permissions are read-only: %w", ErrIO,
			s.File, err)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("ledger %s can't be opened: check that its folder exists and may be written: %w", s.File, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: something holds a transaction on %s: %w", ErrLocked, s.File, err)
	case sqlite3.SQLITE_ERROR:
		if strings.Contains(se.Error(), "no such table") {
			return fmt.Errorf("%w: %w", ErrNoTable, err)
		}
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%w: %w", ErrIO, err)
	}
	return fmt.Errorf("ledger: %w", err)
}
