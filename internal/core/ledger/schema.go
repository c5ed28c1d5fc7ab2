package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// schemaVersion is the layout that this program reads and writes. A file of another one isn't opened.
const schemaVersion = "21"

// schema is the layout of both databases, in SQLite's dialect. WITHOUT ROWID saves a second tree
// for the key. The program assigns the ids of rows (engine.Session.Insert).
var schema = []string{
	// One row per feed, and row 0, which commitAlone locks. seq moves with every commit, epoch with
	// a change of owner (replicas.go). key_check says under which key its ids are
	// (internal/core/counting, Hasher.Check).
	`CREATE TABLE feeds (
		id INTEGER PRIMARY KEY,
		source TEXT NOT NULL, former TEXT NOT NULL, provider TEXT NOT NULL, feed TEXT NOT NULL,
		fingerprint TEXT NOT NULL, owner TEXT NOT NULL,
		epoch BIGINT NOT NULL, seq BIGINT NOT NULL, key_check BIGINT NOT NULL,
		origin BIGINT NOT NULL, floor BIGINT NOT NULL, watermark BIGINT NOT NULL,
		newest BIGINT NOT NULL, history_done BIGINT NOT NULL, records BIGINT NOT NULL,
		connected_from BIGINT NOT NULL, history_read BIGINT NOT NULL,
		UNIQUE (source, feed))`,
	// Where readers go on, in parts: a commit writes those that changed (resume.go).
	`CREATE TABLE resume (feed BIGINT NOT NULL, part BIGINT NOT NULL, data BLOB NOT NULL,
		PRIMARY KEY (feed, part)) WITHOUT ROWID`,
	// What commits brought to remember: a row per commit, by the feed's seq, until the blocks have it (package ids).
	`CREATE TABLE journal (
		feed BIGINT NOT NULL, seq BIGINT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (feed, seq)) WITHOUT ROWID`,
	// What is remembered, by buckets (buckets.go of internal/core/counting). ids says how many keys
	// of 8 bytes there are; states are compressed (package ids).
	`CREATE TABLE blocks (
		id INTEGER PRIMARY KEY, feed BIGINT NOT NULL, bucket BIGINT NOT NULL, ids BIGINT NOT NULL,
		keys BLOB NOT NULL, states BLOB NOT NULL)`,
	`CREATE TABLE series (
		id INTEGER PRIMARY KEY, feed BIGINT NOT NULL, metric TEXT NOT NULL, labels TEXT NOT NULL,
		start BIGINT NOT NULL, shown BIGINT NOT NULL, value TEXT NOT NULL)`,
	// Log records and spans (signal 1) that wait: batches by the feed's seq of the commit that made them.
	`CREATE TABLE outbox (
		feed BIGINT NOT NULL, seq BIGINT NOT NULL, part BIGINT NOT NULL, signal BIGINT NOT NULL,
		records BIGINT NOT NULL,
		created BIGINT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (feed, seq, part)) WITHOUT ROWID`,
	// The replicas that share the ledger, and when each gave its last sign of life, in microseconds
	// since 1970 by the database's clock.
	`CREATE TABLE replicas (
		name TEXT PRIMARY KEY, address TEXT NOT NULL, started BIGINT NOT NULL, seen BIGINT NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE tasks (
		feed BIGINT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, version BIGINT NOT NULL,
		due BIGINT NOT NULL, attempts BIGINT NOT NULL, set_aside BIGINT NOT NULL, problem TEXT NOT NULL,
		data TEXT NOT NULL,
		PRIMARY KEY (feed, kind, key)) WITHOUT ROWID`,
	// A first history may leave a hundred thousand records to be fetched: what is due is read in
	// its order, not sorted out of all. With version, the index alone has the oldest call that waits.
	`CREATE INDEX tasks_due ON tasks (feed, set_aside, due, version, kind, key)`,
	`CREATE TABLE catalogue (metric TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
	// Rows that were set aside, by a keyed hash of their content: counted and logged once.
	`CREATE TABLE bad_rows (
		feed BIGINT NOT NULL, hash BIGINT NOT NULL, at BIGINT NOT NULL, problem TEXT NOT NULL,
		PRIMARY KEY (feed, hash)) WITHOUT ROWID`,
	// How many calls began in the five minutes from a second on, and how many of them failed (trailing.go).
	`CREATE TABLE activity (
		feed BIGINT NOT NULL, second BIGINT NOT NULL, calls BIGINT NOT NULL, failures BIGINT NOT NULL,
		PRIMARY KEY (feed, second)) WITHOUT ROWID`,
	// The trunks by their numbers, from 1, and when the calls of a commit over them were connected;
	// until is the last one's end.
	`CREATE TABLE trunks (
		feed BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (feed, id)) WITHOUT ROWID`,
	`CREATE TABLE connected (
		feed BIGINT NOT NULL, seq BIGINT NOT NULL, until BIGINT NOT NULL, data BLOB NOT NULL,
		PRIMARY KEY (feed, seq)) WITHOUT ROWID`,
	// What was counted of the records that start within a day, as JSON (dailytotals.go). day is its begin.
	`CREATE TABLE daily_totals (feed BIGINT NOT NULL, day BIGINT NOT NULL, data TEXT NOT NULL,
		PRIMARY KEY (feed, day)) WITHOUT ROWID`,
	// What audits found of a feed and a day, or of a part of it, written by another process
	// (audit.go). day is its begin.
	`CREATE TABLE audits (
		feed BIGINT NOT NULL, day BIGINT NOT NULL, whole BIGINT NOT NULL, at BIGINT NOT NULL,
		listed BIGINT NOT NULL, missing BIGINT NOT NULL, changed BIGINT NOT NULL,
		PRIMARY KEY (feed, day, whole)) WITHOUT ROWID`,
	`INSERT INTO feeds VALUES (0, '', '', '', '', '', '', 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)`,
	`INSERT INTO meta VALUES ('schema', '` + schemaVersion + `')`,
}

func readMeta(s *engine.Session, name string) (value string, err error) {
	if err := s.ScanRow(`SELECT value FROM meta WHERE name = ?`, []any{name}, &value); err != nil {
		return "", fmt.Errorf("read %s of the ledger: %w", name, err)
	}
	return value, nil
}

func readCreated(s *engine.Session) (time.Time, error) {
	text, err := readMeta(s, "created")
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when the ledger was made: %w; restore a backup", err)
	}
	return at, nil
}

// openTables opens a ledger's tables in d, which is its database.
func (s *Storage) openTables(ctx context.Context, d engine.Database, a engine.Access) (*engine.Engine, error) {
	if a.View || a.Known {
		if err := s.mustExist(); err != nil {
			return nil, err
		}
	}
	e, err := engine.Open(ctx, d, a)
	if err != nil || a.Known {
		return e, err
	}
	if err := prepareSchema(ctx, e, a.View); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// prepareSchema refuses another layout, and makes the tables of an empty file that isn't only viewed.
func prepareSchema(ctx context.Context, e *engine.Engine, view bool) error {
	if err := checkSchema(&e.Session); view || !errors.Is(err, errNoLedger) {
		return err
	}
	failed := e.Transact(ctx, func() error {
		for _, statement := range schema {
			if _, err := e.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	err := checkSchema(&e.Session) // if another replica was faster, its tables are there
	if errors.Is(err, errNoLedger) {
		return fmt.Errorf("make the tables of the ledger: %w", failed)
	}
	return err
}

// errNoLedger: nothing was ever written there.
var errNoLedger = errors.New("there is no ledger")

// checkSchema refuses a file that has another layout or isn't a ledger.
func checkSchema(s *engine.Session) error {
	var tables int
	if err := s.ScanRow(`SELECT count(*) FROM sqlite_master`, nil, &tables); err != nil {
		return err
	}
	if tables == 0 {
		return errNoLedger
	}
	version, err := readMeta(s, "schema")
	if errors.Is(err, engine.ErrIO) {
		return err // there may be one
	}
	if err != nil {
		return errors.Join(errors.New("this is a database but not a ledger: point storage at an empty folder, "+
			"or an empty schema"), err)
	}
	if version != schemaVersion {
		return fmt.Errorf("ledger has schema version %s, this program has %s: run the program that wrote it, "+
			"or point storage at an empty folder or schema",
			version, schemaVersion)
	}
	return nil
}
