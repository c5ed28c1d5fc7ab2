package sql_test

import (
	"crypto/tls"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestSQLQuietTable (contract: exactly once): a table that gets few rows has the same rows among
// its last numbers for weeks. They count once, although the ledger forgets ids some days after they
// were read.
func TestSQLQuietTable(t *testing.T) {
	begin := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	path, db := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)")
	source := open(t, table(byKey, "by: inserted, key: id"), "dsn: "+path+", calls: ")
	info, now := &source.Feeds[0], begin
	l, err := ledger.Open(t.Context(), ledger.Settings{
		Storage: ledger.Storage{Folder: t.TempDir()}, Now: func() time.Time { return now },
		Options: metrics.Options{SeriesLimit: 1000},
	})
	require.NoError(t, err)
	defer l.Close() //nolint:errcheck // the folder goes
	feed, err := l.Feed(t.Context(), ledger.FeedSpec{
		Settings: counting.Settings{
			Source: "pbx", Provider: "acmetel", Feed: "calls", History: 24 * time.Hour, Lookback: info.Lookback,
			LateAfter: time.Hour, Currency: "XXX", Rules: info.Rules,
		},
	})
	require.NoError(t, err)
	counted := 0
	for day := range 40 {
		now = begin.Add(time.Duration(day) * 24 * time.Hour)
		if day%10 == 0 {
			declaredtest.Execute(t, db, fmt.Sprintf("INSERT INTO calls VALUES (%d, '%s')", day,
				now.Format(time.DateTime)))
		}
		state := feed.State()
		for page, err := range info.Stream.Pages(t.Context(),
			collector.StreamPosition{
				Resume: state.Resume, Origin: state.Origin, Now: now, Watermark: state.Watermark,
			}) {
			require.NoError(t, err)
			page.ObservedAt = now
			result, err := feed.Commit(t.Context(), page)
			require.NoError(t, err)
			counted += result.New
		}
		if _, err := feed.Commit(t.Context(),
			&collector.Page{
				ObservedAt: now,
				Position:   &counting.Position{Watermark: now, HistoryDone: true},
			}); err != nil {
			t.Fatal(err)
		}
		require.NoError(t, l.Prune(t.Context()))
	}
	if counted != 4 {
		t.Errorf("%d calls were counted, there are 4", counted)
	}
}

// TestSQLHoldsNoLock: while a page is committed the writer of the table isn't held up, or its call
// records would be lost.
func TestSQLHoldsNoLock(t *testing.T) {
	for name, c := range map[string]struct{ query, filter string }{
		"by start": {byStart, "by: start"},
		"by key":   {byKey, "by: inserted, key: id"},
	} {
		t.Run(name, func(t *testing.T) {
			path, db := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
				"INSERT INTO calls WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < "+
					"2499) SELECT i, '2026-11-23 10:00:00' FROM n")
			source := open(t, table(c.query, c.filter), "dsn: "+path+", calls: ")
			begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
			pages, number := 0, 10_000
			for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(time.Minute)) {
				require.NoError(t, err)
				if pages++; len(page.Records) > 1000 {
					t.Errorf("a page has %d rows", len(page.Records))
				}
				number++
				if _, err := db.ExecContext(t.Context(), "INSERT INTO calls VALUES (?, '2026-11-22 10:00:00')",
					number); err != nil {
					t.Errorf("page %d holds up the writer: %v", pages, err)
				}
			}
			if pages < 3 {
				t.Errorf("%d pages", pages)
			}
		})
	}
}

// TestSQLText: a value is the text that the database prints, also of a column of dates, and however the query ends.
func TestSQLText(t *testing.T) {
	const rows = "SELECT id, at-- rows\\nFROM calls WHERE at >= :from AND at < :to; /* of */ -- the span; "
	for _, c := range []struct{ name, column, value, layout string }{
		{"a date with its zone", "TIMESTAMP", "2026-11-23 10:00:00+01:00", "2006-01-02 15:04:05Z07:00"},
		{"RFC 3339", "DATETIME", "2026-11-23T09:00:00Z", "rfc3339"},
		{"a date of its own form", "DATE", "2026-11-23 09.00", "2006-01-02 15.04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _ := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at "+c.column+")",
				"INSERT INTO calls VALUES (1, '"+c.value+"')")
			text := strings.Replace(table(rows, "by: start"), `"2006-01-02 15:04:05"`, `"`+c.layout+`"`, 1)
			source := open(t, text, "dsn: "+path+", calls: ")
			begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
			for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(24*time.Hour)) {
				if err != nil || len(page.Records) != 1 || page.Records[0].Start != time.Date(2026, 11, 23, 9, 0, 0, 0,
					time.UTC) {
					t.Fatalf("%v, %+v", err, page)
				}
				return
			}
			t.Error("no page")
		})
	}
}

// TestSQLZoneOfPostgres: times with a zone are compared and printed in the source's. The rows may come from a later
// statement.
func TestSQLZoneOfPostgres(t *testing.T) {
	dsn := pgtest.Database(t)
	executePostgres(t, dsn, "CREATE TABLE calls (id INT, at TIMESTAMPTZ, caller TEXT)",
		"INSERT INTO calls VALUES (1, '2026-11-23 09:00:00Z', '+493012345678')")
	begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ query, want string }{
		"its zone":          {byStart, ""},
		"after another one": {"SET work_mem = '8MB'; " + byStart, ""},
		"no number in an error": {
			strings.Replace(byStart, "WHERE", "WHERE caller::date > :from AND", 1), "has a value",
		},
		"several values": {
			strings.Replace(byStart, "WHERE", "WHERE id = (SELECT * FROM generate_series(1, 2)) AND", 1),
			"can't run the query: more than one row",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.NewReplacer("sqlite", "postgres", "15:04:05", "15:04:05Z07").
				Replace(table(c.query, "by: start"))
			source := open(t, text, "dsn: '"+dsn+"', time_zone: Europe/Berlin, calls: ")
			var ids []string
			var failed error
			for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(time.Minute)) {
				if failed = err; err == nil {
					for _, r := range page.Records {
						ids = append(ids, r.ID)
					}
				}
			}
			if said := fmt.Sprint(failed); c.want == "" && (failed != nil || !slices.Equal(ids, []string{"1"})) ||
				!strings.Contains(said, c.want) || strings.Contains(said, "4930") {
				t.Errorf("%q, %s", ids, said)
			}
		})
	}
}

// TestSQLTextsOfPostgres: a time with a zone has one text, whatever the source's zone is.
func TestSQLTextsOfPostgres(t *testing.T) {
	dsn := pgtest.Database(t)
	executePostgres(t, dsn, "CREATE TABLE calls (id INT, at TIMESTAMPTZ)",
		"INSERT INTO calls VALUES (1, '2026-11-23 09:00:00.25Z')", "INSERT INTO calls VALUES (2, NULL)")
	for _, zone := range []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"} {
		t.Run(zone, func(t *testing.T) {
			query := "SELECT at AS id, coalesce(at, '2026-11-23 09:01:00Z') AS at, 'x' AS caller FROM calls " +
				"WHERE coalesce(at, '2026-11-23 09:01:00Z') >= :from"
			text := strings.NewReplacer("sqlite", "postgres", "15:04:05", "15:04:05Z07").
				Replace(table(query+" AND :to > ''", "by: start"))
			source := open(t, text, "dsn: '"+dsn+"', time_zone: "+zone+", calls: ")
			begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
			if got := declaredtest.IDs(t, source.Feeds[0].Reader.Pages(t.Context(), begin,
				begin.Add(time.Second))); !slices.Equal(got, []string{"2026-11-23 09:00:00.25+00"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestSQLIntervalOfPostgres: a length of time has one text, whatever the database's form of lengths is.
func TestSQLIntervalOfPostgres(t *testing.T) {
	dsn := pgtest.Database(t)
	executePostgres(t, dsn, "CREATE TABLE calls (id INT, at TIMESTAMP)",
		"INSERT INTO calls VALUES (1, '2026-11-23 09:00:00')")
	begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, style := range []string{"postgres", "iso_8601", "sql_standard", "postgres_verbose"} {
		t.Run(style, func(t *testing.T) {
			query := strings.Replace(byStart, "id, at", "id, at, at + '1 day 2.5 s' - at AS talk", 1)
			text := strings.NewReplacer("sqlite", "postgres", "is: answered}", "is: answered}\n      duration: "+
				"{path: talk, unit: hms}").Replace(table(query, "by: start"))
			source := open(t, text, "dsn: '"+dsn+"&intervalstyle="+style+"', calls: ")
			for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(time.Minute)) {
				if err != nil || len(page.Records) != 1 ||
					page.Records[0].Duration != 24*time.Hour+2500*time.Millisecond {
					t.Errorf("%v, %+v", err, page)
				}
			}
		})
	}
}

// TestSQLCertificate: a certificate that ran out isn't a database that can't be reached.
func TestSQLCertificate(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			_, _ = io.ReadFull(conn, make([]byte, 8)) // asks for TLS
			_, _ = conn.Write([]byte("S"))
			_ = tls.Server(conn, server.TLS).HandshakeContext(t.Context())
			_ = conn.Close()
		}
	}()
	defer l.Close() //nolint:errcheck // the test is over
	text := strings.Replace(table(byStart, "by: start"), "sqlite", "postgres", 1)
	source := open(t, text, "dsn: 'postgres://u:p@"+l.Addr().String()+"/x?sslmode=verify-full', calls: ")
	_, err = source.Feeds[0].Probe(t.Context())
	if said := fmt.Sprint(err); !strings.Contains(said, "has a certificate that isn't trusted") {
		t.Error(said)
	}
}

// TestSQLEncodingOfPostgres: names of a database in another encoding, or in none, are read, whatever its escapes are.
func TestSQLEncodingOfPostgres(t *testing.T) {
	cluster := pgtest.Shared(t)
	for encoding, c := range map[string]struct{ value, id string }{
		"LATIN1": {"'M' || chr(252) || 'ller'", "M\u00fcller"}, "SQL_ASCII": {"'M' || chr(252) || 'ller'", "M\xfcller"},
	} {
		t.Run(encoding, func(t *testing.T) {
			name := "cdr_" + strings.ToLower(encoding)
			executePostgres(t, cluster.Admin(),
				"CREATE DATABASE "+name+" OWNER cdr TEMPLATE template0 LOCALE 'C' ENCODING '"+encoding+"'",
				"ALTER DATABASE "+name+" SET standard_conforming_strings = off")
			defer executePostgres(t, cluster.Admin(), "DROP DATABASE "+name+" WITH (FORCE)")
			dsn := strings.Replace(cluster.DSN(), "/cdr?", "/"+name+"?", 1)
			executePostgres(t, dsn, "CREATE TABLE calls (id TEXT, at TIMESTAMP)",
				"INSERT INTO calls VALUES ("+c.value+", '2026-11-23 09:00:00')")
			text := strings.Replace(table(byStart, "by: start"), "sqlite", "postgres", 1)
			begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
			source := open(t, text, "dsn: '"+dsn+"', calls: ")
			if got := declaredtest.IDs(t, source.Feeds[0].Reader.Pages(t.Context(), begin,
				begin.Add(time.Second))); !slices.Equal(got, []string{c.id}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestSQLOrder: rows that don't come in the order of their key would be passed over.
func TestSQLOrder(t *testing.T) {
	path, _ := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
		"INSERT INTO calls VALUES (1, '2026-11-23 10:00:00'), (2, '2026-11-23 10:00:00')")
	text := table(strings.Replace(byKey, "BY id", "BY id DESC", 1), "by: inserted, key: id")
	source := open(t, text, "dsn: "+path+", calls: ")
	for _, err := range source.Feeds[0].Stream.Pages(t.Context(), collector.StreamPosition{}) {
		if err == nil || !strings.Contains(err.Error(), "order") {
			t.Errorf("got %v", err)
		}
	}
}

// executePostgres does statements in a database.
func executePostgres(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // the statements are done
	declaredtest.Execute(t, db, statements...)
}

// TestSQLManyRows: a span with more rows than a read may have is read in halves, each row once.
func TestSQLManyRows(t *testing.T) {
	path, _ := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
		"INSERT INTO calls WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < 29999) "+
			"SELECT i, datetime('2026-11-23 10:00:00', '+' || (i / 12000) || ' seconds') FROM n") // 12000 in a second
	source := open(t, table(byStart, "by: start"), "dsn: "+path+", calls: ")
	begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	got := declaredtest.IDs(t, source.Feeds[0].Reader.Pages(t.Context(), begin.Add(-time.Hour), begin.Add(time.Hour)))
	if rows := len(got); rows != 30_000 || len(slices.Compact(got)) != rows {
		t.Errorf("%d rows", rows)
	}
}

// TestFormerSQLPosition: a position in the form of an earlier program, of as many bytes as a mark
// has now, is refused. Read as a mark, it would name a key that no row has, and the rows up to it
// would never be counted.
func TestFormerSQLPosition(t *testing.T) {
	source := open(t, table(byKey, "by: inserted, key: id"), "dsn: /nowhere/none.sqlite, calls: ")
	var former []byte
	for _, n := range []int64{100, 1_795_600_000, 90, 1_795_686_400, 100} { // the highest key, and two marks
		former = binary.AppendVarint(former, n)
	}
	if len(former) != 16 {
		t.Fatalf("%d bytes", len(former))
	}
	for _, err := range source.Feeds[0].Stream.Pages(t.Context(),
		collector.StreamPosition{Resume: former, Now: time.Now()}) {
		if err == nil || !strings.Contains(err.Error(), "stored position") {
			t.Errorf("%v", err)
		}
	}
}

// FuzzSQLPosition: a position that can't be read is an error, without a panic.
func FuzzSQLPosition(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{4, 2, 4})
	f.Add([]byte{0x80})
	source := open(f, table(byKey, "by: inserted, key: id"), "dsn: /nowhere/none.sqlite, calls: ")
	f.Fuzz(func(t *testing.T, position []byte) {
		for page, err := range source.Feeds[0].Stream.Pages(t.Context(),
			collector.StreamPosition{Resume: position, Now: time.Now()}) {
			if err == nil || page != nil {
				t.Errorf("%v, %v", page, err)
			}
		}
	})
}
