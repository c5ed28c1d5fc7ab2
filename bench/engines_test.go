package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// contestant is a ledger under measurement, with what its commits took.
type contestant struct {
	*idLedger
	name       string
	file       string // SQLite's
	admin      string // the superuser's DSN; empty: SQLite
	plan       []byte
	wall, used time.Duration
	database   databaseUse
}

// databaseUse is what a PostgreSQL server did since it was started.
type databaseUse struct {
	statements, wal int64
	cpu             time.Duration
}

// inPostgres is a ledger in a server's database.
func inPostgres(dsn, replica string) ledger.Storage {
	return ledger.Storage{Postgres: &ledger.Postgres{
		DSN:     func(context.Context) (string, error) { return dsn, nil },
		Replica: replica,
	}}
}

// statistics have a server count its statements.
var statistics = []string{"shared_preload_libraries = 'pg_stat_statements'", "max_wal_size = '4GB'"}

// BenchmarkEngines commits the same pages to SQLite, to PostgreSQL, and to PostgreSQL with a
// synchronous standby, page by page in turn, so that other load on the machine affects all alike.
// There are full pages of new records, small ones, and full ones of known records, as reads that go
// back return them. New records have a log record, which is delivered. CDR_BENCH_IDS is the number
// of records on full pages.
func BenchmarkEngines(b *testing.B) {
	byName(b)
	alone, pair := pgtest.Start(b, statistics...), pgtest.Start(b, statistics...)
	pair.Standby(b)
	folder := b.TempDir()
	all := []*contestant{
		{name: "sqlite", file: filepath.Join(folder, "ledger.db"), idLedger: openIDs(b, folder, "")},
		{name: "postgres", admin: alone.Admin(), idLedger: openIDsIn(b, inPostgres(alone.DSN(), "bench"), "")},
		{name: "standby", admin: pair.Admin(), idLedger: openIDsIn(b, inPostgres(pair.DSN(), "bench"), "")},
	}
	for _, c := range all[1:] {
		ask(b, c.admin, "CREATE EXTENSION pg_stat_statements", "SELECT 1")
	}
	full := amount(b, "CDR_BENCH_IDS", 1_000_000) / 1000
	n := 0
	for _, kind := range []struct {
		name        string
		pages, size int
		known       bool
	}{{"new", full, 1000, false}, {"new", 300, 10, false}, {"known", 300, 1000, true}} {
		for _, c := range all {
			c.wall, c.used, c.page, c.database = 0, 0, c.page[:kind.size], c.use(b)
		}
		if kind.known {
			n -= kind.pages + 300 // full pages, some time ago
		}
		for range kind.pages {
			for _, c := range all {
				c.rng = rand.New(rand.NewPCG(uint64(n), 1))
				c.fill(n)
				began, used := time.Now(), cpu(b)
				if kind.known {
					c.commitKnown(b)
				} else {
					c.commit(b, n)
				}
				c.wall, c.used = c.wall+time.Since(began), c.used+cpu(b)-used
			}
			n++
		}
		for _, c := range all {
			b.Logf("%-14s %4d %-5s a page: %s", c.name, kind.size, kind.name,
				c.took(b, float64(kind.pages), float64(kind.size)))
		}
	}
	for _, c := range all {
		b.ReportMetric(float64(c.size(b))/float64(c.feed.State().Records), c.name+"-B/id")
	}
}

// commitKnown commits a page of records that were counted.
func (c *contestant) commitKnown(b *testing.B) {
	c.plan = append(c.plan[:0], make([]byte, 200)...) // as long as a reader's position
	binary.LittleEndian.PutUint64(c.plan, c.rng.Uint64())
	result, err := c.feed.Commit(b.Context(), &counting.Page{
		Records: c.page, ObservedAt: idsBegin.Add(72 * time.Hour), Position: &counting.Position{Resume: c.plan},
	})
	if err != nil || result.New != 0 {
		b.Fatalf("commit known records: %+v, %v", result, err)
	}
}

// took reports the time per page, and per record for pages of a size.
func (c *contestant) took(b *testing.B, pages, size float64) string {
	line := fmt.Sprintf("%6.0f rows/s, %5.1f ms a page, %5.1f ms of CPU in the exporter", pages*size/c.wall.Seconds(),
		1000*c.wall.Seconds()/pages, 1000*c.used.Seconds()/pages)
	if c.admin == "" {
		return line
	}
	now := c.use(b)
	return line + fmt.Sprintf(", %4.1f in the database; %4.1f statements, %5.1f kB of WAL",
		1000*(now.cpu-c.database.cpu).Seconds()/pages,
		float64(now.statements-c.database.statements)/pages, float64(now.wal-c.database.wal)/1000/pages)
}

// size is what the ledger takes on disk, write-ahead logs aside.
func (c *contestant) size(b *testing.B) int64 {
	if c.admin != "" {
		return ask(b, c.admin,
			`SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
			WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
	}
	info, err := os.Stat(c.file)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// use asks the server what it did.
func (c *contestant) use(b *testing.B) (u databaseUse) {
	if c.admin == "" {
		return u
	}
	u.statements = ask(b, c.admin, `SELECT sum(calls)::bigint FROM pg_stat_statements WHERE userid = 'cdr'::regrole`)
	u.wal = ask(b, c.admin, `SELECT (pg_current_wal_lsn() - '0/0')::bigint`)
	u.cpu = serverCPU(b, c.admin)
	return u
}

// ask runs statements; the last one returns a number.
func ask(b *testing.B, dsn string, statements ...string) (number int64) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context()) //nolint:errcheck // nothing is lost with it
	for _, s := range statements[:len(statements)-1] {
		if _, err := conn.Exec(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	if err := conn.QueryRow(b.Context(), statements[len(statements)-1]).Scan(&number); err != nil {
		b.Fatal(err)
	}
	return number
}

// serverCPU is the processor time of a server's processes that live: all but autovacuum's workers
// live as long as it does.
func serverCPU(b *testing.B, dsn string) (used time.Duration) {
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	//nolint:errcheck // nothing is lost with it
	defer conn.Close(b.Context())
	// CollectRows has the error
	rows, _ := conn.Query(b.Context(), "SELECT pid FROM pg_stat_activity WHERE backend_type <> 'autovacuum worker'")
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		b.Fatal(err)
	}
	for _, pid := range pids {
		used += cpuOf(b, pid)
	}
	return used
}

// acquire makes this process the owner of a feed.
func acquire(tb testing.TB, l *ledger.Ledger, spec ledger.FeedSpec) {
	err := l.Register(tb.Context(), spec)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := l.Renew(tb.Context())
	for i := range c.Feeds {
		if c.Feeds[i].Source == spec.Source && c.Feeds[i].Feed == spec.Feed {
			_, err = l.Acquire(tb.Context(), &c.Feeds[i])
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
}
