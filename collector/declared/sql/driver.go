package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
)

// query is a query to a database.
type query struct {
	dsn, text string
	zone      *time.Location // of times in text
	// elsewhere says that the session is in another zone than that, so that it would print a TIMESTAMP wrong.
	elsewhere bool
}

// drivers are the drivers that definitions may name. A driver connects, runs the query in a
// read-only transaction, and gives each row as texts. A value is as the database prints it, empty
// for NULL.
var drivers = map[string]func(ctx context.Context, q query, each func(columns, values []string) error) error{
	"mysql": queryMySQL, "sqlite": querySQLite, driverPostgres: queryPostgres,
}

const driverPostgres = "postgres"

// errDSN quotes nothing of the DSN, which contains a password.
var errDSN = &advice.Error{
	What: "the DSN can't be read",
	Todo: "write it in the driver's form: user:password@tcp(host:3306)/database (mysql), " +
		"postgres://user:password@host/database (postgres), or the path of the database (sqlite)",
}

// errZone is the error for a TIMESTAMP that MySQL prints in another zone than the source's.
var errZone = &advice.Error{
	What: "the database lacks the names of time zones, or has old ones, and would print the query's TIMESTAMPs in " +
		"another zone than time_zone",
	Todo: "load the names (mysql_tzinfo_to_sql), or set the source's time_zone to UTC",
}

func queryMySQL(ctx context.Context, q query, each func(columns, values []string) error) error {
	c, err := mysql.ParseDSN(q.dsn)
	if err != nil {
		return errDSN
	}
	c.ParseTime, c.MultiStatements = false, false // values as the server prints them
	if c.Params == nil {
		c.Params = make(map[string]string)
	}
	c.Params["sql_select_limit"] = "18446744073709551615" // otherwise a limit of the server leaves rows out silently
	mayLack := c.Params["time_zone"] == "" && q.zone != time.UTC && q.zone != time.Local
	if c.Params["time_zone"] == "" {
		c.Params["time_zone"] = SessionZone(q.zone)
	}
	c.Timeout, c.Logger = 10*time.Second, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return errDSN
	}
	db := sql.OpenDB(connector)
	if mayLack {
		if q.elsewhere, err = isElsewhere(ctx, db, q.zone); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	return queryDB(ctx, db, "START TRANSACTION /*!50605 READ ONLY */", q, each)
}

// isElsewhere says whether a session of MySQL is in another zone, because the server doesn't know the right one. Two
// zones may have the same time in summer, or in winter, only.
func isElsewhere(ctx context.Context, db *sql.DB, zone *time.Location) (bool, error) {
	const quarter = 91 * 24 * 60 * 60
	var now int64
	var is [4]string
	err := db.QueryRowContext(ctx, fmt.Sprintf("SELECT UNIX_TIMESTAMP(), FROM_UNIXTIME(UNIX_TIMESTAMP()), "+
		"FROM_UNIXTIME(UNIX_TIMESTAMP() - %d), FROM_UNIXTIME(UNIX_TIMESTAMP() - %d), "+
		"FROM_UNIXTIME(UNIX_TIMESTAMP() - %d)", quarter, 2*quarter, 3*quarter)).
		Scan(&now, &is[0], &is[1], &is[2], &is[3])
	for i, text := range is {
		if time.Unix(now-int64(i)*quarter, 0).In(zone).Format(time.DateTime) != text {
			return true, err
		}
	}
	return false, err
}

// SessionZone is the zone of a session of MySQL, as an expression. The server compares and prints a TIMESTAMP in it,
// and calculates with Unix times. If it lacks the names of zones, it keeps its own zone: see isElsewhere.
func SessionZone(zone *time.Location) string {
	switch zone {
	case time.Local:
		return "@@time_zone"
	case time.UTC:
		return "'+00:00'"
	}
	return fmt.Sprintf("IF(CONVERT_TZ('2000-01-01', '+00:00', '%s') IS NULL, @@time_zone, '%[1]s')", zone)
}

func querySQLite(ctx context.Context, q query, each func(columns, values []string) error) error {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: q.dsn}).String()+
		"?mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(10000)")
	if err != nil {
		return errDSN
	}
	if q.text, err = asTexts(ctx, db, q); err != nil {
		return errors.Join(err, db.Close())
	}
	return queryDB(ctx, db, "BEGIN", q, each)
}

// asTexts is a query whose values are SQLite's texts: without it, the driver turns values of date
// columns into times.
func asTexts(ctx context.Context, db *sql.DB, q query) (text string, err error) {
	var inner strings.Builder
	for _, token := range Tokens(q.text, "sqlite") {
		if token == ";" || strings.HasPrefix(token, "--") {
			token = "\n"
		}
		inner.WriteString(token)
	}
	rows, err := db.QueryContext(ctx, "SELECT * FROM ("+inner.String()+") LIMIT 0")
	if err != nil {
		return "", err
	}
	defer rows.Close() // rows.Err has the error
	columns, err := rows.Columns()
	for i, name := range columns {
		name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		columns[i] = "CAST(" + name + " AS TEXT) AS " + name
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM (" + inner.String() + ")", errors.Join(err, rows.Err())
}

// queryDB runs a query in a transaction, which ends with its connection: a ROLLBACK would know no context, and wait for
// good if a proxy lost its server.
func queryDB(
	ctx context.Context, db *sql.DB, begin string, q query, each func(columns, values []string) error,
) (err error) {
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it only read
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return err
	}
	rows, err := conn.QueryContext(ctx, q.text)
	if err != nil {
		return err
	}
	defer rows.Close() // rows.Err has the error
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if q.elsewhere && slices.ContainsFunc(types, func(c *sql.ColumnType) bool {
		return c.DatabaseTypeName() == "TIMESTAMP"
	}) {
		return errZone
	}
	scanned, into, values := make([]sql.NullString, len(columns)), make([]any, len(columns)),
		make([]string, len(columns))
	for i := range scanned {
		into[i] = &scanned[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range scanned {
			values[i] = v.String // empty for NULL
			if v.Valid && types[i].DatabaseTypeName() == "BIT" {
				values[i] = new(big.Int).SetBytes([]byte(v.String)).String() // MySQL sends the number's bytes
			}
		}
		if err := each(columns, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func queryPostgres(ctx context.Context, q query, each func(columns, values []string) error) error {
	config, err := pgx.ParseConfig(q.dsn)
	if err != nil {
		return errDSN
	}
	config.ConnectTimeout = 10 * time.Second
	config.RuntimeParams["datestyle"] = "ISO"
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.RuntimeParams["standard_conforming_strings"] = "on"
	if q.zone != time.Local { // compare and print timestamps with a zone in the source's zone
		config.RuntimeParams["timezone"] = q.zone.String()
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it only read
	// Some poolers refuse intervalstyle as a parameter.
	before := "BEGIN READ ONLY; SET LOCAL intervalstyle = postgres"
	if conn.PgConn().ParameterStatus("server_encoding") == "SQL_ASCII" { // its bytes may not be UTF-8
		before = "SET client_encoding = SQL_ASCII; " + before
	}
	if _, err := conn.PgConn().Exec(ctx, before).ReadAll(); err != nil {
		return err
	}
	results := conn.PgConn().Exec(ctx, q.text) // values as the server prints them
	for err == nil && results.NextResult() {
		err = eachRow(results.ResultReader(), each)
	}
	return errors.Join(err, results.Close())
}

// eachRow gives the rows of a result as texts.
func eachRow(rows *pgconn.ResultReader, each func(columns, values []string) error) error {
	var columns []string
	var zoned []bool
	for _, f := range rows.FieldDescriptions() {
		columns, zoned = append(columns, f.Name), append(zoned, f.DataTypeOID == pgtype.TimestamptzOID)
	}
	values := make([]string, len(columns))
	for rows.NextRow() {
		for i, raw := range rows.Values() {
			if values[i] = string(raw); zoned[i] {
				values[i] = inUTC(values[i])
			}
		}
		if err := each(columns, values); err != nil {
			return err
		}
	}
	return nil // the results have the error
}

// inUTC is a timestamptz in the same form whatever the zone of the session, whose offset may have
// minutes: a text that is an id or a version stays the same.
func inUTC(text string) string {
	for _, offset := range []string{"-07", "-07:00", "-07:00:00"} {
		if at, err := time.Parse(time.DateTime+offset, text); err == nil {
			return at.UTC().Format("2006-01-02 15:04:05.999999-07")
		}
	}
	return text // infinity
}
