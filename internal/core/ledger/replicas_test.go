package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// replicaOf is a rig on the same ledger, as another process would open it.
func replicaOf(r *rig, name string) *rig {
	other := *r
	shared := *r.storage.Postgres
	shared.Replica = name
	other.storage = Storage{Postgres: &shared}
	l, err := Open(r.t.Context(), other.settings())
	require.NoError(r.t, err)
	other.ledger, other.feed = l, nil
	r.t.Cleanup(other.close)
	if _, err := l.Renew(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return &other
}

func (r *rig) acquire() bool {
	r.t.Helper()
	acquired, err := r.ledger.Acquire(r.t.Context(), ownerOf(r.t, r.ledger, r.spec))
	require.NoError(r.t, err)
	return acquired
}

// takeOver opens the feed that another replica gives up.
func (r *rig) takeOver(from *rig) {
	r.t.Helper()
	require.NoError(r.t, from.ledger.Leave(r.t.Context()))
	if !r.acquire() {
		r.t.Fatal("not acquired")
	}
	r.openFeed()
}

// silence lets a replica have given no sign of life for longer than a lease.
func (r *rig) silence(name string) {
	r.t.Helper()
	r.exec(`UPDATE replicas SET seen = seen - ? WHERE name = ?`, (LeaseTime + time.Second).Microseconds(), name)
}

// twoReplicas are a replica with a live feed and one without.
func twoReplicas(t *testing.T) (a, b *rig) {
	t.Helper()
	a = newRig(t)
	a.live()
	return a, replicaOf(a, "b")
}

// release gives the feed up.
func (r *rig) release() {
	r.t.Helper()
	r.ledger.Drop(r.spec.Source, r.spec.Feed)
	require.NoError(r.t, r.ledger.Release(r.t.Context(), r.spec.Source, r.spec.Feed))
}

// terminate ends the connection to the server.
func (r *rig) terminate() {
	r.t.Helper()
	var pid int64
	require.NoError(r.t, r.ledger.engine.ScanRow(`SELECT pg_backend_pid()`, nil, &pid))
	inServer(r.t, fmt.Sprintf(`SELECT pg_terminate_backend(%d, 10000)`, pid))
}

func (r *rig) owner() string {
	r.t.Helper()
	c, err := r.ledger.Renew(r.t.Context())
	if err != nil || len(c.Feeds) != 1 {
		r.t.Fatalf("%+v, %v", c, err)
	}
	return c.Feeds[0].Owner
}

// A replica that was silent for longer than its lease has lost its feeds: the next owner goes on
// exactly where it had come to, and no commit of the former one succeeds any more, whatever it was
// about to write.
func TestFencing(t *testing.T) {
	a := newLiveRig(t)
	a.records(call("1"), call("2"))
	b := replicaOf(a, "b")
	if b.acquire() {
		t.Fatal("a feed was taken from a replica that lives")
	}
	if _, err := b.ledger.Feed(t.Context(), b.spec); !errors.Is(err, ErrNotOwner) {
		t.Fatalf("opened without owning: %v", err)
	}
	a.silence("replica")
	if got := b.owner(); got != "" {
		t.Fatalf("%q owns the feed of a silent replica", got)
	}
	if !b.acquire() || b.owner() != "b" {
		t.Fatal("the feed of a silent replica can't be taken")
	}
	if _, err := a.try(call("3")); err == nil {
		t.Fatal("a former owner committed")
	}
	if got := a.values(); len(got) != 0 {
		t.Fatalf("the former owner shows %v", got)
	}
	if _, err := a.try(call("3")); !errors.Is(err, ErrNotOwner) {
		t.Fatalf("a former owner isn't told: %v", err)
	}
	b.openFeed()
	if got := b.records(call("2"), call("3")); got.New != 1 || got.Duplicate != 1 {
		t.Fatalf("the new owner counted %+v", got)
	}
	wantValues(t, b.values(), map[string]string{answered: "3"})
	if n, _ := b.ledger.Logs().Waiting(); n != 3 {
		t.Fatalf("%d log records wait with the new owner", n)
	}
	// Records that the former owner has delivered meanwhile are gone for both.
	if batch, err := a.ledger.Logs().Next(t.Context(), 0); err != nil || batch != nil {
		t.Fatalf("the former owner still sends %+v, %v", batch, err)
	}
	// And back: released, it is taken without waiting.
	b.release()
	if !a.acquire() {
		t.Fatal("what was released can't be taken")
	}
	a.openFeed()
	if got := a.records(call("3"), call("4")); got.New != 1 {
		t.Fatalf("back at the first owner: %+v", got)
	}
	if err := a.ledger.Leave(t.Context()); err != nil || b.owner() != "" {
		t.Fatalf("a replica that left owns something: %v", err)
	}
}

// A replica may be silent for long. If it is back before another one acquires its feed, it keeps the
// feed and shows its series.
func TestAcquireFromWhoIsBack(t *testing.T) {
	a, b := twoReplicas(t)
	a.silence("replica")
	c, err := b.ledger.Renew(t.Context())
	if f := c.Feeds[0]; err != nil || f.Owner != "" || f.Holder != "replica" || !f.Silent {
		t.Fatalf("%+v, %v", c, err)
	}
	if f := ownerOf(t, a.ledger, a.spec); f.Owner != "replica" || f.Holder != "replica" || f.Silent {
		t.Fatalf("of a replica that is back: %+v", f)
	}
	if acquired, err := b.ledger.Acquire(t.Context(), &c.Feeds[0]); acquired || err != nil {
		t.Fatalf("a feed was taken from a replica that is back: %t, %v", acquired, err)
	}
}

// A commit that was under way when its feed moved is rolled back as a whole.
func TestFencedInMidCommit(t *testing.T) {
	a, b := twoReplicas(t)
	for i, point := range []string{`UPDATE feeds SET seq`, "COMMIT"} {
		moved := make(chan bool, 1)
		a.probe = func(at string) error {
			if at[:min(len(at), len(point))] != point {
				return nil
			}
			a.probe = nil
			b.silence(a.ledger.replica())
			free := ownerOf(t, b.ledger, a.spec)
			go func() { // it waits for the lock of the row, if the commit has it
				acquired, err := b.ledger.Acquire(t.Context(), free)
				moved <- acquired && err == nil
			}()
			if point != "COMMIT" && !<-moved {
				t.Error("not acquired")
			}
			return nil
		}
		_, err := a.try(call(fmt.Sprint(i)))
		if fenced := point != "COMMIT"; fenced != (err != nil) {
			t.Fatalf("at %q: %v", point, err)
		}
		if point == "COMMIT" && !<-moved {
			t.Fatal("not acquired after the commit")
		}
		b.openFeed()
		if got := b.records(call(fmt.Sprint(i))); got.New+got.Duplicate != 1 || (got.New == 1) != (err != nil) {
			t.Fatalf("at %q: the next owner counted %+v", point, got)
		}
		b.release()
		a.ledger.Drop(a.spec.Source, a.spec.Feed)
		own(t, a.ledger, a.spec)
		a.openFeed()
	}
	wantValues(t, a.values(), map[string]string{answered: "2"})
}

// The outbox of a feed is read in the end, even if it couldn't be read when the feed was opened.
func TestOutboxOfAFeedIsReadInTheEnd(t *testing.T) {
	r := newRig(t)
	r.spec.Feed = "pstn" // another owner has it until now
	own(t, r.ledger, r.spec)
	require.NoError(t, r.ledger.Register(t.Context(), r.spec))
	r.exec(`INSERT INTO outbox SELECT id, 1, 0, 0, 7, ?, ? FROM feeds WHERE feed = ?`, engine.Micros(epoch), []byte{},
		r.spec.Feed)
	r.exec(`ALTER TABLE outbox RENAME TO away`)
	if _, err := r.ledger.Feed(t.Context(), r.spec); err == nil {
		t.Fatal("opened without its outbox")
	}
	r.exec(`ALTER TABLE away RENAME TO outbox`)
	r.openFeed()
	if n, _ := r.ledger.Logs().Waiting(); n != 7 {
		t.Errorf("%d log records wait, not 7", n)
	}
}

// A replica that reads nothing loses its connection when the database restarts. It still opens the
// next feed.
func TestFeedAfterALostConnection(t *testing.T) {
	r := newRig(t)
	r.ledger.Drop(r.spec.Source, r.spec.Feed)
	r.terminate()
	var err error
	for range 3 {
		if r.feed, err = r.ledger.Feed(t.Context(), r.spec); err == nil {
			break
		}
	}
	require.NoError(t, err)
	r.live()
}

// Tasks may be enqueued by a replica that doesn't own the feed, also while the owner commits.
func TestEnqueueAnywhere(t *testing.T) {
	a, b := twoReplicas(t)
	task := work.Item{Kind: "fetch", Key: "k", Version: 2, Due: epoch, Data: "sealed"}
	for _, want := range []int{1, 0} { // the second time it waits already
		if n, err := b.ledger.Enqueue(t.Context(), a.spec, []work.Item{task}); err != nil || n != want {
			t.Fatalf("%d queued, %v; want %d", n, err, want)
		}
	}
	if due, err := a.feed.Due(t.Context(), epoch, 10); err != nil || len(due) != 1 || due[0].Version != 2 ||
		due[0].Data != "sealed" {
		t.Fatalf("the owner sees %+v, %v", due, err)
	}
	a.commit(&counting.Page{Done: []work.Item{task}})
	if waiting, _, err := a.feed.Waiting(t.Context()); err != nil || waiting != 0 {
		t.Fatalf("%d wait, %v", waiting, err)
	}
	other := a.spec
	other.Fingerprint = "another account"
	nobody := FeedSpec{Settings: counting.Settings{Source: "nobody", Feed: "none"}}
	for name, spec := range map[string]FeedSpec{"no feed": nobody, "a feed of another account": other} {
		if _, err := b.ledger.Enqueue(t.Context(), spec, []work.Item{task}); err == nil {
			t.Errorf("enqueued for %s", name)
		}
	}
}

// Of many replicas that see a feed without an owner one acquires it, also where the others have waited for its lock.
func TestAcquireAtOnce(t *testing.T) {
	a := newRig(t)
	require.NoError(t, a.ledger.Leave(t.Context()))
	var all []*rig
	for i := range 4 {
		all = append(all, replicaOf(a, fmt.Sprint("replica", i)))
	}
	for range 20 {
		acquired, free := make(chan bool), ownerOf(t, a.ledger, a.spec)
		for _, r := range all {
			go func() {
				got, err := r.ledger.Acquire(t.Context(), free)
				acquired <- got && err == nil
			}()
		}
		n := 0
		for range all {
			n += int(engine.Flag(<-acquired))
		}
		if n != 1 {
			t.Fatalf("%d replicas acquired the feed", n)
		}
		for _, r := range all {
			require.NoError(t, r.ledger.Release(t.Context(), a.spec.Source, a.spec.Feed))
		}
	}
}

// Many replicas may start on an empty database at once, and each feed is made once.
func TestStartAtOnce(t *testing.T) {
	storage, first := newStorage(t), &rig{t: t, clock: &clock{at: epoch}}
	first.spec = FeedSpec{Settings: counting.Settings{
		Source: "contoso", Provider: "msgraph", Feed: "pstn",
		History: time.Hour, Lookback: time.Hour,
	}, Fingerprint: "f"}
	for range 10 { // what a race breaks, it breaks now and then
		inServer(t, "SET search_path = "+schemaOf(t, storage)+"; DROP TABLE IF EXISTS "+
			strings.Join(append(tableNames(), "replicas"), ", "))
		errs := make(chan error)
		for i := range 4 {
			go func() {
				shared := *storage.Postgres
				shared.Replica = fmt.Sprint("replica", i)
				s := first.settings()
				s.Storage = Storage{Postgres: &shared}
				l, err := Open(t.Context(), s)
				if err != nil {
					errs <- err
					return
				}
				err = l.Register(t.Context(), first.spec)
				errs <- errors.Join(err, l.Close())
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}

// A new program that knows a metric otherwise starts beside an old one: what that one still counts
// isn't written to series that are gone.
func TestCatalogueChangesBesideAnOwner(t *testing.T) {
	a := newLiveRig(t) // the old program
	a.records(call("a"))
	a.exec(`UPDATE catalogue SET definition = definition || ' gone' WHERE metric = 'cdr_call_legs_total'`)
	b := replicaOf(a, "b") // the new one
	if _, err := a.try(call("b")); !errors.Is(err, ErrFenced) {
		t.Errorf("the old program's commit: %v", err)
	}
	b.takeOver(a)
	b.records(call("b"))
	if got := b.total("cdr_call_legs_total"); got != 1 {
		t.Errorf("%d legs are counted in the new series", got)
	}
}

// A replica that is paused while it registers a feed holds up no feed that is registered.
func TestPausedRegistration(t *testing.T) {
	r := newLiveRig(t)
	spec := r.spec
	spec.Feed = "pstn"
	own(t, r.ledger, spec)
	b := replicaOf(r, "b")
	b.exec(`BEGIN IMMEDIATE`)
	b.exec(lockLedger)
	if _, err := r.ledger.Feed(t.Context(), spec); err != nil { // it would end when the server's timeout is over
		t.Error(err)
	}
	if _, err := b.ledger.engine.Exec(`ROLLBACK`); err != nil {
		t.Error("it was waited for until the server ended it:", err)
	}
}

// The oldest log record that waits is the oldest, also if its feed was taken over after others.
func TestOldestOfATakenOverFeed(t *testing.T) {
	a := newLiveRig(t)
	a.records(call("a"))
	oldest := a.clock.at
	b := replicaOf(a, "b")
	b.clock.add(time.Hour)
	taken := a.spec
	b.spec.Feed = "pstn"
	own(t, b.ledger, b.spec)
	b.openFeed()
	b.records(call("b"))
	b.spec = taken
	b.takeOver(a)
	if _, got := b.ledger.Logs().Waiting(); !got.Equal(oldest) {
		t.Errorf("the oldest waits since %s, it is from %s", got, oldest)
	}
}

// Guarantee 5: waiting records of a removed source are still sent, by one replica at a time. If a
// replica has the source again, they belong to the feed again.
func TestOutboxOfARemovedSource(t *testing.T) {
	a, b := twoReplicas(t)
	a.records(call("1"))
	sends := func(when string, want *rig) {
		t.Helper()
		for _, r := range []*rig{a, b, a, b} {
			require.NoError(t, r.ledger.adoptOutbox(t.Context()))
		}
		for _, r := range []*rig{a, b} {
			batch, err := r.ledger.Logs().Next(t.Context(), 0)
			if err != nil || (batch != nil) != (r == want) {
				t.Errorf("%s: %s sends %+v, %v", when, r.ledger.replica(), batch, err)
			}
		}
	}
	sends("it is read", a)
	a.release()
	require.NoError(t, a.ledger.adoptOutbox(t.Context()))
	if n, _ := a.ledger.Logs().Waiting(); n != 0 {
		t.Error("what may be moving to another replica is sent")
	}
	sends("it was removed", a)
	if !b.acquire() {
		t.Fatal("what only waits to be sent can't be acquired")
	}
	b.openFeed()
	sends("another replica has it again", b)
	b.release()
	sends("it was removed there", a)
	b.silence("replica")
	sends("the replica that sent is gone", b)
	b.ack(b.next().ID)
	sends("all was sent", nil)
}
