package laws_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// TestPostgres: a definition keeps the laws in a real PostgreSQL, and no schema is left behind. The tests of the
// binary do the same with MariaDB.
func TestPostgres(t *testing.T) {
	text, err := os.ReadFile("../../../providers/fusionpbx.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := declared.Load("fusionpbx.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	dsn := pgtest.Shared(t).Admin()
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d, DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
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
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it only read
	left := 0
	err = db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'cdr_test_%'`).
		Scan(&left)
	if err != nil || left > 0 {
		t.Errorf("%d schemas are left, %v", left, err)
	}
}
