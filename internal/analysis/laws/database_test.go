package laws_test

import (
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestPostgres: a definition keeps the laws in a real PostgreSQL, and no schema is left behind. The tests of the
// binary do the same with MariaDB.
func TestPostgres(t *testing.T) {
	text, err := os.ReadFile("../../../providers/fusionpbx.yaml")
	require.NoError(t, err)
	dsn := pgtest.Shared(t).Admin()
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: load(t, string(text)), DSN: dsn})
	require.NoError(t, err)
	held := 0
	for _, v := range verdicts {
		switch v.State {
		case laws.Broken:
			t.Errorf("%s: %s", v.Law, v.Detail)
		case laws.Held:
			held++
		}
	}
	if held < 5 {
		t.Errorf("only %d laws were judged", held)
	}
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // it only read
	left := 0
	err = db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'cdr_test_%'`).
		Scan(&left)
	if err != nil || left > 0 {
		t.Errorf("%d schemas are left, %v", left, err)
	}
}

// TestBadDSN: a DSN of another driver is refused before anything is played, and the error has nothing of it.
func TestBadDSN(t *testing.T) {
	text, err := declared.BuiltinText("kamailio")
	require.NoError(t, err)
	for _, c := range []struct{ driver, dsn, want string }{
		{"mysql", "kamailio:s3cret-word@host/kamailio", "it isn't a DSN of the definition's driver, mysql"},
		{"postgres", "postgres://u:s3cret-word@host:x/db", "it isn't a DSN of the definition's driver, postgres"},
		{"sqlite", "s3cret-word.db", "the definition's driver is sqlite, which needs no other database"},
	} {
		t.Run(c.driver, func(t *testing.T) {
			set := map[string][]string{"driver": {c.driver}}
			_, err := laws.Run(t.Context(), laws.Settings{Definition: load(t, string(text)), DSN: c.dsn, Set: set})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %v", err)
			}
		})
	}
}
