package ledger

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

// database is what differs between SQLite and PostgreSQL: everything else is SQL that both know.
type database interface {
	// open opens the pool that commits, of one connection, and the pool beside it.
	open(a access) (writer, pool *sql.DB, err error)
	// prepare makes the connection that commits, or only reads, ready.
	prepare(conn any, view bool) error
	// prepareStatement translates a text into the database's dialect and prepares it for repeated use.
	prepareStatement(ctx context.Context, on preparer, text string) (statement, error)
	// statementTimeout is how long a statement may take; 0: no limit.
	statementTimeout() time.Duration
	// explain adds what an error means and what to do; it wraps ErrFull, ErrLocked, errIO or
	// errNoTable where one applies.
	explain(err error) error
}

// access says how a database is opened. The zero value makes what is missing.
type access struct {
	// view opens it for reading only, without a lock: another process may write. All reads see the same instant.
	view bool
	// known: it was open before, so nothing is made (counting.md 34).
	known bool
	// verify, unless nil, is called with each new connection to a server, for which scan runs markQuery.
	verify func(scan func(into ...any) error) error
}

// engine is the database: one connection that commits, guarded by the commit lock, and a pool that reads beside it.
type engine struct {
	session
	beside       session
	conn         *sql.Conn
	writer, pool *sql.DB
}

// openEngine opens a database.
func openEngine(ctx context.Context, d database, a access, probe func(string) error) (*engine, error) {
	writer, pool, err := d.open(a)
	if err != nil {
		return nil, err
	}
	limited, cancel := limit(ctx, d)
	defer cancel()
	conn, err := writer.Conn(limited)
	if err != nil {
		return nil, errors.Join(d.explain(err), pool.Close(), writer.Close())
	}
	e := &engine{session: newSession(d, conn), beside: newSession(d, pool), conn: conn, writer: writer, pool: pool}
	if probe != nil {
		e.probe = probe
	}
	if a.view { // what only reads may be cancelled
		e.ctx = ctx
	}
	if err = e.probe("open"); err == nil {
		err = conn.Raw(func(conn any) error { return d.prepare(conn, a.view) })
	}
	if err == nil && a.view {
		_, err = e.Exec(`BEGIN DEFERRED`)
	}
	if err == nil && !a.known { // else its mark is compared
		err = e.prepareSchema(ctx, a.view)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *engine) close() error {
	var errs []error
	for _, one := range e.stmts.Range { // closing a held connection doesn't close them
		if stmt, is := one.(*sql.Stmt); is {
			errs = append(errs, stmt.Close())
		}
	}
	errs = append(errs, e.pool.Close()) // the writer is the last: it keeps SQLite's write-ahead log
	return errors.Join(append(errs, e.conn.Close(), e.writer.Close())...)
}

// errUnknown: the database couldn't say whether the transaction is durable.
var errUnknown = errors.New("commit has an unknown end")

// transact runs one transaction. An error of body rolls it back; an error of COMMIT is wrapped in
// errUnknown. The context is only looked at before it begins: statements aren't cancelled half-way.
func (e *engine) transact(ctx context.Context, body func() error) error {
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
			err = errors.Join(errUnknown, err)
		}
	}
	if err != nil {
		// After a failed COMMIT the transaction may be gone already.
		_, _ = e.Exec(`ROLLBACK`)
	}
	return err
}

// session runs statements: on the connection that commits, or beside it. It is the database of package ids.
type session struct {
	database
	ctx   context.Context // of the statements
	on    preparer
	stmts *sync.Map // statement by text, prepared once
	// broken says that a statement failed with errIO: the connection that commits must not be used any more.
	broken *atomic.Bool
	// probe, in tests, is called before each write and after opening, and may fail that.
	probe func(point string) error
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

func newSession(d database, on preparer) session {
	return session{
		database: d, ctx: background, on: on, stmts: new(sync.Map), broken: new(atomic.Bool),
		probe: func(string) error { return nil },
	}
}

// within is the session whose statements end with a context.
func (s session) within(ctx context.Context) *session {
	s.ctx = ctx
	return &s
}

func limit(ctx context.Context, d database) (context.Context, context.CancelFunc) {
	if d.statementTimeout() == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.statementTimeout())
}

// run prepares a statement, once, and runs it by f. It explains errors, and sets broken after errIO.
func (s *session) run(text string, f func(ctx context.Context, stmt statement) error) error {
	ctx, end := limit(s.ctx, s)
	defer end()
	known, _ := s.stmts.Load(text)
	stmt, isKnown := known.(statement)
	var err error
	if !isKnown {
		if stmt, err = s.prepareStatement(ctx, s.on, text); err == nil {
			s.stmts.Store(text, stmt)
		}
	}
	if err == nil {
		err = f(ctx, stmt)
	}
	if err = s.explain(err); errors.Is(err, errIO) {
		s.broken.Store(true)
	}
	return err
}

// Exec runs a statement that writes, and says how many rows that changed.
func (s *session) Exec(text string, args ...any) (changed int64, err error) {
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
func (s *session) ScanRow(text string, args []any, into ...any) error {
	return s.run(text, func(ctx context.Context, stmt statement) error {
		return stmt.QueryRowContext(ctx, args...).Scan(into...)
	})
}

// ScanAll calls scan for every row of a query, until it fails.
func (s *session) ScanAll(text string, args []any, scan func(rows *sql.Rows) error) error {
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

// readRows reads all rows of a query. columns are where one is scanned into.
func readRows[T any](s *session, text string, args []any, columns func(*T) []any) (all []T, err error) {
	err = s.ScanAll(text, args, func(rows *sql.Rows) error {
		var one T
		err := rows.Scan(columns(&one)...)
		all = append(all, one)
		return err
	})
	return all, err
}

// execMany runs a statement for all rows of arguments. head is its text up to VALUES, row the
// placeholders of one row, and tail what follows them.
func (s *session) execMany(head, row, tail string, args []any) error {
	return inPieces(row, args, func(rows string, args []any) error {
		_, err := s.Exec(head+" VALUES "+rows+tail, args...)
		return err
	})
}

// queryIn runs a query that ends in IN for all keys of a feed; row are the placeholders of one key.
func (s *session) queryIn(query, row string, feed int64, keys []any, scan func(*sql.Rows) error) error {
	return inPieces(row, keys, func(rows string, keys []any) error {
		return s.ScanAll(query+"("+rows+")", append([]any{feed}, keys...), scan)
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

// micros is a time as the ledger keeps it: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// asTime scans a time that micros made.
type asTime struct{ *time.Time }

func (a asTime) Scan(value any) error {
	us, is := value.(int64)
	if !is {
		return fmt.Errorf("%T where a time was expected", value)
	}
	if *a.Time = (time.Time{}); us != 0 {
		*a.Time = time.UnixMicro(us).UTC()
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// background is the context of statements, which aren't cancelled half-way.
var background = context.Background()

// errIO: the disk or the connection failed; the handle can't be trusted any more.
var errIO = errors.New("reading or writing the ledger failed")

// errNoTable: a table isn't there.
var errNoTable = errors.New("a table of the ledger is missing")

// errConflict: the database ended the transaction in favour of another one; retry it.
var errConflict = errors.New("the transaction met another one")
