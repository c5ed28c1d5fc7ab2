package app

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// grouped makes one account of all sources of a replica, as one credential does.
type grouped struct{ *fakeReplica }

func (g grouped) accounts() []account {
	all := account{key: "one credential"}
	for _, s := range g.sources {
		all.feeds = append(all.feeds, namedFeeds(s, "one", "two"))
	}
	return []account{all}
}

// reload has the replica read a changed configuration, whose sources aren't read yet.
func (r *fakeReplica) reload(reader accountReader) {
	r.ownership.mu.Lock()
	defer r.ownership.mu.Unlock()
	r.reader = reader
	for _, s := range r.sources {
		r.set(s, false)
	}
}

// While one replica has two sources under one credential and another one, not reloaded yet, under
// two, each is read by one of them.
func TestOwnership_OtherCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		old := d.start(t, "old", 2)
		letPass(3 * time.Second)
		fresh := d.start(t, "fresh", 2)
		letPass(5 * settledAfter)
		wantReading(t, "at rest", map[*fakeReplica]int{old: 1, fresh: 1})
		fresh.reload(grouped{fresh})
		letPass(5 * settledAfter)
		for _, s := range old.sources {
			if old.isRead(s) == fresh.isRead(s) {
				t.Errorf("%s is read by old: %v, by fresh: %v", s, old.isRead(s), fresh.isRead(s))
			}
		}
	})
}

// A source that the ledger refuses stays unread alone: others with its credential are read.
func TestOwnership_OneSourceIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		d.refused = "account-00"
		a := d.start(t, "a", 3)
		a.reload(grouped{a})
		letPass(5 * settledAfter)
		wantReading(t, "all but the refused", map[*fakeReplica]int{a: 2})
		if a.isRead("account-00") {
			t.Error("the refused source is read")
		}
	})
}

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

// That the database is gone is logged also while a source is refused for its configuration.
func TestOwnership_LogsEachProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, log := newFakeDatabase(), new(syncBuffer)
		d.refused = "account-00"
		d.logger = slog.New(slog.NewTextHandler(log, nil))
		d.start(t, "a", 3)
		letPass(3 * time.Second)
		d.mu.Lock()
		d.down = true
		d.mu.Unlock()
		letPass(2 * ledger.LeaseTime)
		if !strings.Contains(log.String(), errDown.Error()) {
			t.Errorf("the log says nothing of the database: %s", log)
		}
	})
}

// A replica that stops while the database is gone doesn't say that the database is back.
func TestOwnership_LogsNoRecoveryWhenItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, log := newFakeDatabase(), new(syncBuffer)
		d.logger = slog.New(slog.NewTextHandler(log, nil))
		a := d.start(t, "a", 2)
		d.start(t, "b", 2)
		letPass(3 * time.Second)
		d.mu.Lock()
		d.down = true
		d.mu.Unlock()
		letPass(3 * time.Second)
		a.handOver()
		letPass(3 * time.Second)
		if strings.Contains(log.String(), "works again") {
			t.Errorf("the log says that it works: %s", log)
		}
	})
}

// Who reads all accounts doesn't count any more since when nobody had one: it will give it up like any other.
func TestOwnership_ForgetsThatNobodyHadIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a := d.start(t, "a", 4)
		letPass(time.Second)
		b := d.start(t, "b", 4)
		letPass(300 * time.Millisecond)
		c := d.start(t, "c", 4)
		letPass(3 * time.Second)
		// Before a's end is noticed, c stops answering: c's accounts go to b when c's lease has
		// ended too.
		a.kill()
		letPass(4 * time.Second)
		thaw := c.freeze()
		defer thaw()
		letPass(ledger.LeaseTime + 6*time.Second)
		wantReading(t, "alone", map[*fakeReplica]int{b: 4})
		b.ownership.mu.Lock()
		defer b.ownership.mu.Unlock()
		if n := len(b.unowned); n > 0 {
			t.Errorf("%d accounts that b reads count as nobody's", n)
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
