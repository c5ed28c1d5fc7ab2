package ledger

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

// engine is the database: one connection that writes, and a pool that reads
// beside it. The commit lock guards the writing connection.
type engine struct {
	file   string
	writer *sql.DB
	reader *sql.DB
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	// probe, in tests, is called before each write and may fail it.
	probe func(point string) error
}

// pragmas make a commit durable (WAL, synchronous FULL) and bound the memory and
// the write-ahead log.
const pragmas = "_pragma=wal_autocheckpoint(8192)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)" +
	"&_pragma=cache_size(-4096)&_pragma=journal_size_limit(67108864)&_pragma=temp_store(MEMORY)"

func openEngine(ctx context.Context, file string, probe func(string) error) (*engine, error) {
	e := &engine{file: file, probe: probe, stmts: make(map[string]*sql.Stmt)}
	if err := makePrivate(file); err != nil {
		return nil, err
	}
	var err error
	if e.writer, err = sql.Open("sqlite", dsn(file)+pragmas); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	e.writer.SetMaxOpenConns(1)
	if e.conn, err = e.writer.Conn(ctx); err != nil {
		_ = e.writer.Close()
		return nil, e.explain(err)
	}
	if err := e.conn.Raw(keepWAL); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if e.reader, err = openReader(file); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if err := e.prepareSchema(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// makePrivate makes the file for its owner only: it holds the ledger's key. The
// write-ahead log takes over its permissions.
func makePrivate(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("ledger %s can't be written: check its owner, permissions and file system: %w", file, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	return nil
}

// keepWAL keeps the write-ahead log, emptied, and its index when the database is closed: a start on a full disk has no room to
// make them anew.
func keepWAL(conn any) error {
	control, ok := conn.(sqlite.FileControl)
	if !ok {
		return fmt.Errorf("open ledger: %T has no file control", conn)
	}
	_, err := control.FileControlPersistWAL("main", 1)
	return err
}

// openReader opens a pool that only reads; another process may write.
func openReader(file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(file)+"_pragma=query_only(1)&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, fmt.Errorf("open ledger for reading: %w", err)
	}
	db.SetMaxOpenConns(2)
	return db, nil
}

// openView opens a ledger for reading only, without its lock: another process may write. All that is read is of one instant.
func openView(ctx context.Context, file string) (*engine, error) {
	db, err := openReader(file)
	if err != nil {
		return nil, err
	}
	e := &engine{file: file, writer: db, stmts: make(map[string]*sql.Stmt)}
	if e.conn, err = db.Conn(ctx); err != nil {
		return nil, errors.Join(e.explain(err), db.Close())
	}
	if _, err := os.Stat(file + "-wal"); err == nil { // who only reads leaves it as it was
		if err := e.conn.Raw(keepWAL); err != nil {
			return nil, errors.Join(err, e.close())
		}
	}
	if _, err := e.exec(`BEGIN`); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if err := e.checkSchema(); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// dsn is the data source name of a file, up to its parameters.
func dsn(file string) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: file}).String() + "?"
}

func (e *engine) close() error {
	var errs []error
	if e.reader != nil {
		errs = append(errs, e.reader.Close()) // the writer is the last: it keeps the write-ahead log
	}
	for _, s := range e.stmts {
		errs = append(errs, s.Close())
	}
	errs = append(errs, e.conn.Close(), e.writer.Close())
	return errors.Join(errs...)
}

// errUnknown: the database couldn't say whether the transaction is durable.
var errUnknown = errors.New("commit has an unknown end")

// transact runs one transaction. An error of body rolls it back; an error of
// COMMIT is wrapped in errUnknown. Statements aren't cancelled half-way: the
// context is looked at before the transaction begins.
func (e *engine) transact(ctx context.Context, body func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := e.exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := body()
	if err == nil {
		if err = e.callProbe("commit"); err == nil {
			if _, err = e.exec(`COMMIT`); err == nil {
				err = e.callProbe("committed")
			}
		}
		if err != nil {
			err = errors.Join(errUnknown, err)
		}
	}
	if err != nil {
		// After a failed COMMIT the transaction may be gone already.
		_, _ = e.exec(`ROLLBACK`)
	}
	return err
}

// callProbe calls the tests' probe.
func (e *engine) callProbe(point string) error {
	if e.probe == nil {
		return nil
	}
	return e.probe(point)
}

// prepared is the statement of a text, prepared once.
func (e *engine) prepared(text string) (*sql.Stmt, error) {
	if s := e.stmts[text]; s != nil {
		return s, nil
	}
	s, err := e.conn.PrepareContext(background, text)
	if err != nil {
		return nil, e.explain(err)
	}
	e.stmts[text] = s
	return s, nil
}

// exec runs a writing statement on the writing connection.
func (e *engine) exec(text string, args ...any) (sql.Result, error) {
	if err := e.callProbe(text); err != nil && text != `ROLLBACK` {
		return nil, err
	}
	s, err := e.prepared(text)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(background, args...)
	return result, e.explain(err)
}

// manyRows is a statement that takes rows of arguments, prepared for a few numbers of them.
type manyRows struct {
	columns int
	texts   [len(batchSizes)]string
}

// batchSizes are how many rows one statement takes, largest first.
var batchSizes = [...]int{64, 8, 1}

// newManyRows is a statement of so many columns per row, whose rows stand as VALUES between head and tail.
func newManyRows(columns int, head, tail string) *manyRows {
	m := &manyRows{columns: columns}
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	for i, n := range batchSizes {
		m.texts[i] = head + " VALUES " + row + strings.Repeat(", "+row, n-1) + tail
	}
	return m
}

// execMany runs a statement for all rows of arguments, one after the other.
func (e *engine) execMany(m *manyRows, args []any) error {
	for i, n := range batchSizes {
		for size := n * m.columns; len(args) >= size; args = args[size:] {
			if _, err := e.exec(m.texts[i], args[:size]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// query reads on the writing connection, so it sees the transaction.
func (e *engine) query(text string, args ...any) (*sql.Rows, error) {
	s, err := e.prepared(text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(background, args...)
	return rows, e.explain(err)
}

// scanRow reads the one row of a query on the writing connection; sql.ErrNoRows without one.
func (e *engine) scanRow(text string, args []any, into ...any) error {
	s, err := e.prepared(text)
	if err != nil {
		return err
	}
	return e.explain(s.QueryRowContext(background, args...).Scan(into...))
}

// micros is a time as the ledger keeps it: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// scanAll calls each for every row until it fails, and closes rows.
func scanAll(rows *sql.Rows, each func() error) (err error) {
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	for rows.Next() {
		if err := each(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// background is the context of statements, which aren't cancelled half-way.
var background = context.Background()

// explain says what an error of the database means and what to do.
func (e *engine) explain(err error) error {
	var se *sqlite.Error
	if err == nil || !errors.As(err, &se) {
		return err
	}
	if se.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		return fmt.Errorf("%w: there is no room for the ledger's index: free some space: %w", ErrFull, err)
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: free some space; reading goes on by itself then", ErrFull)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("ledger %s is damaged or not an SQLite file: restore a backup, or move it away and start anew (history is read again from the provider): %w", e.file, err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("ledger %s can't be written: its file system or permissions are read-only: %w", e.file, err)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("ledger %s can't be opened: check that its folder exists and may be written: %w", e.file, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: something holds a transaction on %s: %w", ErrLocked, e.file, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%w: %w", errIO, err)
	}
	return fmt.Errorf("ledger: %w", err)
}

// errIO: the disk failed; the handle isn't to be trusted any more.
var errIO = errors.New("reading or writing the ledger's disk failed")
