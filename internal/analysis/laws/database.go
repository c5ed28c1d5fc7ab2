package laws

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the real database of --dsn
	_ "modernc.org/sqlite"             // the database of tests
)

// database has the tables of tests. Its rows are statements.
type database struct {
	offline
	*run

	driver, dsn string
	schema      string // in the database of --dsn; empty: the database is a file of the run
	made        bool
	done        map[*row]bool
	hidden      bool // the tables aren't there yet
}

// newDatabase names a database and makes nothing.
func (r *run) newDatabase(path string) *database {
	d := &database{run: r, driver: "sqlite", dsn: filepath.Join(path, "kit.db"), done: make(map[*row]bool)}
	if r.dsn == "" {
		return d
	}
	d.schema, d.driver = "cdr_test_"+strings.ToLower(rand.Text()), r.driver
	if r.driver == "mysql" {
		c, err := mysql.ParseDSN(r.dsn)
		if err == nil { // readDSN has read it
			c.DBName = d.schema
			d.dsn = c.FormatDSN()
		}
		return d
	}
	d.dsn = r.dsn + " search_path=" + d.schema
	if u, err := url.Parse(r.dsn); err == nil && u.Scheme != "" {
		q := u.Query()
		q.Set("search_path", d.schema)
		u.RawQuery = q.Encode()
		d.dsn = u.String()
	}
	return d
}

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
	case "postgres":
		form = "postgres://user:password@host/database"
		var c *pgx.ConnConfig
		if c, err = pgx.ParseConfig(b.dsn); err == nil {
			password = c.Password
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

func (d *database) block() map[string]any { return map[string]any{"dsn": d.dsn} }

// show makes the tables and runs the statements. Tables that aren't there at first are there when rows are shown
// again.
func (d *database) show() error {
	if d.schema != "" && !d.made {
		if err := d.execute(d.run.dsn, "CREATE SCHEMA "+d.schema); err != nil {
			return fmt.Errorf("--dsn: %w", err)
		}
	}
	d.made = true
	var statements []string
	if d.hidden {
		statements = d.rename("_away", "")
	}
	for _, r := range slices.Concat(d.setup, d.shown) {
		if !d.done[r] {
			d.done[r] = true
			statements = append(statements, r.text)
		}
	}
	if d.hidden = d.script.away; d.hidden {
		d.script.away = false
		statements = append(statements, d.rename("", "_away")...)
	}
	dsn := d.dsn
	if d.driver == "sqlite" { // nothing of a test must survive a power cut
		dsn += "?_pragma=synchronous(off)&_pragma=journal_mode(memory)"
	}
	if err := d.execute(dsn, statements...); err != nil {
		return fmt.Errorf("tests.tables: %w", err)
	}
	return nil
}

// sqlDrivers are the drivers of definitions by their names in database/sql.
var sqlDrivers = map[string]string{"sqlite": "sqlite", "mysql": "mysql", "postgres": "pgx"}

var tableIn = regexp.MustCompile(`(?i)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)

var insertIn = regexp.MustCompile("(?i)^INSERT\\s+INTO\\s+([\\w.\"`]+)")

// tableOf is the table that a statement inserts into.
func tableOf(text string) string {
	if found := insertIn.FindStringSubmatch(text); found != nil {
		return strings.ToLower(found[1])
	}
	return ""
}

// rename moves each table to its name with another ending.
func (d *database) rename(from, to string) (statements []string) {
	for _, r := range d.setup {
		if table := tableIn.FindStringSubmatch(r.text); table != nil {
			statements = append(statements, "ALTER TABLE "+table[1]+from+" RENAME TO "+table[1]+to)
		}
	}
	return statements
}

func (d *database) execute(dsn string, statements ...string) (err error) {
	db, err := sql.Open(sqlDrivers[d.driver], dsn)
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
func (d *database) close() error {
	if d.schema == "" || !d.made {
		return nil
	}
	return d.execute(d.run.dsn, "DROP SCHEMA "+d.schema+map[string]string{"postgres": " CASCADE"}[d.driver])
}

// statements are those of SQL, each by itself.
func statements(text string) (all []string) {
	var quote byte
	begin := 0
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ';':
			all = append(all, strings.TrimSpace(text[begin:i]))
			begin = i + 1
		}
	}
	if rest := strings.TrimSpace(text[begin:]); rest != "" {
		all = append(all, rest)
	}
	return all
}
