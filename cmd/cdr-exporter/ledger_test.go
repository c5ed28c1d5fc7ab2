package main_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestLedgerCommands: an operator inspects and verifies a ledger while the exporter writes to it,
// and compacts it when the exporter has stopped. The counts don't change. TestVerifyFindsDamage of
// internal/core/ledger has damaged ledgers.
func TestLedgerCommands(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(0)
	poison(faults, `"value":[`, `{"id":"no row at all","startDateTime":7}`)
	n := newTenant(t, sim.Settings{
		DirectRouting: simulator.NewWorld(past(21, sim.DirectRoutingMix(), 1_000)), Faults: faults,
	})
	at := n.Pause()
	x := n.start(settings{Sources: []source{{PSTN: "-"}}}).ready()
	x.counts(n, at)
	command := func(code int, name string) *exporter {
		return n.command(code, "ledger", name, "--config.file="+n.path("config.yaml"))
	}

	shown := command(0, "show").out.String()
	for _, want := range []string{
		"contoso/direct_routing (msgraph)",
		fmt.Sprintf("counted calls     %d\n", int(x.scrape().sum("cdr_calls_total"))),
		"first history     read", "still to be read  0 items, 0 of them set aside", "more aren't in blocks yet",
		"rows set aside  last",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in:\n%s", want, shown)
		}
	}
	if out := command(0, "verify").out.String(); !strings.Contains(out, "is intact") {
		t.Errorf("verify says %s", out)
	}
	if log := command(1, "compact").log.String(); !strings.Contains(log, "stop the exporter first") {
		t.Errorf("compact while the exporter runs says %s", log)
	}
	x.kill()

	if out := command(0, "compact").out.String(); !strings.Contains(out, "now ") {
		t.Errorf("compact says %s", out)
	}
	command(0, "verify")
	x = n.start(settings{Sources: []source{{PSTN: "-"}}}).ready()
	n.Advance(2 * time.Hour)
	x.counts(n, at, n.Pause())
	x.stop()
}

// TestLedgerReplaced (counting.md 34): the exporter notices when its ledger is replaced while it runs. It stays up but
// not ready, says so, and sends no request to the provider. The tests of the ledger have what else can happen to the
// files, and that nothing is written to the new ones.
func TestLedgerReplaced(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{DirectRouting: simulator.NewWorld(unfolding(98, sim.DirectRoutingMix(), 500))})
	at := n.Pause()
	x := n.start(settings{Sources: []source{{PSTN: "-"}}}).ready()
	x.counts(n, at)
	if err := errors.Join(os.WriteFile(n.ledger()+"/new", []byte("mine"), 0o600),
		os.Rename(n.ledger()+"/new", n.ledger()+"/ledger.db")); err != nil {
		t.Fatal(err)
	}
	const want = "ledger.db is another file now"
	x.logged("level=ERROR", "The ledger was removed or replaced", want)
	eventually(t, "not be ready", func() error {
		a, err := x.client.do("GET", "/-/ready", nil)
		if err == nil && (a.status != 503 || !strings.Contains(string(a.body), want)) {
			err = fmt.Errorf("status %d: %s", a.status, a.body)
		}
		return err
	})
	x.loggedTimes(1, "Reading the feed failed", want)
	asked := n.answered()
	n.Resume()
	n.Advance(48 * time.Hour)
	x.loggedTimes(3, "Reading the feed failed", want)
	if got := n.answered(); got != asked {
		t.Errorf("%d requests were sent since", got-asked)
	}
	x.fails("contoso", directRouting, want)
	if got, err := x.scrape().one("cdr_exporter_ledger_replaced"); err != nil || got != 1 {
		t.Errorf("cdr_exporter_ledger_replaced is %g, %v", got, err)
	}
	for path, text := range map[string]string{"/": want, "/api/v1/status": `"problem":"`, "/-/healthy": ""} {
		if body, err := x.client.get(path); err != nil ||
			!strings.Contains(strings.ReplaceAll(string(body), `": "`, `":"`), text) {
			t.Errorf("%s: %v, without %q", path, err, text)
		}
	}
	x.stop()
}

// TestDatabaseReplaced (counting.md 34): a replica ends with an error if its schema was dropped, and makes no tables
// there. The tests of the ledger have a schema that was created again, and a DSN that names another database.
func TestDatabaseReplaced(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{DirectRouting: simulator.NewWorld(unfolding(99, sim.DirectRoutingMix(), 500))})
	dsn := pgtest.Database(t)
	_, schema, _ := strings.Cut(dsn, "search_path=")
	n.write("dsn", dsn)
	x := n.start(settings{Storage: "postgres: {dsn_file: dsn}", Sources: []source{{PSTN: "-"}}}).ready()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	if _, err := conn.Exec(t.Context(), "DROP SCHEMA "+schema+" CASCADE; CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	x.exited(1)
	if why := "the ledger is gone from its place"; !strings.Contains(x.log.String(), why) {
		t.Errorf("it doesn't say %q:\n%s", why, x.log.Tail())
	}
	tables := 0
	err = conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = $1`, schema).Scan(&tables)
	if err != nil || tables > 0 {
		t.Errorf("there are %d tables, %v", tables, err)
	}
}
