package app

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A replica that is paused right after a reload drops what another one has taken over since,
// although it hasn't read it again.
func TestOwnership_PauseAfterReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a := d.start(t, "a", 1)
		letPass(3 * time.Second)
		d.start(t, "b", 1)
		letPass(3 * time.Second)
		thaw := a.freeze()
		letPass(time.Second)
		a.set("account-00", false) // reloaded
		letPass(2 * ledger.LeaseTime)
		thaw()
		letPass(3 * time.Second)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.dropped["account-00"] == 0 {
			t.Error("what another replica reads is still shown")
		}
	})
}

// When the database's clock is set forward every lease looks as if it had ended, and every replica
// that lives keeps its accounts.
func TestOwnership_ClockIsSetForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a := d.start(t, "a", 4)
		letPass(renewInterval / 2)
		b := d.start(t, "b", 4)
		letPass(5 * time.Minute)
		d.movesOf()
		d.mu.Lock()
		for name, at := range d.seen {
			d.seen[name] = at.Add(-ledger.LeaseTime)
		}
		d.mu.Unlock()
		letPass(3 * renewInterval)
		wantReading(t, "afterwards", map[*fakeReplica]int{a: 2, b: 2})
		if moves := d.movesOf(); len(moves) != 0 {
			t.Errorf("moved %v", moves)
		}
	})
}

// A replica that stops while the database is gone doesn't say that the database is back.
func TestOwnership_LogsNoRecoveryWhenItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, log := newFakeDatabase(), new(require.Output)
		d.logger = slog.New(slog.NewTextHandler(log, nil))
		a := d.start(t, "a", 2)
		d.start(t, "b", 2)
		letPass(3 * time.Second)
		d.setDown(true)
		letPass(3 * time.Second)
		a.handOver()
		letPass(3 * time.Second)
		if strings.Contains(log.String(), "works again") {
			t.Errorf("the log says that it works: %s", log)
		}
	})
}
