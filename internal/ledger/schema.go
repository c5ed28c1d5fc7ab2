package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// schemaVersion is the layout that this program writes. A migration leads from
// each older one to the next; a newer one isn't opened.
const schemaVersion = 3

// migrations[i] leads from version i to i+1. Statements stay within what SQLite
// and PostgreSQL share, but for WITHOUT ROWID: ids are read by their key, and a
// second tree would double what is written.
var migrations = [][]string{{
	// One row per feed, and row 0 for what belongs to no feed. seq moves with
	// every commit, epoch with a change of owner.
	`CREATE TABLE feeds (
		id INTEGER PRIMARY KEY,
		source TEXT NOT NULL, provider TEXT NOT NULL, feed TEXT NOT NULL,
		fingerprint TEXT NOT NULL,
		epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
		origin BIGINT NOT NULL, floor BIGINT NOT NULL, watermark BIGINT NOT NULL,
		newest BIGINT NOT NULL, history_done BIGINT NOT NULL, records BIGINT NOT NULL,
		plan BLOB,
		UNIQUE (source, feed))`,
	`INSERT INTO feeds VALUES (0, '', '', '', '', 1, 0, 0, 0, 0, 0, 1, 0, NULL)`,
	// Ids that were seen, by the hour of the call's start so that rows of one
	// page lie together; hour 0 holds the rows set aside, by their content; below 0
	// are spans, for facts of which it isn't known in which hour they lie (span.go).
	`CREATE TABLE seen (
		feed BIGINT NOT NULL, hour BIGINT NOT NULL, hash BLOB NOT NULL, data BLOB NOT NULL,
		PRIMARY KEY (feed, hour, hash)) WITHOUT ROWID`,
	`CREATE TABLE series (
		id INTEGER PRIMARY KEY, feed BIGINT NOT NULL, metric TEXT NOT NULL, labels TEXT NOT NULL,
		start BIGINT NOT NULL, shown BIGINT NOT NULL, value TEXT NOT NULL)`,
	`CREATE TABLE trailing (
		feed BIGINT NOT NULL, trunk TEXT NOT NULL, second BIGINT NOT NULL,
		bypassed BIGINT NOT NULL, total BIGINT NOT NULL,
		PRIMARY KEY (feed, trunk, second)) WITHOUT ROWID`,
	`CREATE TABLE outbox (
		id INTEGER PRIMARY KEY, feed BIGINT NOT NULL, records BIGINT NOT NULL,
		created BIGINT NOT NULL, data BLOB NOT NULL)`,
	`CREATE TABLE work (
		feed BIGINT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, version BIGINT NOT NULL,
		due BIGINT NOT NULL, attempts BIGINT NOT NULL, parked BIGINT NOT NULL,
		PRIMARY KEY (feed, kind, key)) WITHOUT ROWID`,
	`CREATE TABLE catalogue (
		metric TEXT PRIMARY KEY, kind TEXT NOT NULL, labels TEXT NOT NULL, bounds TEXT NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
}, {
	// A first history may leave a hundred thousand records to be fetched: what is due is
	// read in its order, not sorted out of all that waits.
	`CREATE INDEX work_due ON work (feed, parked, due, kind, key)`,
}, {
	// How many calls began in which five minutes since 1970.
	`CREATE TABLE activity (
		feed BIGINT NOT NULL, began BIGINT NOT NULL, calls BIGINT NOT NULL, failures BIGINT NOT NULL,
		PRIMARY KEY (feed, began)) WITHOUT ROWID`,
	// The trunks that calls were connected over, each with how many were before the
	// minute since 1970 that connected begins with, and in connected when calls connect
	// and end, by the minute. A ledger that kept none of it doesn't know that minute.
	`ALTER TABLE feeds ADD COLUMN connected_from BIGINT NOT NULL DEFAULT -1`,
	`CREATE TABLE trunks (
		feed BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, connected BIGINT NOT NULL,
		PRIMARY KEY (feed, id)) WITHOUT ROWID`,
	`CREATE TABLE connected (
		feed BIGINT NOT NULL, minute BIGINT NOT NULL, trunk BIGINT NOT NULL, data BLOB NOT NULL,
		PRIMARY KEY (feed, minute, trunk)) WITHOUT ROWID`,
}}

// migrate brings the file to schemaVersion, one transaction per step.
func (e *engine) migrate(ctx context.Context) error {
	version, err := e.version(ctx)
	if err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("ledger has schema version %d, this program knows up to %d: run the newer program that wrote it, or restore a copy from before it",
			version, schemaVersion)
	}
	for ; version < schemaVersion; version++ {
		if err := e.step(ctx, version); err != nil {
			return fmt.Errorf("migrate ledger from schema version %d: %w", version, err)
		}
	}
	return nil
}

func (e *engine) step(ctx context.Context, version int) error {
	return e.transact(ctx, func() error {
		for _, statement := range migrations[version] {
			if _, err := e.conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		_, err := e.conn.ExecContext(ctx,
			`INSERT INTO meta VALUES ('schema', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, strconv.Itoa(version+1))
		return err
	})
}

// version is the file's schema version, 0 for an empty file.
func (e *engine) version(ctx context.Context) (int, error) {
	var tables int
	if err := e.conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return 0, e.explain(err)
	}
	if tables == 0 {
		return 0, nil
	}
	var text string
	if err := e.conn.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'schema'`).Scan(&text); err != nil {
		return 0, errors.Join(errors.New("this is an SQLite file but not a ledger: point storage.path at an empty folder"), e.explain(err))
	}
	version, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}
