package main_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// command runs the binary to its end and expects an exit code.
func (n *tenant) command(code int, args ...string) *exporter {
	n.t.Helper()
	x := start(n.t, n.vault, launch{args: args})
	x.exited(code)
	return x
}

// records runs `records` over the last three days.
func (n *tenant) records(feed, output string) *exporter {
	n.t.Helper()
	return n.command(0, "records", "--config.file="+n.path("config.yaml"), "--source=contoso", "--feed="+feed,
		"--from=72h", "--output="+output)
}

// objects are the records of JSON lines, by id.
func objects(t *testing.T, lines string) map[string]map[string]any {
	t.Helper()
	all := make(map[string]map[string]any)
	for line := range strings.Lines(lines) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		id, _ := object["id"].(string)
		if all[id] != nil {
			t.Errorf("%s is printed twice", id)
		}
		all[id] = object
	}
	return all
}

// TestRecordsBesideTheDaemon: `records` needs no lock, leaves the ledger
// as it is, and hashes as the daemon does, with the ledger's key or the configured one.
func TestRecordsBesideTheDaemon(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"the ledger's key": "", "a configured key": ", hash_key_file: key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, sim.Settings{PSTN: simulator.NewWorld(past(103, sim.PSTNMix(), 300))})
			n.keep("key", "hash~hush~hush~hush")
			r := newReceiver(t, n.vault, otlpsink.Settings{})
			x := n.start(settings{OTLP: r.overHTTP(""), More: "privacy: {numbers: hash" + key + "}"}).ready()
			now := n.Now()
			x.counts(n, now)
			r.delivered(n, pstn, now)

			beside := objects(t, n.records(pstn, "jsonl").out.String())
			same := map[string]string{
				"cdr.caller.number": "caller", "cdr.callee.number": "callee", "cdr.user.name": "user",
				"cdr.user.id":                     "user_id",
				"cdr.msgraph.user_principal_name": "user_principal", "cdr.outcome": "outcome",
			}
			for _, l := range r.Logs() {
				for attribute, field := range same {
					if l.Attributes[attribute] != beside[l.RecordID][field] {
						t.Fatalf("%s of %s is %v in the log record, and `records` prints %v",
							attribute, l.RecordID, l.Attributes[attribute], beside[l.RecordID][field])
					}
				}
			}
			x.counts(n, now)
			x.stop()

			before := digests(t, n.ledger())
			after := objects(t, n.records(pstn, "jsonl").out.String())
			if text := fmt.Sprint(after); text != fmt.Sprint(beside) {
				t.Error("`records` prints something else once the daemon has ended")
			}
			if now := digests(t, n.ledger()); !maps.Equal(before, now) {
				t.Errorf("`records` changed the ledger's files: %v, before %v", now, before)
			}
		})
	}
}

// digests are hashes of a folder's files, but for -shm: it is where processes that have the ledger
// open meet, and holds nothing of it.
func digests(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "-shm") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		require.NoError(t, err)
		all[entry.Name()] = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return all
}

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
