package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// Copy copies a ledger to where there is none, all or nothing, while no exporter has either open.
// progress is called with each table's name, and how many of its rows are copied.
func Copy(ctx context.Context, from, to Storage, progress func(table string, done, of int64)) (err error) {
	if err := from.mustExist(); err != nil {
		return err
	}
	for _, s := range [...]Storage{from, to} {
		if s.Postgres != nil {
			continue
		}
		lock, err := takeLock(s.Folder)
		if err != nil {
			return err
		}
		defer lock.Close() //nolint:errcheck // nothing hangs on it
	}
	source, err := from.openTables(ctx, from.withoutTimeout(), engine.Access{View: true})
	if err != nil {
		return fmt.Errorf("read the ledger to copy: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if from.Postgres != nil {
		c, err := readCluster(source.Reader.Within(ctx))
		if err != nil {
			return err
		}
		if len(c.Replicas) > 0 { // one without feeds takes over those that others have given up
			return errors.New("replicas read into this ledger: stop them first")
		}
	}
	target, err := to.openTables(ctx, to.withoutTimeout(), engine.Access{})
	if err != nil {
		return fmt.Errorf("make the ledger to copy to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return target.Transact(ctx, func() error {
		if _, err := target.Exec(lockLedger); err != nil { // other processes that open it wait
			return err
		}
		var known int64
		if err := target.ScanRow(`SELECT count(*) FROM meta`, nil, &known); err != nil {
			return err
		}
		if known > 1 { // the schema's version
			return errors.New("there is a ledger already: give an empty folder or schema")
		}
		for _, table := range tableNames() {
			if err := copyTable(source, target, table, progress); err != nil {
				return fmt.Errorf("copy table %s: %w", table, err)
			}
		}
		_, err := target.Exec(`UPDATE feeds SET owner = ''`)
		return err
	})
}

// tableNames are the names of all tables that a copy needs: all but the table of replicas.
func tableNames() (names []string) {
	for _, statement := range schema {
		if rest, is := strings.CutPrefix(statement, "CREATE TABLE "); is && !strings.HasPrefix(rest, "replicas ") {
			name, _, _ := strings.Cut(rest, " ")
			names = append(names, name)
		}
	}
	return names
}

// copyTable copies the rows that a new ledger doesn't have from the start.
func copyTable(from, to *engine.Engine, table string, progress func(table string, done, of int64)) error {
	var done, of int64
	if err := from.ScanRow(`SELECT count(*) FROM `+table, nil, &of); err != nil {
		return err
	}
	progress(table, 0, of)
	return from.ScanAll(`SELECT * FROM `+table, nil, func(rows *sql.Rows) error {
		names, row, err := scanAny(rows)
		if err != nil {
			return err
		}
		_, err = to.Exec(`INSERT INTO `+table+` (`+strings.Join(names, ", ")+`) VALUES (?`+
			strings.Repeat(", ?", len(names)-1)+`) ON CONFLICT DO NOTHING`, row...)
		if done++; done == of || done%1000 == 0 {
			progress(table, done, of)
		}
		return err
	})
}

// scanAny scans a row of any columns.
func scanAny(rows *sql.Rows) (names []string, row []any, err error) {
	if names, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	row, into := make([]any, len(names)), make([]any, len(names))
	for i := range row {
		into[i] = &row[i]
	}
	return names, row, rows.Scan(into...)
}
