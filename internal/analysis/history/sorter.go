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

// change is by how much a record changes a series. Changes are written in the order of the first three fields.
type change struct {
	family, series int
	// at is when it is seen, in milliseconds since 1970.
	at int64
	// n is by how much a counter grows, or what a histogram observes; money is that of a counter of money.
	n     int64
	money cdr.Money
}

// sorter sorts changes that don't fit into memory, in a database that nobody reads again: one
// transaction without a journal.
type sorter struct {
	db     *sql.DB
	tx     *sql.Tx
	insert *sql.Stmt
	err    error // of the first change that couldn't be kept
}

func openSorter(folder string) (*sorter, error) {
	ctx := context.Background() // until it is closed
	file := url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(folder, "changes.db")}
	db, err := sql.Open("sqlite", file.String()+
		"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-16384)")
	if err != nil {
		return nil, onDisk(err)
	}
	s := &sorter{db: db}
	if s.tx, err = db.BeginTx(ctx, nil); err != nil {
		return nil, errors.Join(onDisk(err), db.Close())
	}
	_, err = s.tx.ExecContext(ctx,
		`CREATE TABLE changes (family BIGINT, series BIGINT, at BIGINT, n BIGINT, money TEXT)`)
	if err == nil {
		s.insert, err = s.tx.PrepareContext(ctx, `INSERT INTO changes VALUES (?, ?, ?, ?, ?)`)
	}
	if err != nil {
		return nil, errors.Join(onDisk(err), s.close())
	}
	return s, nil
}

// onDisk says what an error of the database hinders.
func onDisk(err error) error {
	return fmt.Errorf("keep a part of the history on disk: free some space where temporary files go (TMPDIR): %w", err)
}

func (s *sorter) close() error { return errors.Join(s.tx.Rollback(), s.db.Close()) }

// add adds a change; after an error it does nothing.
func (s *sorter) add(c *change) {
	if s.err != nil {
		return
	}
	if _, err := s.insert.ExecContext(context.Background(), c.family, c.series, c.at, c.n,
		c.money.String()); err != nil {
		s.err = onDisk(err)
	}
}

func (s *sorter) each(ctx context.Context, f func(*change) error) error {
	rows, err := s.tx.QueryContext(ctx, `SELECT family, series, at, n, money FROM changes ORDER BY family, series, at`)
	if err != nil {
		return onDisk(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c change
		var money string
		if err := rows.Scan(&c.family, &c.series, &c.at, &c.n, &money); err != nil {
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
