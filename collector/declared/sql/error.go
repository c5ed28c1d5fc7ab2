package sql

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
)

const (
	todoReach  = "check host, port or path in the DSN, and that the database runs and is reachable from here"
	todoAccess = "check user and password in the DSN, and allow the user to read the tables: GRANT SELECT"
	todoQuery  = "check that the DSN names the right database, and the query of the definition against its tables"
	todoSlow   = "create an index on the column that the query filters by; check that the database answers"
	todoOther  = "nothing, if it passes: the exporter retries; else see the database's log"
)

// databaseError explains an error of a database. Drivers' texts name parts of the DSN (host, user,
// database) and may quote values of rows, so it only passes on what concerns the query itself.
func databaseError(title string, err error) error {
	what, todo := meaningOf(err)
	return &advice.Error{What: title + "'s database " + what, Todo: todo}
}

func meaningOf(err error) (what, todo string) {
	my, _ := errors.AsType[*mysql.MySQLError](err)
	pg, _ := errors.AsType[*pgconn.PgError](err)
	lite, _ := errors.AsType[*sqlite.Error](err)
	network, isNetwork := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), isNetwork && network.Timeout():
		return "doesn't answer in time", todoSlow
	case my != nil:
		return meaningOfMySQL(my)
	case pg != nil:
		return meaningOfPostgres(pg)
	case lite != nil:
		return meaningOfSQLite(lite)
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return "can't be reached: " + number.Error(), todoReach
	}
	return "can't be reached", todoReach
}

// databaseOf matches the name of the database before a table's name.
var databaseOf = regexp.MustCompile(`'[^'.]*\.`)

func meaningOfMySQL(e *mysql.MySQLError) (what, todo string) {
	number := " (error " + strconv.Itoa(int(e.Number)) + ")"
	switch e.Number {
	case 1044, 1045, 1142, 1143, 1698: // access denied
		return "refuses the user or the password, or this user's access to the table" + number, todoAccess
	case 1146: // unknown table
		return "can't run the query: " + oneLine(databaseOf.ReplaceAllString(e.Message, "'")) + number, todoQuery
	case 1054, 1064: // unknown column, syntax
		return "can't run the query: " + oneLine(e.Message) + number, todoQuery
	case 1049: // unknown database
		return "doesn't exist there" + number, todoQuery
	case 1317, 1969, 3024: // interrupted, or over the server's time limit
		return "stopped the query" + number, todoSlow
	}
	return "reports an error" + number, todoOther
}

func meaningOfPostgres(e *pgconn.PgError) (what, todo string) {
	state := " (SQLSTATE " + e.Code + ")"
	switch {
	case strings.HasPrefix(e.Code, "28"), e.Code == "42501":
		return "refuses the user or the password, or this user's access to the table" + state, todoAccess
	case strings.HasPrefix(e.Code, "42"):
		return "can't run the query: " + oneLine(e.Message) + state, todoQuery
	case strings.HasPrefix(e.Code, "22"): // the text quotes the value
		return "has a value that doesn't fit the query" + state, todoQuery
	case e.Code == "3D000":
		return "doesn't exist there" + state, todoQuery
	case e.Code == "57014":
		return "stopped the query" + state, todoSlow
	}
	return "reports an error" + state, todoOther
}

func meaningOfSQLite(e *sqlite.Error) (what, todo string) {
	code := " (error " + strconv.Itoa(e.Code()) + ")"
	switch e.Code() & 0xff {
	case 1: // SQLITE_ERROR: the query
		return "can't run the query: " + oneLine(e.Error()), todoQuery
	case 14: // SQLITE_CANTOPEN
		return "can't be opened" + code, todoReach
	case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
		return "is locked by its writer" + code, todoOther
	}
	return "reports an error" + code, todoOther
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
