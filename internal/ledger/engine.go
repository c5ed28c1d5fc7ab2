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

// database is what SQLite and PostgreSQL don't have in common: all else is SQL that both know.
type database interface {
	// open opens the pool that commits, of one connection, and the pool beside it; view says that both only read.
	open(view bool) (writer, pool *sql.DB, err error)
	// prepare makes the connection that commits, or only reads, ready.
	prepare(conn any, view bool) error
	// statement is a statement in the database's own form.
	statement(text string) string
	// patience is how long a statement may take; 0: as long as it does.
	patience() time.Duration
	// explain says what an error means and what to do: ErrFull, ErrLocked and errIO are told apart.
	explain(err error) error
}

// engine is the database: one connection that commits, guarded by the commit lock, and a pool that reads beside it.
type engine struct {
	session
	beside       session
	conn         *sql.Conn
	writer, pool *sql.DB
}

// openEngine opens a database. A view is for reading only, and needs no lock: another process may write. All that is read is of one instant.
func openEngine(ctx context.Context, d database, view bool, probe func(string) error) (*engine, error) {
	writer, pool, err := d.open(view)
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
	err = conn.Raw(func(conn any) error { return d.prepare(conn, view) })
	if err == nil && view {
		_, err = e.exec(`BEGIN DEFERRED`)
	}
	if err == nil {
		err = e.prepareSchema(ctx, view)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *engine) close() error {
	var errs []error
	for _, stmt := range e.stmts.Range { // which don't end with a connection that is held
		errs = append(errs, stmt.(*sql.Stmt).Close()) //nolint:forcetypeassert // it has no others
	}
	errs = append(errs, e.pool.Close()) // the writer is the last: it keeps SQLite's write-ahead log
	return errors.Join(append(errs, e.conn.Close(), e.writer.Close())...)
}

// errUnknown: the database couldn't say whether the transaction is durable.
var errUnknown = errors.New("commit has an unknown end")

// transact runs one transaction. An error of body rolls it back; an error of COMMIT is wrapped in errUnknown. The context is only looked at
// before it begins: statements aren't cancelled half-way.
func (e *engine) transact(ctx context.Context, body func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := e.exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := body()
	if err == nil {
		if _, err = e.exec(`COMMIT`); err == nil {
			err = e.probe("committed")
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

// session runs statements: on the connection that commits, or beside it.
type session struct {
	database
	ctx   context.Context // of the statements
	on    preparer
	stmts *sync.Map // *sql.Stmt by text, prepared once
	// broken says that a statement met errIO: the connection that commits isn't to be used any more.
	broken *atomic.Bool
	// probe, in tests, is called before each write and may fail it.
	probe func(point string) error
}

type preparer interface {
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
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
	if d.patience() == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.patience())
}

// run runs a statement, which is prepared once, by f. It explains errors, and remembers one of reading or writing.
func (s *session) run(text string, f func(ctx context.Context, stmt *sql.Stmt) error) error {
	ctx, end := limit(s.ctx, s)
	defer end()
	known, _ := s.stmts.Load(text)
	stmt, isKnown := known.(*sql.Stmt)
	var err error
	if !isKnown {
		if stmt, err = s.on.PrepareContext(ctx, s.statement(text)); err == nil {
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

// exec runs a statement that writes, and says how many rows that changed.
func (s *session) exec(text string, args ...any) (changed int64, err error) {
	if err := s.probe(text); err != nil && text != `ROLLBACK` {
		return 0, err
	}
	err = s.run(text, func(ctx context.Context, stmt *sql.Stmt) error {
		result, err := stmt.ExecContext(ctx, args...)
		if err == nil {
			changed, err = result.RowsAffected()
		}
		return err
	})
	return changed, err
}

// scanRow reads the one row of a query; sql.ErrNoRows without one.
func (s *session) scanRow(text string, args []any, into ...any) error {
	return s.run(text, func(ctx context.Context, stmt *sql.Stmt) error {
		return stmt.QueryRowContext(ctx, args...).Scan(into...)
	})
}

// scanAll calls scan for every row of a query, until it fails.
func (s *session) scanAll(text string, args []any, scan func(rows *sql.Rows) error) error {
	var failed error // which isn't the database's
	err := s.run(text, func(ctx context.Context, stmt *sql.Stmt) error {
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
	err = s.scanAll(text, args, func(rows *sql.Rows) error {
		var one T
		err := rows.Scan(columns(&one)...)
		all = append(all, one)
		return err
	})
	return all, err
}

// execMany runs a statement for all rows of arguments: its text up to VALUES, what stands for each row, and what follows. It takes few numbers
// of rows at once, for each of which it is prepared.
func (s *session) execMany(head, row, tail string, args []any) error {
	for _, n := range [...]int{64, 8, 1} {
		text := head + " VALUES " + row + strings.Repeat(", "+row, n-1) + tail
		for size := strings.Count(text, "?"); len(args) >= size; args = args[size:] {
			if _, err := s.exec(text, args[:size]...); err != nil {
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

// asTime scans into a time what micros made.
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

// errIO: the disk or the connection failed; the handle isn't to be trusted any more.
var errIO = errors.New("reading or writing the ledger failed")

// errConflict: the database ended the transaction for the sake of another one; it is to be tried again.
var errConflict = errors.New("the transaction met another one")
