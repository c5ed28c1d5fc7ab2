package sql

import (
	"context"
	"crypto/tls"
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
	todoReach = "check host, port or path in the DSN, and that the database runs and is reachable from here"
	todoTrust = "renew its certificate, or name the file of its authority: sslrootcert in the DSN (postgres), or " +
		"SSL_CERT_FILE in the exporter's environment"
	// MariaDB also says so if the connection lacks TLS.
	todoAccess = "check user and password in the DSN, and its TLS if the database wants that; allow the user to read " +
		"the tables: GRANT SELECT"
	todoQuery = "check that the DSN names the right database, and the query of the definition against its tables"
	todoTLS   = "let the DSN ask for TLS (tls for mysql, sslmode for postgres) if the database has it, and only " +
		"then; give the user a password of a usual kind"
	todoFile = "name its database in the DSN; if that is right, restore the file"
	// SQLite writes a file next to a database in WAL mode, or that its writer didn't close.
	todoFolder = "run its writer, or allow this user to write the database's folder"
	todoSlow   = "create an index on the column that the query filters by; check that the database answers"
	todoOther  = "nothing, if it passes: the exporter retries; else see the database's log"
)

// databaseError explains an error of a database. Drivers' texts name parts of the DSN (host, user,
// database) and may quote values of rows, so it only passes on what concerns the query itself.
func databaseError(title string, err error) error {
	what, todo := meaningOf(err)
	return &advice.Error{What: title + "'s database " + what, Todo: todo}
}

// meanings are what codes of databases mean. The first one that matches counts. If quotes is true, the
// error's text concerns the query itself.
var meanings = []struct {
	codes      *regexp.Regexp
	what, todo string
	quotes     bool
}{
	{
		regexp.MustCompile(`^mysql (1044|1045|1130|1142|1143|1356|1370|1449|1698|1820|1862|3118)$` +
			`|^postgres (28|42501$)`),
		"refuses the user or the password, or this user's access to the table", todoAccess, false,
	},
	{
		regexp.MustCompile(`^mysql (1052|1054|1055|1064|1146|1222|1242|1267|1271|1792)$` +
			`|^postgres (21|25006|3F|42)|^sqlite 1$`),
		"can't run the query", todoQuery, true,
	},
	{regexp.MustCompile(`^postgres 22`), "has a value that doesn't fit the query", todoQuery, false},
	{regexp.MustCompile(`^mysql 1049$|^postgres 3D000$`), "doesn't exist there", todoQuery, false},
	{regexp.MustCompile(`^mysql (1317|1969|3024)$|^postgres 57014$`), "stopped the query", todoSlow, false},
	{regexp.MustCompile(`^mysql (3159|9002)$`), "only lets in connections with TLS", todoTLS, false},
	{regexp.MustCompile(`^sqlite (11|26)$`), "isn't one of SQLite, or is damaged", todoFile, false},
	{regexp.MustCompile(`^sqlite 8$`), "can't be opened by a user that only reads", todoFolder, false},
	{regexp.MustCompile(`^sqlite 14$`), "can't be opened", todoReach, false}, // SQLITE_CANTOPEN
	{regexp.MustCompile(`^sqlite [56]$`), "is locked by its writer", todoOther, false},
	{regexp.MustCompile(``), "reports an error", todoOther, false},
}

// connectionTerms are the errors of drivers that can't meet a server's terms, or the DSN's.
var connectionTerms = []string{
	mysql.ErrNoTLS.Error(), mysql.ErrOldPassword.Error(), mysql.ErrUnknownPlugin.Error(),
	mysql.ErrCleartextPassword.Error(), mysql.ErrNativePassword.Error(), "server refused TLS connection",
}

func meaningOf(err error) (what, todo string) {
	if network, is := errors.AsType[net.Error](err); is && network.Timeout() ||
		errors.Is(err, context.DeadlineExceeded) {
		return "doesn't answer in time", todoSlow
	}
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return "has a certificate that isn't trusted here", todoTrust
	}
	for _, terms := range connectionTerms {
		if strings.Contains(err.Error(), terms) {
			return "can't be used: " + terms, todoTLS
		}
	}
	code, shown, text := codeOf(err)
	if number, is := errors.AsType[syscall.Errno](err); is && code == "" {
		return "can't be reached: " + number.Error(), todoReach
	} else if code == "" {
		return "can't be reached", todoReach
	}
	for _, m := range meanings {
		if !m.codes.MatchString(code) {
			continue
		}
		if m.quotes {
			m.what += ": " + strings.Join(strings.Fields(text), " ")
		}
		return m.what + " (" + shown + ")", m.todo
	}
	return "", "" // the last one matches each code
}

// databaseIn matches the name of the database before a table's name.
var databaseIn = regexp.MustCompile(`'[^'.]*\.`)

// codeOf is the code of a database's error, as meanings have it and as it is shown, and its text.
func codeOf(err error) (code, shown, text string) {
	if e, is := errors.AsType[*mysql.MySQLError](err); is {
		number := strconv.Itoa(int(e.Number))
		if text = e.Message; e.Number == 1146 { // unknown table
			text = databaseIn.ReplaceAllString(text, "'")
		}
		return "mysql " + number, "error " + number, text
	}
	if e, is := errors.AsType[*pgconn.PgError](err); is {
		return "postgres " + e.Code, "SQLSTATE " + e.Code, e.Message
	}
	if e, is := errors.AsType[*sqlite.Error](err); is {
		return "sqlite " + strconv.Itoa(e.Code()&0xff), "error " + strconv.Itoa(e.Code()), e.Error()
	}
	return "", "", ""
}
