package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// fakeDatabase is what replicas share of a ledger, by the rules of internal/core/ledger/replicas.go.
type fakeDatabase struct {
	mu       sync.Mutex
	seen     map[string]time.Time
	replicas []ledger.Replica
	feeds    []ledger.FeedOwner // Owner as stored
	moves    map[string]int     // by feed
	down     bool
	locked   string // a source whose rows an open transaction has changed
	refused  string // a source that takes over the name of another account's
	logger   *slog.Logger
}

func newFakeDatabase() *fakeDatabase {
	return &fakeDatabase{seen: map[string]time.Time{}, moves: map[string]int{}, logger: slog.New(slog.DiscardHandler)}
}

func (d *fakeDatabase) alive(name string) bool {
	return name != "" && time.Since(d.seen[name]) < ledger.LeaseTime
}

// lock keeps the rows of a source locked, and those of no other.
func (d *fakeDatabase) lock(source string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locked = source
}

// setDown ends or restores the database.
func (d *fakeDatabase) setDown(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

// fakeReplica is one process: its handle on the ledger, and what it reads.
type fakeReplica struct {
	*ownership

	db      *fakeDatabase
	name    string
	sources []string // configured
	mu      sync.Mutex
	reads   map[string]bool
	dropped map[string]int
	looked  int
	stop    context.CancelFunc
	stopped sync.WaitGroup
	paused  chan struct{} // not nil: Renew hangs until it is closed, and then was never sent
}

var errDown = errors.New("no database")

// Renew implements sharedLedger.
func (r *fakeReplica) Renew(ctx context.Context) (c ledger.Cluster, err error) {
	r.mu.Lock()
	paused := r.paused
	r.mu.Unlock()
	if paused != nil {
		<-paused
	}
	r.db.mu.Lock()
	defer r.db.mu.Unlock()
	if r.db.down {
		return c, errDown
	}
	if !slices.ContainsFunc(r.db.replicas, func(o ledger.Replica) bool { return o.Name == r.name }) {
		r.db.replicas = append(r.db.replicas, ledger.Replica{Name: r.name, Started: time.Now()})
	}
	r.db.seen[r.name] = time.Now()
	for _, o := range r.db.replicas {
		if r.db.alive(o.Name) {
			c.Replicas = append(c.Replicas, o)
		}
	}
	for _, f := range r.db.feeds {
		f.Holder, f.Silent = f.Owner, time.Since(r.db.seen[f.Owner]) >= ledger.LeaseTime/2
		if !r.db.alive(f.Owner) {
			f.Owner = ""
		}
		c.Feeds = append(c.Feeds, f)
	}
	return c, nil
}

// Register implements sharedLedger.
func (r *fakeReplica) Register(_ context.Context, spec ledger.FeedSpec) error {
	r.db.mu.Lock()
	defer r.db.mu.Unlock()
	if r.db.refused == spec.Source {
		return ledger.ErrOtherAccount
	}
	if r.db.find(spec.Source, spec.Feed) == nil {
		r.db.feeds = append(r.db.feeds, ledger.FeedOwner{Source: spec.Source, Feed: spec.Feed})
	}
	return nil
}

func (d *fakeDatabase) find(source, feed string) *ledger.FeedOwner {
	for i := range d.feeds {
		if f := &d.feeds[i]; f.Source == source && f.Feed == feed {
			return f
		}
	}
	return nil
}

// Acquire implements sharedLedger.
func (r *fakeReplica) Acquire(ctx context.Context, owner *ledger.FeedOwner) (bool, error) {
	if owner.Owner != "" {
		return owner.Owner == r.name, nil
	}
	source, feed := owner.Source, owner.Feed
	r.db.mu.Lock()
	locked := r.db.locked == source
	r.db.mu.Unlock()
	if locked {
		<-ctx.Done()
		return false, ctx.Err()
	}
	r.db.mu.Lock()
	defer r.db.mu.Unlock()
	f := r.db.find(source, feed)
	if r.db.alive(f.Owner) {
		return false, nil
	}
	f.Owner = r.name
	r.db.moves[source+"/"+feed]++
	return true, nil
}

// Drop implements sharedLedger.
func (r *fakeReplica) Drop(source, _ string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped[source]++
}

// Release implements sharedLedger.
func (r *fakeReplica) Release(_ context.Context, source, feed string) error {
	r.db.mu.Lock()
	defer r.db.mu.Unlock()
	if f := r.db.find(source, feed); f.Owner == r.name {
		f.Owner = ""
	}
	return nil
}

// Leave implements sharedLedger.
func (r *fakeReplica) Leave(context.Context) error {
	r.db.mu.Lock()
	defer r.db.mu.Unlock()
	for i := range r.db.feeds {
		if r.db.feeds[i].Owner == r.name {
			r.db.feeds[i].Owner = ""
		}
	}
	delete(r.db.seen, r.name)
	return nil
}

func (r *fakeReplica) accounts() (all []account) {
	for _, s := range r.sources {
		all = append(all, account{key: s, feeds: [][]ledger.FeedSpec{namedFeeds(s, "one", "two")}})
	}
	return all
}

func (r *fakeReplica) isRead(source string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reads[source]
}

func (r *fakeReplica) startSource(source string) { r.set(source, true) }

func (r *fakeReplica) stopAccount(a *account) {
	for _, feeds := range a.feeds {
		r.set(feeds[0].Source, false)
	}
}

func (r *fakeReplica) set(key string, reads bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reads {
		r.reads[key] = true
	} else {
		delete(r.reads, key)
	}
}

func (r *fakeReplica) lookForTasks() { r.looked++ }

// reading is how many accounts it reads.
func (r *fakeReplica) reading() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.reads)
}

// start starts a replica with a number of accounts configured.
func (d *fakeDatabase) start(t *testing.T, name string, accounts int) *fakeReplica {
	t.Helper()
	r := &fakeReplica{db: d, name: name, reads: map[string]bool{}, dropped: map[string]int{}}
	for i := range accounts {
		r.sources = append(r.sources, fmt.Sprintf("account-%02d", i))
	}
	r.ownership = newOwnership(r, r, name, d.logger, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	r.stopped.Go(func() { r.run(ctx) })
	t.Cleanup(r.kill)
	return r
}

// movesOf are the moves of all feeds since the last call.
func (d *fakeDatabase) movesOf() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	moves := d.moves
	d.moves = map[string]int{}
	return moves
}

// kill ends a replica without a word.
func (r *fakeReplica) kill() {
	r.stop()
	r.stopped.Wait()
}

// shutDown ends it as the daemon does.
func (r *fakeReplica) shutDown() {
	r.stopPlacing()
	r.kill()
	r.leave()
}

// freeze stops a replica at its next renewal, as SIGSTOP would, until the returned function is called.
func (r *fakeReplica) freeze() (thaw func()) {
	frozen := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = frozen
	return func() {
		r.mu.Lock()
		r.paused = nil
		r.mu.Unlock()
		close(frozen)
	}
}

// letPass lets time go by.
func letPass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// wantReading checks how many accounts each replica reads, and that each account is read once.
func wantReading(t *testing.T, when string, want map[*fakeReplica]int) {
	t.Helper()
	by := map[string]int{}
	for r, n := range want {
		if got := r.reading(); got != n {
			t.Errorf("%s: %s reads %d accounts, want %d", when, r.name, got, n)
		}
		r.mu.Lock()
		for key := range r.reads {
			by[key]++
		}
		r.mu.Unlock()
	}
	for key, n := range by {
		if n != 1 {
			t.Errorf("%s: %s is read %d times", when, key, n)
		}
	}
}

func TestOwnership_GainAndDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a := d.start(t, "a", 12)
		letPass(3 * time.Second)
		wantReading(t, "alone", map[*fakeReplica]int{a: 12})
		b := d.start(t, "b", 12)
		letPass(settledAfter / 2)
		wantReading(t, "a second one has come", map[*fakeReplica]int{a: 12, b: 0})
		if !b.holds() || len(b.seen.Load().replicas) == 0 {
			t.Error("it doesn't know of its lease")
		}
		letPass(2 * settledAfter)
		wantReading(t, "it stayed", map[*fakeReplica]int{a: 6, b: 6})
		if n := d.movesOf()["account-00/one"]; n > 2 {
			t.Errorf("an account has moved %d times", n)
		}
		b.kill()
		letPass(ledger.LeaseTime + 2*renewInterval)
		b.mu.Lock()
		clear(b.reads)
		b.mu.Unlock()
		wantReading(t, "it died", map[*fakeReplica]int{a: 12})
	})
}

// A rolling restart that starts the new replica before it stops the old one moves each account once.
func TestOwnership_RollingRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		var replicas []*fakeReplica
		for _, name := range []string{"a", "b", "c"} {
			replicas = append(replicas, d.start(t, name, 30))
		}
		letPass(10 * time.Minute)
		wantReading(t, "at rest", map[*fakeReplica]int{replicas[0]: 10, replicas[1]: 10, replicas[2]: 10})
		d.movesOf()
		for i, old := range replicas {
			replicas[i] = d.start(t, "new-"+old.name, 30)
			letPass(10 * time.Second)
			old.shutDown()
			letPass(2 * renewInterval)
			if got := replicas[i].reading(); got != 10 {
				t.Errorf("%s reads %d accounts after %s has left", replicas[i].name, got, old.name)
			}
		}
		letPass(10 * time.Minute)
		wantReading(t, "in the end", map[*fakeReplica]int{replicas[0]: 10, replicas[1]: 10, replicas[2]: 10})
		moves := d.movesOf()
		for feed, n := range moves {
			if n != 1 {
				t.Errorf("%s has moved %d times", feed, n)
			}
		}
		if len(moves) != 60 {
			t.Errorf("%d feeds have moved", len(moves))
		}
	})
}

// A replica that was paused for longer than its lease shows nothing until it knows which feeds it has
// lost. It doesn't read these feeds.
func TestOwnership_Pause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a, b := d.start(t, "a", 4), d.start(t, "b", 4)
		letPass(5 * time.Minute)
		wantReading(t, "at rest", map[*fakeReplica]int{a: 2, b: 2})
		thaw := a.freeze()
		a.mu.Lock()
		clear(a.dropped) // what it gave up before
		a.mu.Unlock()
		letPass(renewInterval + ledger.LeaseTime/2)
		if !a.holds() || b.reading() != 2 {
			t.Error("a short pause takes its accounts")
		}
		letPass(ledger.LeaseTime)
		if a.holds() || b.reading() != 4 {
			t.Errorf("after its lease it still shows its series: %v, the other one reads %d", a.holds(), b.reading())
		}
		thaw()
		synctest.Wait()
		a.mu.Lock()
		dropped := len(a.dropped)
		a.mu.Unlock()
		if !a.holds() || a.reading() != 0 || dropped != 2 {
			t.Errorf("it goes on: holds %v, reads %d, dropped %d accounts", a.holds(), a.reading(), dropped)
		}
		letPass(3 * settledAfter)
		wantReading(t, "in the end", map[*fakeReplica]int{a: 2, b: 2})
	})
}

// While the database is down nothing is shown, and afterwards everyone goes on with what nobody has taken.
func TestOwnership_DatabaseDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a, b := d.start(t, "a", 4), d.start(t, "b", 4)
		letPass(5 * time.Minute)
		d.movesOf()
		d.setDown(true)
		letPass(ledger.LeaseTime)
		if a.holds() || b.holds() {
			t.Error("what was owned is still shown")
		}
		d.setDown(false)
		letPass(renewInterval)
		wantReading(t, "it is back", map[*fakeReplica]int{a: 2, b: 2})
		if moves := d.movesOf(); !a.holds() || !b.holds() || len(moves) != 0 {
			t.Errorf("holds %v and %v, moved %v", a.holds(), b.holds(), moves)
		}
	})
}

// An account that only some replicas have in their configuration is read by one of those.
func TestOwnership_OtherConfigurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		old := d.start(t, "old", 2)
		letPass(renewInterval)
		fresh := d.start(t, "fresh", 3)
		late := d.start(t, "late", 2) // where the rule puts what is new, and which doesn't know it
		letPass(30 * time.Second)
		wantReading(t, "a new account", map[*fakeReplica]int{old: 2, fresh: 1, late: 0})
		d.movesOf()
		letPass(5 * settledAfter)
		if n := d.movesOf()["account-02/one"]; n > 1 {
			t.Errorf("the account that only one replica knows has moved %d times", n)
		}
		old.ownership.mu.Lock()
		old.sources = old.sources[:1] // the other one had moved
		old.set("account-01", false)  // as a reload does
		old.ownership.mu.Unlock()
		letPass(orphanedAfter + 3*renewInterval)
		if old.reading()+fresh.reading()+late.reading() < 3 {
			letPass(renewInterval) // one was being handed over
		}
		if old.isRead("account-01") || old.reading()+fresh.reading()+late.reading() != 3 {
			t.Errorf("what is no longer configured isn't released: %d, %d and %d are read", old.reading(),
				fresh.reading(), late.reading())
		}
	})
}

// A replica that stops hands its accounts over before it drains the outbox, which takes as long as
// the OTLP endpoint lets it; the last one drains it as the owner.
func TestOwnership_HandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a := d.start(t, "a", 4)
		letPass(3 * time.Second)
		a.handOver()
		letPass(3 * time.Second)
		if !a.holds() || !d.alive("a") {
			t.Error("alone, it gave its accounts up")
		}
		b := d.start(t, "b", 4)
		letPass(3 * time.Second)
		a.handOver()
		letPass(3 * time.Second)
		if n := b.reading(); n != 4 || a.holds() || d.alive("a") {
			t.Errorf("while a drains the outbox b reads %d of 4 accounts; a holds them: %v, lives: %v", n, a.holds(),
				d.alive("a"))
		}
	})
}

// A replica that is paused during a commit keeps a row locked. A replica that waits for the row
// keeps its own lease, and takes over the other accounts.
func TestOwnership_LockedRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		a := d.start(t, "a", 3)
		letPass(3 * time.Second)
		b := d.start(t, "b", 3)
		letPass(3 * time.Second)
		a.kill()
		d.lock("account-00")
		for range 20 {
			letPass(time.Second)
			if !b.holds() {
				t.Fatal("b lost its lease while it waited for a row")
			}
		}
		if n := b.reading(); n != 2 {
			t.Errorf("b reads %d of 2 accounts whose rows aren't locked", n)
		}
		d.lock("")
		letPass(3 * time.Second)
		wantReading(t, "the row is free", map[*fakeReplica]int{b: 3})
	})
}

// A source whose renamed_from is of another account has no row, so nobody reads it: the log says
// why, and other accounts are read.
func TestOwnership_RenamedFromAnotherAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDatabase()
		d.refused = "account-00"
		a := d.start(t, "a", 3)
		letPass(3 * time.Second)
		wantReading(t, "one is refused", map[*fakeReplica]int{a: 2})
		if err := a.pass(t.Context()); !errors.Is(err, ledger.ErrOtherAccount) {
			t.Errorf("the log is told %v", err)
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
