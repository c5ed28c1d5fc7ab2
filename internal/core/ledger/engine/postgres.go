package engine

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Postgres says where a ledger is that several replicas share.
type Postgres struct {
	// DSN returns the data source name, a URL or key=value pairs. Each new connection calls it, so
	// that a password may change.
	DSN func(ctx context.Context) (string, error)
	// TLS, if not nil, replaces the TLS settings of the DSN.
	TLS *tls.Config
	// Replica names this process, and no other one, now or later; empty: it owns nothing.
	Replica string
	// Address is where the other replicas' pages say that this one can be found; it may be empty.
	Address string

	// StatementTimeout, unless 0, is how long a statement may take instead of 10 seconds, and how long a transaction
	// may be idle.
	StatementTimeout time.Duration
}

const (
	// defaultStatementTimeout is how long a statement may take, and how long a transaction may be
	// idle. A statement that hangs for longer is cancelled and retried.
	defaultStatementTimeout = 10 * time.Second
	// readConnections is the number of a replica's connections that read while another one commits.
	readConnections = 3
)

func (p *Postgres) config(ctx context.Context) (*pgx.ConnConfig, error) {
	dsn, err := p.DSN(ctx)
	if err != nil {
		return nil, fmt.Errorf("storage.postgres: %w", err)
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The error shows the DSN, with the password left out where it could be found.
		return nil, errors.New("storage.postgres: dsn isn't a URL like " +
			"postgres://USER:PASSWORD@HOST:5432/DATABASE, nor pairs like host=HOST user=USER")
	}
	if p.TLS != nil {
		c.TLSConfig = serverTLS(p.TLS, c.Host)
		for _, f := range c.Fallbacks {
			f.TLSConfig = serverTLS(p.TLS, f.Host)
		}
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "cdr-exporter"
	}
	c.RuntimeParams["idle_in_transaction_session_timeout"] = strconv.FormatInt(p.statementTimeout().Milliseconds(), 10)
	if c.ValidateConnect == nil { // after a failover the former primary may still take connections, for reading
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	// of each host: where the first is silent, the next is reached before a lease ends
	c.ConnectTimeout = defaultStatementTimeout / 5
	return c, nil
}

func serverTLS(c *tls.Config, host string) *tls.Config {
	c = c.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	return c
}

func (p *Postgres) open(a *Access) (writer, reader *sql.DB, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), defaultStatementTimeout)
	defer cancel()
	c, err := p.config(ctx)
	if err != nil {
		return nil, nil, err
	}
	var connected atomic.Bool
	refreshConfig := stdlib.OptionBeforeConnect(func(ctx context.Context, c *pgx.ConnConfig) error {
		now, err := p.config(ctx)
		if err == nil {
			*c = *now
			if !connected.Load() { // at the start no lease can end, and a busy server may take its time
				c.ConnectTimeout = defaultStatementTimeout / 2
			}
		}
		return err
	})
	verified := stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		connected.Store(true)
		if a.Verify == nil {
			return nil
		}
		err := a.Verify(func(text string, args []any, into ...any) error {
			return p.explain(conn.QueryRow(ctx, text, args...).Scan(into...))
		})
		if err != nil {
			return refused{err}
		}
		return nil
	})
	writer, reader = stdlib.OpenDB(*c, refreshConfig, verified), stdlib.OpenDB(*c, refreshConfig, verified)
	writer.SetMaxOpenConns(1)
	reader.SetMaxOpenConns(readConnections)
	return writer, reader, nil
}

// refused is a connection that Access.Verify refused.
type refused struct{ error }

func (*Postgres) prepare(any, bool) error { return nil }

// inPostgres translates SQLite's dialect into PostgreSQL's.
var inPostgres = strings.NewReplacer(
	"BEGIN IMMEDIATE", "BEGIN",
	"BEGIN DEFERRED", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	"INTEGER PRIMARY KEY", "BIGINT PRIMARY KEY", "BLOB", "BYTEA", " WITHOUT ROWID", "",
	"sqlite_master", "pg_tables WHERE schemaname = current_schema() AND tablename = 'meta'",
)

var argument = regexp.MustCompile(`\?`)

// prepareStatement numbers the arguments: $1 for the first.
func (*Postgres) prepareStatement(_ context.Context, on preparer, text string) (statement, error) {
	n := 0
	return textStatement{on, argument.ReplaceAllStringFunc(inPostgres.Replace(text), func(string) string {
		n++
		return "$" + strconv.Itoa(n)
	})}, nil
}

// textStatement is a statement that pgx prepares on each connection where it first runs, or not at
// all, as default_query_exec_mode of the DSN says: behind a pooler that lends connections for a
// transaction, what is prepared may be on another one.
type textStatement struct {
	on   preparer
	text string
}

func (s textStatement) ExecContext(ctx context.Context, args ...any) (sql.Result, error) {
	return s.on.ExecContext(ctx, s.text, args...)
}

func (s textStatement) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	return s.on.QueryContext(ctx, s.text, args...)
}

func (s textStatement) QueryRowContext(ctx context.Context, args ...any) *sql.Row {
	return s.on.QueryRowContext(ctx, s.text, args...)
}

func (p *Postgres) statementTimeout() time.Duration {
	return cmp.Or(p.StatementTimeout, defaultStatementTimeout)
}

// explain goes by PostgreSQL's error codes (appendix A). An error without one is a connection that failed.
func (*Postgres) explain(err error) error {
	if verified, is := errors.AsType[refused](err); is {
		return verified.error
	}
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return fmt.Errorf("%w: the database can't be reached: %w", ErrIO, err)
	}
	switch code, class := said.Code, said.Code[:2]; {
	case code == "53100": // disk_full
		return fmt.Errorf("%w: free some space on the database's disk; reading goes on by itself then", ErrFull)
	// invalid_sql_statement_name, duplicate_prepared_statement
	case code == "26000", code == "42P05", code == "08P01" && strings.Contains(said.Message, "bind message supplies"):
		return fmt.Errorf("%w: a statement that was prepared is on another connection: behind PgBouncer with "+
			"pool_mode = transaction add default_query_exec_mode=exec to the DSN (docs/replicas.md): %w", ErrIO, err)
	case code == "42P01", code == "3F000": // undefined_table, invalid_schema_name
		return fmt.Errorf("%w: %w", ErrNoTable, err)
	case code == "40001", code == "40P01": // serialization_failure, deadlock_detected
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case code == "25006": // read_only_sql_transaction: a standby, or a primary that became one
		return fmt.Errorf("%w: the database only reads now, as a standby does: %w", ErrIO, err)
	// invalid_catalog_name, insufficient_privilege, invalid authorization
	case code == "3D000", code == "42501", class == "28":
		return fmt.Errorf("%w: storage.postgres: the role needs the right to connect to the database and to "+
			"create tables in its schema (docs/replicas.md): %w", ErrIO, err)
	// idle_in_transaction_session_timeout, connection, resources, a server that stops
	case code == "25P03", class == "08", class == "53", class == "57":
		return fmt.Errorf("%w: %w", ErrIO, err)
	}
	return fmt.Errorf("ledger: %w", err)
}
