package sql_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// table is a definition of rows in SQLite; query and filter are its own.
func table(query, filter string) string {
	return `provider: acmetel
sql: {driver: sqlite, query: "` + query + `"}
feeds:
  calls:
    filter: {` + filter + `}
    record:
      id: id
      start: {path: at, time: "2006-01-02 15:04:05"}
      outcome: {is: answered}
`
}

// open opens a source of a definition with this block.
func open(t testing.TB, definition, block string) *collector.Source {
	t.Helper()
	source, err := declaredtest.Open(t.TempDir(), definition, block, time.Now)
	require.NoError(t, err)
	return source
}

const (
	byStart = "SELECT id, at FROM calls WHERE at >= :from AND at < :to"
	byKey   = "SELECT id, at FROM calls WHERE id > :after ORDER BY id LIMIT :limit"
)

// TestSQLByStart (definitions.md 3): spans are in the zone of the table, and rows outside them are
// skipped. When clocks change, a local time comes twice: each row is in exactly one span.
func TestSQLByStart(t *testing.T) {
	path, db := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)")
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	begin := time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC) // clocks are set back at 1:00 UTC on the 25th
	var want []string
	for n := range 240 {
		declaredtest.Execute(t, db, fmt.Sprintf("INSERT INTO calls VALUES (%d, '%s')", 1000+n,
			begin.Add(time.Duration(n)*time.Minute).In(zone).Format(time.DateTime)))
		want = append(want, fmt.Sprint(1000+n))
	}
	source := open(t, table(byStart, "by: start"), "dsn: "+path+", time_zone: Europe/Berlin, calls: ")
	for _, length := range []time.Duration{7 * time.Minute, time.Hour, 5 * time.Hour} {
		var got []string
		for from := begin.Add(-time.Hour); from.Before(begin.Add(5 * time.Hour)); from = from.Add(length) {
			got = append(got, declaredtest.IDs(t, source.Feeds[0].Reader.Pages(t.Context(), from, from.Add(length)))...)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("spans of %s: %d rows, want %d", length, len(got), len(want))
		}
	}
}

// TestSQLInserted (definitions.md 3): rows by a growing number, of which some become visible late,
// over pages, polls and crashes: each is read. Without an id the number is the id, so that equal rows stay
// apart.
func TestSQLInserted(t *testing.T) {
	definition := table(byKey, "by: inserted, key: id, overlap: 100")
	t.Run("with an id", func(t *testing.T) { readsInserted(t, definition) })
	t.Run("without one", func(t *testing.T) { readsInserted(t, strings.Replace(definition, "      id: id\n", "", 1)) })
}

func readsInserted(t *testing.T, definition string) {
	t.Helper()
	path, db := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
		"INSERT INTO calls WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < 2999) "+
			"SELECT i, '2026-11-23 10:00:00' FROM n WHERE i NOT IN (2500, 2950)")
	source := open(t, definition, "dsn: "+path+", calls: ")
	seen := map[string]bool{}
	var position []byte
	poll := func(crashAfter int) (rows int) {
		for page, err := range source.Feeds[0].Stream.Pages(t.Context(), collector.StreamPosition{Resume: position}) {
			require.NoError(t, err)
			if crashAfter--; crashAfter == -1 {
				return rows
			}
			for _, r := range page.Records {
				rows++
				seen[r.ID] = true
			}
			position = page.Position.Resume
		}
		return rows
	}
	if got := poll(1); got != 1000 {
		t.Fatalf("%d rows on the first page", got)
	}
	poll(10)
	// 2950 is visible late
	declaredtest.Execute(t, db, "INSERT INTO calls VALUES (2950, '2026-11-23 10:00:00'), (3000, '2026-11-23 10:00:00')")
	if got := poll(10); got != 101 {
		t.Errorf("%d rows in the end, want the last 100 again and the new one", got)
	}
	if len(seen) != 3000 || !seen["0"] || !seen["2950"] || !seen["3000"] || seen["2500"] {
		t.Errorf("%d rows were seen", len(seen))
	}
	if n, err := source.Feeds[0].Probe(t.Context()); n != 1 || err != nil {
		t.Errorf("check sources: %d rows, %v", n, err)
	}
}

// TestSQLDowntime (counting.md 8): a row that became visible late is read, although the exporter was down for
// longer than the lookback meanwhile. After that the rows before the downtime are no longer read.
func TestSQLDowntime(t *testing.T) {
	path, db := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
		"INSERT INTO calls VALUES (1, '2026-11-23 10:00:00'), (5, '2026-11-23 10:00:00')")
	source := open(t, table(byKey, "by: inserted, key: id"), "dsn: "+path+", calls: ")
	stopped := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	started := stopped.Add(source.Feeds[0].Lookback + 24*time.Hour)
	position, _, err := declaredtest.Poll(t, &source.Feeds[0], collector.StreamPosition{Now: stopped})
	require.NoError(t, err)
	declaredtest.Execute(t, db, "INSERT INTO calls VALUES (3, '2026-11-23 10:00:00')")
	for _, c := range []struct {
		now, watermark time.Time
		want           []string
	}{
		{started, stopped, []string{"1", "3", "5"}},
		{started.Add(time.Minute), started, nil},
	} {
		_, ids, err := declaredtest.Poll(t, &source.Feeds[0],
			collector.StreamPosition{Resume: position, Now: c.now, Watermark: c.watermark})
		if err != nil || !slices.Equal(ids, c.want) {
			t.Errorf("%s: %q, %v, want %q", c.now, ids, err, c.want)
		}
	}
}

// TestSQLBeganAgain: a table whose numbers started again isn't taken for one without new rows, also if it was filled
// past the last number while the exporter was down. A table whose zone is wrong has times that are hours ahead.
func TestSQLBeganAgain(t *testing.T) {
	const (
		gone  = "the row with id 20, which was read last, no longer exists"
		later = "the row with id 20 was read on 2026-11-23 and now starts later than that"
	)
	read := time.Date(2026, 11, 23, 10, 0, 30, 0, time.UTC)
	for _, c := range []struct{ name, then, problem string }{
		{"nothing new", "SELECT 1", ""},
		{"emptied", "DELETE FROM calls", ""},
		{"old ones are purged", "DELETE FROM calls WHERE id < 20", ""},
		{"used ones are deleted", "DELETE FROM calls WHERE id = 20", ""},
		{"numbers go on", "DELETE FROM calls; INSERT INTO calls VALUES (21, '2026-11-23 10:00:00')", ""},
		{"numbers started again", "DELETE FROM calls; INSERT INTO calls VALUES (1, '2026-11-23 11:00:00')", gone},
		{"in a cluster", "DELETE FROM calls; INSERT INTO calls VALUES (7, '2026-11-23 11:00:00')", gone},
		{"more rows", "INSERT INTO calls VALUES (30, '2026-11-25 10:00:00')", ""},
		{"a wrong zone", "UPDATE calls SET at = '2026-11-24 00:00:00'", ""},
		{
			"filled past the last number", "UPDATE calls SET at = '2026-11-24 02:00:00'; " +
				"INSERT INTO calls VALUES (30, '2026-11-25 10:00:00')", later,
		},
		{"filled to the last number", "UPDATE calls SET at = '2026-11-24 02:00:00'", later},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, db := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
				"INSERT INTO calls VALUES (10, '2026-11-23 10:00:00'), (20, '2026-11-23 10:00:00')")
			source := open(t, table(byKey, "by: inserted, key: id, overlap: 5"), "dsn: "+path+", calls: ")
			position, ids, err := declaredtest.Poll(t, &source.Feeds[0], collector.StreamPosition{Now: read})
			if len(ids) != 2 || err != nil {
				t.Fatal(ids, err)
			}
			declaredtest.Execute(t, db, c.then)
			_, _, err = declaredtest.Poll(t, &source.Feeds[0],
				collector.StreamPosition{Resume: position, Now: read.Add(48 * time.Hour)})
			if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%v, want %q", err, c.problem)
			}
		})
	}
}

// TestSQLKeys: a key that can't be kept is refused, and the error says why.
func TestSQLKeys(t *testing.T) {
	for _, c := range []struct{ key, problem string }{
		{"9223372036854775807", ""},
		{"9300000000000000001", "the number 9300000000000000001, and a key is at most 9223372036854775807"},
		{"1.5", "no whole number in the column id"},
	} {
		t.Run(c.key, func(t *testing.T) {
			path, _ := declaredtest.Database(t, "CREATE TABLE calls (id TEXT, at TEXT)",
				"INSERT INTO calls VALUES ('"+c.key+"', '2026-11-23 10:00:00')")
			source := open(t, table(byKey, "by: inserted, key: id"), "dsn: "+path+", calls: ")
			_, ids, err := declaredtest.Poll(t, &source.Feeds[0], collector.StreamPosition{})
			if c.problem == "" && (err != nil || !slices.Equal(ids, []string{c.key})) ||
				c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("%v, %v, want %q", ids, err, c.problem)
			}
		})
	}
}

// TestSQLSaysNoSecrets: errors of a database say what to do, and nothing of the password.
func TestSQLSaysNoSecrets(t *testing.T) {
	path, _ := declaredtest.Database(t, "CREATE TABLE other (id INTEGER)")
	foreign := filepath.Join(t.TempDir(), "foreign")
	require.NoError(t, os.WriteFile(foreign, bytes.Repeat([]byte("s3cret"), 1000), 0o600))
	for _, c := range []struct{ name, driver, dsn, want string }{
		{"mysql, no DSN", "mysql", "root:s3cret@@@", "write it in the driver's form"},
		{"postgres, no DSN", "postgres", "postgres://u:s3cret@host:port/x", "write it in the driver's form"},
		{"mysql, no server", "mysql", "u:s3cret@tcp(127.0.0.1:1)/x", "that the database runs"},
		{"postgres, no server", "postgres", "postgres://u:s3cret@127.0.0.1:1/x", "that the database runs"},
		{"sqlite, no file", "sqlite", filepath.Join(t.TempDir(), "none"), "that the database runs"},
		{"sqlite, another file", "sqlite", foreign, "name its database in the DSN"},
		{"no table", "sqlite", path, "the query of the definition against its tables"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(table(byStart, "by: start"), "sqlite", c.driver, 1)
			source := open(t, text, "dsn: '"+c.dsn+"', calls: ")
			_, err := source.Feeds[0].Probe(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			what, todo := source.Advise(err)
			if text := what + todo + err.Error(); strings.Contains(text, "s3cret") ||
				strings.Contains(text, "127.0.0.1") || strings.Contains(text, c.dsn) ||
				!strings.Contains(todo, c.want) {
				t.Errorf("%s: %s", what, todo)
			}
		})
	}
}

// accounting are the tables of Kamailio with calls: answered, answered and going on, busy, busy
// with a missed call, and one with a re-INVITE.
var accounting = []string{
	"CREATE TABLE acc (id INTEGER, method TEXT, from_tag TEXT, to_tag TEXT, callid TEXT, sip_code TEXT, " +
		"sip_reason TEXT, time TIMESTAMP)",
	"CREATE TABLE missed_calls (id INTEGER, method TEXT, from_tag TEXT, to_tag TEXT, callid TEXT, sip_code " +
		"TEXT, sip_reason TEXT, time TIMESTAMP)",
	`INSERT INTO acc VALUES
		(1, 'INVITE', 'a', 'b', 'answered', '200', 'OK', '2026-11-23 10:00:00'),
		(2, 'BYE', 'a', 'b', 'answered', '200', 'OK', '2026-11-23 10:01:02'),
		(3, 'INVITE', 'a', 'b', 'goes on', '200', 'OK', '2026-11-23 10:00:10'),
		(4, 'INVITE', 'a', 'b', 'busy', '486', 'Busy here', '2026-11-23 10:00:20'),
		(5, 'INVITE', 'a', 'b', 'again', '200', 'OK', '2026-11-23 10:00:30'),
		(6, 'INVITE', 'a', 'b', 'again', '200', 'OK', '2026-11-23 10:00:40'),
		(7, 'BYE', 'b', 'a', 'again', '200', 'OK', '2026-11-23 10:00:50')`,
	"INSERT INTO missed_calls VALUES (1, 'INVITE', 'a', 'b', 'busy', '486', 'Busy here', '2026-11-23 10:00:20')",
}

// TestKamailioQuery (definitions.md 5): one statement for each database. A field whose column the source doesn't name
// is empty.
func TestKamailioQuery(t *testing.T) {
	text, err := declared.BuiltinText("kamailio")
	require.NoError(t, err)
	path, _ := declaredtest.Database(t, accounting...)
	dsn := pgtest.Database(t)
	executePostgres(t, dsn, accounting...)
	for driver, dsn := range map[string]string{"sqlite": path, "postgres": dsn} {
		t.Run(driver, func(t *testing.T) {
			source := open(t, string(text), "driver: "+driver+", dsn: '"+dsn+"', acc: ")
			begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
			var got []string
			for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(time.Minute)) {
				require.NoError(t, err)
				for _, r := range page.Records {
					got = append(got, fmt.Sprintf("%s %s %s %s %t%s", r.ID, r.CallKey, r.Outcome, r.Duration,
						r.Provisional, r.Trunk))
				}
			}
			slices.Sort(got)
			want := []string{
				"acc/1 answered answered 1m2s false", "acc/3 goes on answered 0s true", "acc/4 busy busy 0s false",
				"acc/5 again answered 20s false",
				"missed_calls/1 busy busy 0s false",
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestKamailioClocksSetBack: the BYE's time is before its INVITE's, since the clocks were set back during the call.
func TestKamailioClocksSetBack(t *testing.T) {
	text, err := declared.BuiltinText("kamailio")
	require.NoError(t, err)
	path, _ := declaredtest.Database(t, accounting[0], accounting[1], `INSERT INTO acc VALUES
		(1, 'INVITE', 'a', 'b', 'call', '200', 'OK', '2026-10-25 02:50:00'),
		(2, 'INVITE', 'a', 'b', 'call', '200', 'OK', '2026-10-25 02:05:00'),
		(3, 'BYE', 'a', 'b', 'call', '200', 'OK', '2026-10-25 02:30:00')`)
	source := open(t, string(text), "driver: sqlite, time_zone: Europe/Berlin, dsn: '"+path+"', acc: ")
	begin := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	var got []string
	for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(2*time.Hour)) {
		require.NoError(t, err)
		for _, r := range page.Records {
			got = append(got, fmt.Sprintf("%s %s %s", r.ID, r.Duration, r.End.UTC().Format(time.TimeOnly)))
		}
	}
	if want := []string{"acc/1 40m0s 01:30:00"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestKamailioInSQLite: Kamailio writes Julian days into SQLite, half a second early. The newest calls show as rows
// that can't be read, until the statements of its page make texts of them.
func TestKamailioInSQLite(t *testing.T) {
	page, err := os.ReadFile("../../../docs/providers/kamailio.md")
	require.NoError(t, err)
	statements := regexp.MustCompile("(?s)```sql\n(PRAGMA journal_mode .*?)```").FindSubmatch(page)
	if statements == nil {
		t.Fatal("the page doesn't say how to read SQLite")
	}
	const columns = " (id INTEGER PRIMARY KEY NOT NULL, method VARCHAR(16), from_tag VARCHAR(128), to_tag " +
		"VARCHAR(128), callid VARCHAR(255), sip_code VARCHAR(3), sip_reason VARCHAR(128), " +
		"time TIMESTAMP WITHOUT TIME ZONE NOT NULL)"
	const into = " (method, from_tag, to_tag, callid, sip_code, sip_reason, julian) VALUES "
	begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	row := func(method, call, code string, after int64) string {
		julian := (float64(begin.Unix()+after)-0.5)/86400 + 2440587.5
		return fmt.Sprintf("('%s', 'a', 'b', '%s', '%s', 'x', %s)", method, call, code,
			strconv.FormatFloat(julian, 'f', -1, 64))
	}
	acc := "INSERT INTO acc" + into + row("INVITE", "answered", "200", 0) + ", " +
		row("BYE", "answered", "200", 62) + ", " + row("INVITE", "later", "486", 3600)
	path, db := declaredtest.Database(t, "CREATE TABLE acc"+columns, "CREATE TABLE missed_calls"+columns,
		strings.Replace(acc, "julian", "time", 1), "CREATE INDEX acc_time ON acc (time)")
	text, err := declared.BuiltinText("kamailio")
	require.NoError(t, err)
	source := open(t, string(text), "driver: sqlite, dsn: '"+path+"', acc: ")
	read := func() (got []string) {
		for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(time.Hour)) {
			require.NoError(t, err)
			for _, r := range page.Records {
				at := r.Start.Format(time.TimeOnly)
				got = append(got, fmt.Sprintf("%s %s %s %s", r.ID, at, r.Outcome, r.Duration))
			}
			for _, bad := range page.Invalid {
				got = append(got, bad.Problem)
			}
		}
		slices.Sort(got)
		return got
	}
	unread := read()
	declaredtest.Execute(t, db, string(statements[1]),
		"INSERT INTO missed_calls"+into+row("INVITE", "busy", "486", 3599))
	const problem = "start isn't a time of the form 2006-01-02 15:04:05"
	for _, c := range []struct{ got, want []string }{
		{unread, []string{problem, problem}},
		{read(), []string{"acc/1 10:00:00 answered 1m2s", "missed_calls/1 10:59:59 busy 0s"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// FuzzQuery: a statement is read without a panic, whatever is in it.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{byStart, byKey, "':", "/* :from", "-- :to\n:to", `"`, "a::int", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		d := table("", "by: start") + "    query: |\n      " + strings.ReplaceAll(query, "\n", "\n      ") + "\n"
		declared.Load("d.yaml", []byte(d)) //nolint:errcheck // most are refused
	})
}

// TestIdentityOfRows (counting.md 19): a change of what rows are known by is another fingerprint,
// since the lookback would count again; another layout of the same, and a change of what they are
// counted as, isn't.
func TestIdentityOfRows(t *testing.T) {
	fingerprint := func(definition, zone string) string {
		return open(t, definition, "dsn: x, time_zone: "+zone+", calls: ").Feeds[0].Fingerprint
	}
	whole := strings.Replace(table(byStart, "by: start"), "outcome:", "caller: a\n      outcome:", 1)
	noID := strings.Replace(whole, "      id: id\n", "", 1)
	const start = `start: {path: at, time: "2006-01-02 15:04:05"}`
	for _, c := range []struct {
		name, of, was, is, zone string
		same                    bool
	}{
		{
			"another layout", whole, start,
			"start:\n        time: 2006-01-02 15:04:05 # local\n        path: at", "UTC",
			true,
		},
		{"another outcome", whole, "is: answered", "is: failed", "UTC", true},
		{"another party", whole, "caller: a", "caller: b", "UTC", true},
		{"another party, without an id", noID, "caller: a", "caller: b", "UTC", false},
		{"another id", whole, "id: id", "id: {join: [at, id]}", "UTC", false},
		{"another start", whole, "path: at", "path: rang", "UTC", false},
		{"another form", whole, ":05\"}", ":05\", zone: Europe/Berlin}", "UTC", false},
		{"another zone", whole, "", "", "Europe/Berlin", false},
		{"a group", whole, "caller: a", "caller: a\n      group: g", "UTC", false},
		{"by its end", whole, "by: start", "by: end", "UTC", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			was, is := fingerprint(c.of, "UTC"), fingerprint(strings.Replace(c.of, c.was, c.is, 1), c.zone)
			if (was == is) != c.same {
				t.Errorf("%q became %q", was, is)
			}
		})
	}
	t.Run("by key", func(t *testing.T) {
		byTime, key := table(byStart, "by: start"), table(byKey, "by: inserted, key: id")
		another := strings.Replace(key, "key: id", "key: number", 1) // the position is a number of the former key
		if is := fingerprint(key, "UTC"); is == fingerprint(byTime, "UTC") || is == fingerprint(another, "UTC") {
			t.Errorf("two are %q", is)
		}
	})
}

// TestSQLProbeOfBadRows: one bad row at the beginning of a table doesn't make the definition wrong.
func TestSQLProbeOfBadRows(t *testing.T) {
	for second, bad := range map[string]bool{"2026-11-23 10:00:00": false, "later": true} {
		path, _ := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
			"INSERT INTO calls VALUES (1, '0000-00-00 00:00:00'), (2, '"+second+"')")
		source := open(t, table(byKey, "by: inserted, key: id"), "dsn: "+path+", calls: ")
		if _, err := source.Feeds[0].Probe(t.Context()); (err != nil) != bad {
			t.Errorf("the second row begins %s: %v", second, err)
		}
	}
}
