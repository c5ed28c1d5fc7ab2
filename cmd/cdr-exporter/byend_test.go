package main_test

import (
	"database/sql"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestCallsOverMidnight (definitions.md 1 and 3): the provider filters by end, but a command for a
// day has each call that began on that day, even if it ended on the next one. Two consecutive days
// have every call once, like the exporter.
func TestCallsOverMidnight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour)
	db, err := sql.Open("sqlite", s.path("calls.db"))
	require.NoError(t, err)
	run := func(query string, values ...any) {
		if _, err := db.ExecContext(t.Context(), query, values...); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE calls (id TEXT, began TEXT, ended TEXT)`)
	for id, began := range map[string]time.Duration{
		"before": -30 * time.Hour, "over": -10 * time.Minute,
		"within": 10 * time.Hour, "long": 22 * time.Hour,
	} {
		from := midnight.Add(began)
		run(`INSERT INTO calls VALUES (?, ?, ?)`, id, from.Format(time.DateTime),
			from.Add(3*time.Hour).Format(time.DateTime))
	}
	require.NoError(t, db.Close())
	s.write("pbx.yaml", `provider: mypbx
sql: {driver: sqlite, query: "SELECT * FROM calls WHERE ended >= :from AND ended < :to"}
feeds:
  cdr:
    filter: {by: end, max_range: 6h}
    record:
      id: id
      start: {path: began, time: "2006-01-02 15:04:05"}
      end: {path: ended, time: "2006-01-02 15:04:05"}
      outcome: {is: answered}
`)
	config := s.write("config.yaml", "storage: {path: ledger}\ndefinitions: [pbx.yaml]\nsources:\n  - {name: "+
		"pbx, history: 120h, mypbx: {dsn: "+s.path("calls.db")+", cdr: {interval: 1s}}}\n")
	x := start(t, s.vault, launch{config: config}).ready()
	for from, want := range map[time.Time]string{midnight.Add(-24 * time.Hour): "over", midnight: "within long"} {
		to := from.Add(24 * time.Hour)
		_, days, _ := s.audited(0, "--from="+from.Format(time.RFC3339), "--to="+to.Format(time.RFC3339))
		n := len(strings.Fields(want))
		if len(days) != 1 || days[0].Listed != n || days[0].Counted != n || days[0].Vanished != 0 {
			t.Errorf("%s: the audit says %+v", want, days)
		}
		day := map[string]int64{from.Format(time.DateOnly): int64(n)}
		if got := s.report(config, from, to, "day"); !maps.Equal(got, day) {
			t.Errorf("%s: the report has %v", want, got)
		}
		printed := s.over(config, from, to, "records", "--source=pbx", "--feed=cdr", "--output=jsonl")
		all := objects(t, printed.out.String())
		for id := range strings.FieldsSeq(want) {
			if all[id] == nil || len(all) != n {
				t.Errorf("%s: the records are %v", want, all)
			}
		}
	}
	x.stop()
}
