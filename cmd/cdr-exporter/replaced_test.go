package main_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// TestLedgerReplaced (counting.md 34): the exporter notices when its ledger is replaced while it runs. It stays up but
// not ready, says so, and sends no request to the provider. The tests of the ledger have what else can happen to the
// files, and that nothing is written to the new ones.
func TestLedgerReplaced(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{DirectRouting: world(t, unfolding(98, sim.DirectRoutingMix(), 500))})
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
	failures := func(times int) {
		eventually(t, "fail to read", func() error {
			if got := len(linesWith(x.log.String(), "Reading the feed failed", want)); got < times {
				return fmt.Errorf("%d times", got)
			}
			return nil
		})
	}
	failures(1)
	asked := n.answered()
	n.Resume()
	n.Advance(48 * time.Hour)
	failures(3)
	if got := n.answered(); got != asked {
		t.Errorf("%d requests were sent since", got-asked)
	}
	if f := x.feed("contoso", directRouting); f.State != "error" || !strings.Contains(f.LastError, want) {
		t.Errorf("the feed is %s, %q", f.State, f.LastError)
	}
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

// TestDatabaseReplaced (counting.md 34): a replica ends with an error if another one has dropped
// and recreated its schema, or if its DSN names another database now. It counts nothing in the
// other ledger and makes no tables there, and every call is counted once.
func TestDatabaseReplaced(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{DirectRouting: world(t, unfolding(99, sim.DirectRoutingMix(), 500))})
	f := newFleet(n.site, pgtest.Start(t, "fsync = off"), nil)
	f.feeds = 1
	n.configureSources(settings{Storage: fleetStorage}, n.itemOf(source{PSTN: "-"}))
	at := n.Pause()
	do := func(statement string) {
		t.Helper()
		if err := f.withDatabase(func(ctx context.Context, conn *pgx.Conn) error {
			_,
				err := conn.Exec(ctx, statement)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	const dropped = `DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION cdr`
	ends := func(r *replica, why string) {
		t.Helper()
		f.forget(r)
		r.exited(1)
		if !strings.Contains(r.log.String(), why) {
			t.Errorf("it doesn't say %q:\n%s", why, r.log.tail())
		}
	}

	// Emptied: it makes no tables.
	a := f.start(1)[0]
	a.counts(n, at)
	do(dropped)
	ends(a, "the ledger is gone from its place")
	var tables int
	if err := f.query(`SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`, &tables); err != nil || tables > 0 {
		t.Fatalf("there are %d tables, %v", tables, err)
	}

	// Another replica recreated it while this one was paused.
	a = f.start(1)[0]
	a.counts(n, at)
	a.signal(syscall.SIGSTOP)
	do(dropped)
	f.forget(a)
	b := f.start(1)[0]
	b.counts(n, at)
	a.signal(syscall.SIGCONT)
	ends(a, "another ledger is in its place")
	n.Resume()
	n.Advance(48 * time.Hour)
	later := n.Pause()
	b.counts(n, at, later)

	// The DSN names another database; the connections that it has are cut.
	do(`CREATE DATABASE second OWNER cdr`)
	f.keep(b.name+".dsn", strings.Replace(f.dsn(b.name, b.wire), "/cdr?", "/second?", 1))
	f.forget(b)
	b.wire.Cut()
	b.wire.Resume()
	ends(b, "the ledger is gone from its place")
	c := f.start(1)[0]
	c.counts(n, at, later)
	f.stop(c)
	f.verify()
}
