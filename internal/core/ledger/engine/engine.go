package engine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Database is what differs between SQLite and PostgreSQL: everything else is SQL that both know.
type Database interface {
	// open opens the pool that commits, with one connection, and the pool for concurrent reads.
	open(a *Access) (writer, pool *sql.DB, err error)
	// prepare makes the connection that commits, or only reads, ready.
	prepare(conn any, view bool) error
	// prepareStatement translates a text into the database's dialect and prepares it for repeated use.
	prepareStatement(ctx context.Context, on preparer, text string) (statement, error)
	// statementTimeout is how long a statement may take; 0: no limit.
	statementTimeout() time.Duration
	// explain adds what an error means and what to do; it wraps ErrFull, ErrLocked, ErrIO or
	// ErrNoTable where one applies.
	explain(err error) error
}

// Access says how a database is opened. The zero value makes what is missing.
type Access struct {
	// View opens it for reading only, without a lock: another process may write. All reads see the same instant.
	View bool
	// Known: it was open before, so nothing is made (counting.md 34).
	Known bool
	// Verify, unless nil, is called for each new connection to a server; scan reads from it. Its error stands as it is.
	Verify func(scan RowScanner) error
	// Probe, in tests, is called before each write, after opening and after a commit, and may fail that.
	Probe func(point string) error
}

// RowScanner reads the one row of a query, as Session.ScanRow does.
type RowScanner func(text string, args []any, into ...any) error

// Engine is the database. One connection commits, for one goroutine at a time; a pool reads
// meanwhile.
type Engine struct {
	Session
	// Reader reads while the other connection commits.
	Reader       Session
	conn         *sql.Conn
	writer, pool *sql.DB
}

// Open opens a database.
func Open(ctx context.Context, d Database, a Access) (*Engine, error) {
	writer, pool, err := d.open(&a)
	if err != nil {
		return nil, err
	}
	limited, cancel := limit(ctx, d)
	defer cancel()
	conn, err := writer.Conn(limited)
	if err != nil {
		return nil, errors.Join(d.explain(err), pool.Close(), writer.Close())
	}
	e := &Engine{Session: newSession(d, conn), Reader: newSession(d, pool), conn: conn, writer: writer, pool: pool}
	if a.Probe != nil {
		e.probe = a.Probe
	}
	if a.View { // what only reads may be cancelled
		e.ctx = ctx
	}
	if err = e.probe("open"); err == nil {
		err = conn.Raw(func(conn any) error { return d.prepare(conn, a.View) })
	}
	if err == nil && a.View {
		_, err = e.Exec(`BEGIN DEFERRED`)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Close closes the database.
func (e *Engine) Close() error {
	var errs []error
	for _, one := range e.stmts.Range { // closing a held connection doesn't close them
		if stmt, is := one.(*sql.Stmt); is {
			errs = append(errs, stmt.Close())
		}
	}
	errs = append(errs, e.pool.Close()) // the writer is the last: it keeps SQLite's write-ahead log
	return errors.Join(append(errs, e.conn.Close(), e.writer.Close())...)
}

// ErrUnknown says that the database couldn't say whether the transaction is durable.
var ErrUnknown = errors.New("commit has an unknown end")

// Transact runs one transaction. An error of body rolls it back; an error of COMMIT is wrapped in
// ErrUnknown. A transaction that ends with ErrConflict is run again, five times at most. The context is only
// looked at before it begins: statements aren't cancelled half-way.
func (e *Engine) Transact(ctx context.Context, body func() error) (err error) {
	for range 5 {
		if err = e.transactOnce(ctx, body); !errors.Is(err, ErrConflict) {
			break
		}
	}
	return err
}

func (e *Engine) transactOnce(ctx context.Context, body func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := e.Exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := body()
	if err == nil {
		if _, err = e.Exec(`COMMIT`); err == nil {
			err = e.probe("committed")
		}
		if err != nil {
			err = errors.Join(ErrUnknown, err)
		}
	}
	if err != nil {
		// After a failed COMMIT the transaction may be gone already.
		_, _ = e.Exec(`ROLLBACK`)
	}
	return err
}

// Session runs statements on the connection that commits, or on the pool that reads.
type Session struct {
	database Database
	ctx      context.Context // of the statements
	on       preparer
	stmts    *sync.Map // statement by text, prepared once
	// broken says that a statement failed with ErrIO.
	broken *atomic.Bool
	probe  func(point string) error // see Access
}

// preparer is what statements run on: a connection, or a pool of them.
type preparer interface {
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// statement is a text that runs with arguments; *sql.Stmt is one.
type statement interface {
	ExecContext(ctx context.Context, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, args ...any) *sql.Row
}

func newSession(d Database, on preparer) Session {
	return Session{
		database: d, ctx: context.Background(), on: on, stmts: new(sync.Map), broken: new(atomic.Bool),
		probe: func(string) error { return nil },
	}
}

// IsBroken says that a statement failed with ErrIO: the connection that commits must not be used any more.
func (s *Session) IsBroken() bool { return s.broken.Load() }

// MarkBroken is what a statement that fails with ErrIO does.
func (s *Session) MarkBroken() { s.broken.Store(true) }

// Within is the session whose statements end with a context.
func (s Session) Within(ctx context.Context) *Session {
	s.ctx = ctx
	return &s
}

func limit(ctx context.Context, d Database) (context.Context, context.CancelFunc) {
	if d.statementTimeout() == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.statementTimeout())
}

// run prepares a statement, once, and runs it by f. It explains errors, and sets broken after ErrIO.
func (s *Session) run(text string, f func(ctx context.Context, stmt statement) error) error {
	ctx, end := limit(s.ctx, s.database)
	defer end()
	known, _ := s.stmts.Load(text)
	stmt, isKnown := known.(statement)
	var err error
	if !isKnown {
		if stmt, err = s.database.prepareStatement(ctx, s.on, text); err == nil {
			s.stmts.Store(text, stmt)
		}
	}
	if err == nil {
		err = f(ctx, stmt)
	}
	if err = s.database.explain(err); errors.Is(err, ErrIO) {
		s.MarkBroken()
	}
	return err
}

// Exec runs a statement that writes, and says how many rows that changed.
func (s *Session) Exec(text string, args ...any) (changed int64, err error) {
	if err := s.probe(text); err != nil && text != `ROLLBACK` {
		return 0, err
	}
	err = s.run(text, func(ctx context.Context, stmt statement) error {
		result, err := stmt.ExecContext(ctx, args...)
		if err == nil {
			changed, err = result.RowsAffected()
		}
		return err
	})
	return changed, err
}

// ScanRow reads the one row of a query; sql.ErrNoRows without one.
func (s *Session) ScanRow(text string, args []any, into ...any) error {
	return s.run(text, func(ctx context.Context, stmt statement) error {
		return stmt.QueryRowContext(ctx, args...).Scan(into...)
	})
}

// ScanAll calls scan for every row of a query, until it fails.
func (s *Session) ScanAll(text string, args []any, scan func(rows *sql.Rows) error) error {
	var failed error // which isn't the database's
	err := s.run(text, func(ctx context.Context, stmt statement) error {
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close() // what failed is in rows.Err
		for failed == nil && rows.Next() {
			failed = scan(rows)
		}
		return rows.Err()
	})
	return cmp.Or(failed, err)
}

// feedBits is where a feed's number begins in the ids of its rows, so that its owner gives them.
const feedBits = 40

// Insert adds a row of a feed to a table under its next id.
func (s *Session) Insert(table, columns string, feed int64, values ...any) (id int64, err error) {
	text := `INSERT INTO ` + table + ` (id, feed, ` + columns + `) VALUES ((SELECT COALESCE(max(id), ?) + 1 FROM ` +
		table + ` WHERE id > ? AND id < ?), ?` +
		strings.Repeat(`, ?`, len(values)) + `) RETURNING id`
	err = s.ScanRow(text, append([]any{feed << feedBits, feed << feedBits, (feed + 1) << feedBits, feed}, values...),
		&id)
	return id, err
}

// ReadRows reads all rows of a query. columns are where one is scanned into.
func ReadRows[T any](s *Session, text string, args []any, columns func(*T) []any) (all []T, err error) {
	err = s.ScanAll(text, args, func(rows *sql.Rows) error {
		var one T
		err := rows.Scan(columns(&one)...)
		all = append(all, one)
		return err
	})
	return all, err
}

// ExecMany runs a statement for all rows of arguments. head is its text up to VALUES, row the
// placeholders of one row, and tail what follows them.
func (s *Session) ExecMany(head, row, tail string, args []any) error {
	return inPieces(row, args, func(rows string, args []any) error {
		_, err := s.Exec(head+" VALUES "+rows+tail, args...)
		return err
	})
}

// QueryIn runs a query that ends within the brackets of an IN, for all keys of a feed; row are the placeholders of one
// key.
func (s *Session) QueryIn(query, row string, feed int64, keys []any, scan func(*sql.Rows) error) error {
	return inPieces(row, keys, func(rows string, keys []any) error {
		return s.ScanAll(query+rows+")", append([]any{feed}, keys...), scan)
	})
}

// inPieces calls run with the placeholders and arguments of 64, 8 or 1 rows, so that only three
// statements are prepared.
func inPieces(row string, args []any, run func(rows string, args []any) error) error {
	for _, n := range [...]int{64, 8, 1} {
		rows := row + strings.Repeat(", "+row, n-1)
		for size := strings.Count(rows, "?"); len(args) >= size; args = args[size:] {
			if err := run(rows, args[:size]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Micros is a time as the ledger keeps it: microseconds since 1970, 0 for none.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time scans a time that Micros made.
func Time(into *time.Time) sql.Scanner { return timeScanner{into} }

type timeScanner struct{ into *time.Time }

func (t timeScanner) Scan(value any) error {
	us, is := value.(int64)
	if !is {
		return fmt.Errorf("%T where a time was expected", value)
	}
	if *t.into = (time.Time{}); us != 0 {
		*t.into = time.UnixMicro(us).UTC()
	}
	return nil
}

// Flag is 1 for true, as the ledger keeps it.
func Flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// The errors that callers tell apart.
var (
	// ErrFull: the disk is full; reading pauses, the outbox may still drain.
	ErrFull = errors.New("the disk of the ledger is full")
	// ErrLocked: another process has the ledger.
	ErrLocked = errors.New("another process has this ledger open")
	// ErrIO: the disk or the connection failed; the connection can't be trusted any more.
	ErrIO = errors.New("reading or writing the ledger failed")
	// ErrNoTable: a table isn't there.
	ErrNoTable = errors.New("a table of the ledger is missing")
	// ErrConflict: the database ended the transaction in favour of another one, each time that it was tried.
	ErrConflict = errors.New("the transaction met another one")
)
