package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// key is where a change lies: in the order in which changes are written.
type key struct {
	family, series int
	// at is when it is seen, in milliseconds since 1970.
	at int64
	// part is sumPart, or one of a histogram's buckets behind it.
	part int
}

// sumPart is a counter's value and a histogram's sum.
const sumPart = 0

// amount is by how much something grows: a whole number, or money.
type amount struct {
	n     int64
	money cdr.Money
}

func (a *amount) add(b *amount) {
	a.n += b.n
	if b.money.Sign() != 0 {
		a.money = a.money.Add(&b.money)
	}
}

// change is an amount at its key.
type change struct {
	key
	amount
}

// sorter sorts changes that don't fit into memory, in a database that nobody reads again.
type sorter struct {
	db      *sql.DB
	buffer  map[key]amount // those of the page in hand
	flushes int
}

func openSorter(ctx context.Context, folder string) (*sorter, error) {
	file := url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(folder, "changes.db")}
	db, err := sql.Open("sqlite", file.String()+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-16384)")
	if err != nil {
		return nil, onDisk(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE changes (family BIGINT, series BIGINT, at BIGINT, part BIGINT, page BIGINT, n BIGINT, money TEXT,
		PRIMARY KEY (family, series, at, part, page)) WITHOUT ROWID`); err != nil {
		return nil, errors.Join(onDisk(err), db.Close())
	}
	return &sorter{db: db, buffer: make(map[key]amount)}, nil
}

// onDisk says what an error of the database hinders.
func onDisk(err error) error {
	return fmt.Errorf("keep a part of the history on disk: free some space where temporary files go (TMPDIR): %w", err)
}

func (s *sorter) close() error { return s.db.Close() }

// add adds an amount at a key.
func (s *sorter) add(k key, a *amount) {
	sum := s.buffer[k]
	sum.add(a)
	s.buffer[k] = sum
}

// flush writes the buffer to disk.
func (s *sorter) flush(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return onDisk(err)
	}
	defer tx.Rollback() // does nothing after Commit
	insert, err := tx.PrepareContext(ctx, `INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return onDisk(err)
	}
	defer insert.Close() //nolint:errcheck // Commit has the errors
	for k, a := range s.buffer {
		if _, err := insert.ExecContext(ctx, k.family, k.series, k.at, k.part, s.flushes, a.n, a.money.String()); err != nil {
			return onDisk(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return onDisk(err)
	}
	clear(s.buffer)
	s.flushes++
	return nil
}

// each gives the changes in the order of their keys; those of one key may come as several.
func (s *sorter) each(ctx context.Context, f func(*change) error) error {
	rows, err := s.db.QueryContext(ctx, `SELECT family, series, at, part, n, money FROM changes ORDER BY family, series, at, part`)
	if err != nil {
		return onDisk(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c change
		var money string
		if err := rows.Scan(&c.family, &c.series, &c.at, &c.part, &c.n, &money); err != nil {
			return onDisk(err)
		}
		if c.money, err = cdr.ParseMoneySum(money); err != nil {
			return onDisk(err)
		}
		if err := f(&c); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return onDisk(err)
	}
	return nil
}
