package laws

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the real database of --dsn
	_ "modernc.org/sqlite"             // the database of tests

	"github.com/cdr-exporter/cdr-exporter/collector"
	declaredsql "github.com/cdr-exporter/cdr-exporter/collector/declared/sql"
)

// tables are those of tests: in a file of SQLite, or in a schema of the database of --dsn.
type tables struct {
	b           *bench
	driver, dsn string
	schema      string // empty: a file
	made        bool
	done        map[*row]bool // statements
}

// newTables names a database and makes nothing.
func (b *bench) newTables(folder string) *tables {
	t := &tables{b: b, driver: "sqlite", dsn: filepath.Join(folder, "kit.db"), done: make(map[*row]bool)}
	if b.dsnOf == nil {
		return t
	}
	t.schema, t.driver = "cdr_test_"+strings.ToLower(rand.Text()), b.driver
	t.dsn = b.dsnOf(t.schema)
	return t
}

// withTables fills tables with statements, and drops them afterwards.
func (b *bench) withTables(statements []*row, use func(t *tables) error) error {
	folder, err := os.MkdirTemp(b.folder, "")
	if err != nil {
		return err
	}
	t := b.newTables(folder)
	if err = t.fill(statements); err == nil {
		err = use(t)
	}
	return errors.Join(err, t.close())
}

// fill runs the statements that haven't run.
func (t *tables) fill(statements []*row) error {
	if t.schema != "" && !t.made {
		if err := t.execute(t.b.dsn, "CREATE SCHEMA "+t.schema); err != nil {
			return fmt.Errorf("--dsn: %w", err)
		}
	}
	t.made = true
	var texts []string
	for _, r := range slices.Concat(t.b.setup, statements) {
		if !t.done[r] {
			t.done[r] = true
			texts = append(texts, r.text)
		}
	}
	dsn := t.dsn
	if t.driver == "sqlite" { // nothing of a test must survive a power cut
		dsn += "?_pragma=synchronous(off)&_pragma=journal_mode(memory)"
	}
	if err := t.execute(dsn, texts...); err != nil {
		return fmt.Errorf("tests.tables: %w", err)
	}
	return nil
}

// sqlDrivers are the drivers of definitions by their names in database/sql.
var sqlDrivers = map[string]string{"sqlite": "sqlite", "mysql": "mysql", "postgres": "pgx"}

func (t *tables) execute(dsn string, statements ...string) (err error) {
	db, err := sql.Open(sqlDrivers[t.driver], dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range statements {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			return err
		}
	}
	return nil
}

// close drops the schema.
func (t *tables) close() error {
	if t.schema == "" || !t.made {
		return nil
	}
	return t.execute(t.b.dsn, "DROP SCHEMA "+t.schema+map[string]string{"postgres": " CASCADE"}[t.driver])
}

func (t *tables) block() map[string]any { return map[string]any{"dsn": t.dsn} }

// read reads what the query gives of a span.
func (t *tables) read(from, to time.Time) (*collector.Page, error) {
	_, source, err := t.b.openSource(t.block(), time.Hour, collector.SourceSettings{
		Now: func() time.Time { return endOfTime.Add(day) },
	})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	all := new(collector.Page)
	d := collector.Driver{Reader: source.Feeds[0].Reader, Commit: func(_ context.Context, page *collector.Page) error {
		all.Records, all.Invalid = append(all.Records, page.Records...), append(all.Invalid, page.Invalid...)
		all.Ignored, all.Unmapped = append(all.Ignored, page.Ignored...), append(all.Unmapped, page.Unmapped...)
		return nil
	}}
	if err := d.Read(context.Background(), from, to); err != nil {
		return nil, fmt.Errorf("run the query on tests.tables: %w", err)
	}
	return all, nil
}

var endOfTime = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)

// readAll reads all that the query gives.
func (t *tables) readAll() (*collector.Page, error) {
	return t.read(time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), endOfTime)
}

// database is the world of a script whose provider has tables.
type database struct {
	offline
	*tables

	run *run
}

// show makes the tables and runs the statements. A database that is away at first is made when rows are shown again.
func (d *database) show() error {
	if d.run.script.away {
		d.run.script.away = false
		return nil
	}
	return d.fill(d.run.shown)
}

func (d *database) close() error { return d.tables.close() }

// shortestSecret is the length of a password that can be told from other words in what was written.
const shortestSecret = 6

// readDSN checks that the database is one of the definition's driver, and adds its password to the secrets. It quotes
// nothing of the DSN.
func (b *bench) readDSN() error {
	var password, form string
	var err error
	switch b.driver {
	case "mysql":
		form = "user:password@tcp(host:3306)/"
		var c *mysql.Config
		if c, err = mysql.ParseDSN(b.dsn); err == nil {
			password = c.Passwd
		}
		b.dsnOf = func(schema string) string {
			other := c.Clone()
			other.DBName = schema
			if _, set := other.Params["time_zone"]; !set { // the statements' TIMESTAMPs are in the source's zone
				other.Params = map[string]string{"time_zone": declaredsql.SessionZone(b.zone)}
				maps.Copy(other.Params, c.Params)
			}
			return other.FormatDSN()
		}
	case "postgres":
		form = "postgres://user:password@host/database"
		var c *pgx.ConnConfig
		if c, err = pgx.ParseConfig(b.dsn); err == nil {
			password = c.Password
		}
		b.dsnOf = func(schema string) string {
			u, err := url.Parse(b.dsn)
			if err != nil || u.Scheme == "" {
				return b.dsn + " search_path=" + schema
			}
			q := u.Query()
			q.Set("search_path", schema)
			u.RawQuery = q.Encode()
			return u.String()
		}
	default:
		return fmt.Errorf("--dsn: the definition's driver is %s, which needs no other database; leave it out", b.driver)
	}
	if err != nil {
		return fmt.Errorf("--dsn: it isn't a DSN of the definition's driver, %s; write it as %s", b.driver, form)
	}
	if len(password) >= shortestSecret {
		b.secrets["of --dsn"] = password
	}
	return nil
}
