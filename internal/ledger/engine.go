package ledger

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// database is what SQLite and PostgreSQL don't have in common: all else is SQL that both know.
type database interface {
	// open opens the pool that commits, of one connection, and the pool beside it; view says that both only read.
	open(view bool) (writer, beside *sql.DB, err error)
	// prepare makes the connection that commits, or only reads, ready.
	prepare(conn any, view bool) error
	// statement is a statement in the database's own form.
	statement(text string) string
	// tables is the statement that counts the tables that there are.
	tables() string
	// begin is the statement that begins a transaction, and snapshot one that reads all as of one instant.
	begin() string
	snapshot() string
	// patience is how long a statement may take; 0: as long as it does.
	patience() time.Duration
	// explain says what an error means and what to do: ErrFull, ErrLocked and errIO are told apart.
	explain(err error) error
	// check has the database check what it keeps.
	check(e *engine) error
}

// engine is the database: one connection that writes, and a pool that reads
// beside it. The commit lock guards the writing connection.
type engine struct {
	database
	writer *sql.DB
	beside pool
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	// probe, in tests, is called before each write and may fail it.
	probe func(point string) error
}

func openEngine(ctx context.Context, d database, probe func(string) error) (*engine, error) {
	e, err := connect(ctx, d, false)
	if err != nil {
		return nil, err
	}
	e.probe = probe
	if err := e.prepareSchema(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// openView opens a ledger for reading only, without its lock: another process may write. All that is read is of one instant.
func openView(ctx context.Context, d database) (*engine, error) {
	e, err := connect(ctx, d, true)
	if err != nil {
		return nil, err
	}
	if _, err := e.exec(d.snapshot()); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if err := e.checkSchema(); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func connect(ctx context.Context, d database, view bool) (*engine, error) {
	writer, beside, err := d.open(view)
	if err != nil {
		return nil, err
	}
	e := &engine{database: d, writer: writer, beside: pool{beside, d}, stmts: make(map[string]*sql.Stmt)}
	ctx, cancel := limit(ctx, d)
	defer cancel()
	if e.conn, err = writer.Conn(ctx); err != nil {
		return nil, errors.Join(d.explain(err), beside.Close(), writer.Close())
	}
	if err := e.conn.Raw(func(conn any) error { return d.prepare(conn, view) }); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *engine) close() error {
	var errs []error
	for _, s := range e.stmts {
		errs = append(errs, s.Close())
	}
	errs = append(errs, e.beside.Close()) // the writer is the last: it keeps SQLite's write-ahead log
	return errors.Join(append(errs, e.conn.Close(), e.writer.Close())...)
}

// limit bounds how long a statement may take.
func limit(ctx context.Context, d database) (context.Context, context.CancelFunc) {
	if d.patience() == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.patience())
}

// pool reads beside the commits.
type pool struct {
	*sql.DB
	database database
}

// query reads; scanAll ends it.
func (p pool) query(ctx context.Context, text string, args ...any) (*results, error) {
	ctx, end := limit(ctx, p.database)
	rows, err := p.QueryContext(ctx, p.database.statement(text), args...) //nolint:rowserrcheck // scanAll does
	if err != nil {
		end()
		return nil, p.database.explain(err)
	}
	return &results{rows, end}, nil
}

// scanRow reads the one row of a query; sql.ErrNoRows without one.
func (p pool) scanRow(ctx context.Context, text string, args []any, into ...any) error {
	ctx, end := limit(ctx, p.database)
	defer end()
	return p.database.explain(p.QueryRowContext(ctx, p.database.statement(text), args...).Scan(into...))
}

// results are the rows of a query.
type results struct {
	*sql.Rows
	end context.CancelFunc
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
	if _, err := e.exec(e.begin()); err != nil {
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
	ctx, end := limit(background, e)
	defer end()
	s, err := e.conn.PrepareContext(ctx, e.statement(text))
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
	ctx, end := limit(background, e)
	defer end()
	result, err := s.ExecContext(ctx, args...)
	return result, e.explain(err)
}

// manyRows is a statement that takes rows of arguments, prepared for a few numbers of them.
type manyRows struct {
	columns int
	texts   [len(batchSizes)]string
}

// batchSizes are how many rows one statement takes, largest first.
var batchSizes = [...]int{64, 8, 1}

// newManyRows is a statement with these columns per row, whose rows stand as VALUES between head and tail.
func newManyRows(columns []string, head, tail string) *manyRows {
	m := &manyRows{columns: len(columns)}
	row := "(" + strings.Join(columns, ", ") + ")"
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
func (e *engine) query(text string, args ...any) (*results, error) {
	s, err := e.prepared(text)
	if err != nil {
		return nil, err
	}
	ctx, end := limit(background, e)
	rows, err := s.QueryContext(ctx, args...) //nolint:rowserrcheck // scanAll does
	if err != nil {
		end()
		return nil, e.explain(err)
	}
	return &results{rows, end}, nil
}

// scanRow reads the one row of a query on the writing connection; sql.ErrNoRows without one.
func (e *engine) scanRow(text string, args []any, into ...any) error {
	s, err := e.prepared(text)
	if err != nil {
		return err
	}
	ctx, end := limit(background, e)
	defer end()
	return e.explain(s.QueryRowContext(ctx, args...).Scan(into...))
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
func scanAll(rows *results, each func() error) (err error) {
	defer func() {
		defer rows.end()
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

// errIO: the disk or the connection failed; the handle isn't to be trusted any more.
var errIO = errors.New("reading or writing the ledger failed")

// errConflict: the database ended the transaction for the sake of another one; it is to be tried again.
var errConflict = errors.New("the transaction met another one")
