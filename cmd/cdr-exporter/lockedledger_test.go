package main_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

// TestLockedLedger: while another process holds a transaction on the ledger, so that no commit gets on,
// metrics, health, status and page answer; when it lets go, reading goes on.
func TestLockedLedger(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{DirectRouting: world(t, unfolding(97, sim.DirectRoutingMix(), 500))})
	at := n.Pause()
	x := n.start(settings{Sources: []source{{PSTN: "-"}}}).ready()
	x.counts(n, at)

	db, err := sql.Open("sqlite", "file:"+filepath.Join(n.ledger(), "ledger.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // again, after what matters
	held, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	asked := n.answered()
	eventually(t, "read a page that can't be committed", func() error {
		if got := n.answered(); got <= asked {
			return fmt.Errorf("%d requests", got-asked)
		}
		return nil
	})
	for _, path := range []string{"/metrics", "/-/healthy", "/-/ready", "/api/v1/status", "/"} {
		if _, err := x.client.get(path); err != nil {
			t.Error(err)
		}
	}
	// A commit gives up after 10 s and says so: the answers came while it still waited.
	if line := lineWith(x.log.String(), "holds a transaction"); line != "" {
		t.Errorf("the endpoints answered only after the commit had given up: %s", line)
	}
	if _, err := held.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(held.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	n.Resume()
	n.Advance(48 * time.Hour)
	x.counts(n, at, n.Pause())
	x.stop()
}
