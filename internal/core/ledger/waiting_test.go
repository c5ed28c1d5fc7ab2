package ledger

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// TestReadersDontWaitForACommit: what metrics, health and status are made of is read while a commit is held up.
func TestReadersDontWaitForACommit(t *testing.T) {
	r := newRig(t)
	r.tuning.OutboxLimit = 10
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.reopen()
	r.probe = func(string) error {
		once.Do(func() { close(held) })
		<-release
		return nil
	}
	var done sync.WaitGroup
	done.Go(func() {
		if _, err := r.try(call("a")); err != nil {
			t.Error(err)
		}
	})
	<-held
	// Each of these would wait for ever.
	if s := r.feed.State(); s.Calls != 0 {
		t.Errorf("%d calls before the commit", s.Calls)
	}
	r.ledger.Store().Snapshot()
	r.ledger.Store().Counts()
	r.ledger.OutboxFull()
	r.ledger.Logs().Waiting()
	_, err := r.ledger.Size()
	if r.ledger.Shared() {
		err = nil
	}
	_, err2 := r.ledger.Activity(t.Context(), epoch)
	_, _, err3 := r.feed.Waiting(t.Context())
	_, err4 := r.ledger.DailyTotals(t.Context(), epoch)
	_, err5 := r.ledger.Audits(t.Context(), epoch)
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		t.Error(err)
	}
	// Once the database has failed, a reader queues up to open it again, and gives up with its context.
	opened := r.ledger.reader.Swap(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.ledger.DailyTotals(ctx, epoch); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it gave up", err)
	}
	r.ledger.reader.Store(opened)
	close(release)
	done.Wait()
	if s := r.feed.State(); s.Calls != 1 {
		t.Errorf("%d calls after the commit", s.Calls)
	}
}

// Many wait for the lock while a server doesn't answer, each feed's loop for one: they don't wait
// for the server one after the other, since a reload and a stop wait behind them.
func TestASilentServerIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	database, wire := pgtest.Database(t), pgtest.NewProxy(t, pgtest.Shared(t).Addr)
	var asked atomic.Int64
	r := openRig(t, Storage{Postgres: &Postgres{Replica: "replica", DSN: func(context.Context) (string, error) {
		asked.Add(1)
		return pgtest.At(database, wire.Addr), nil
	}}})
	r.live()
	commit := func() {
		if _, err := r.try(); err == nil {
			t.Error("a commit succeeded without a server")
		}
	}
	wire.Cut()
	commit() // notices that the connection is gone
	wire.Resume()
	wire.Stall()
	asked.Store(0)
	const commits = 8
	var all sync.WaitGroup
	for range commits {
		all.Go(commit)
	}
	all.Wait()
	if n := asked.Load(); n > commits { // an attempt asks twice
		t.Errorf("the server was tried again for each of %d commits: its address was looked up %d times", commits, n)
	}
	wire.Resume()
	r.records(call("a"))
}

// TestRenewGivesUpInTime: behind a firewall that drops packets a renewal ends well before the lease
// does, whatever it waits for.
func TestRenewGivesUpInTime(t *testing.T) {
	t.Parallel()
	stall := func(wire *pgtest.Proxy) {
		wire.Resume()
		wire.Stall()
	}
	closed := func(r *rig, wire *pgtest.Proxy) {
		wire.Cut()
		if _, err := r.try(); err == nil {
			t.Error("a commit succeeded without a server")
		}
		stall(wire)
	}
	for name, silence := range map[string]func(r *rig, wire *pgtest.Proxy){
		"on an open connection":         func(_ *rig, wire *pgtest.Proxy) { wire.Stall() },
		"on a new connection":           func(_ *rig, wire *pgtest.Proxy) { wire.Cut(); stall(wire) },
		"after the database was closed": closed,
		"while another one opens the database": func(r *rig, wire *pgtest.Proxy) {
			closed(r, wire)
			go func() { _, _ = r.ledger.Activity(context.Background(), epoch) }()
			<-time.After(100 * time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, wire := pgtest.Database(t), pgtest.NewProxy(t, pgtest.Shared(t).Addr)
			r := openRig(t, Storage{Postgres: &Postgres{Replica: "replica", DSN: func(context.Context) (string, error) {
				return pgtest.At(database, wire.Addr+","+wire.Addr+","+wire.Addr), nil // as many hosts as a cluster has
			}}})
			r.live()
			if _, err := r.ledger.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
			silence(r, wire)
			began := time.Now()
			_, err := r.ledger.Renew(t.Context())
			if took := time.Since(began); err == nil || took > LeaseTime/3+time.Second {
				t.Errorf("it took %s, %v", took, err)
			}
			wire.Resume()
			if _, err := r.ledger.Renew(t.Context()); err != nil {
				t.Errorf("after the silence: %v", err)
			}
		})
	}
}

// TestWaitsEndWithTheirContext: a wait for a commit ends with its context, as when the sender of a webhook has gone.
func TestWaitsEndWithTheirContext(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a")) // with a log record that waits
	batch := r.next()
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	for name, wait := range map[string]func(ctx context.Context) error{
		"Feed": func(ctx context.Context) error { _, err := r.ledger.Feed(ctx, r.spec); return err },
		"Commit": func(ctx context.Context) error {
			_, err := r.feed.Commit(ctx, &counting.Page{ObservedAt: epoch})
			return err
		},
		"Enqueue":       func(ctx context.Context) error { _, err := r.ledger.Enqueue(ctx, r.spec, nil); return err },
		"Register":      func(ctx context.Context) error { return r.ledger.Register(ctx, r.spec) },
		"Prune":         r.ledger.Prune,
		"Ack":           func(ctx context.Context) error { return r.ledger.Logs().Ack(ctx, batch.ID) },
		"ReplaceSecret": func(ctx context.Context) error { return r.ledger.ReplaceSecret(ctx, "office", nil) },
		"check":         r.ledger.checkFilesAndSecrets,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestPruneWhileRenamed: what names a feed may change while others wait (run with -race).
func TestPruneWhileRenamed(t *testing.T) {
	r := newLiveRig(t)
	r.probe = func(string) error { return errors.New("the disk is broken") }
	var pruning sync.WaitGroup
	var done atomic.Bool
	pruning.Go(func() {
		defer done.Store(true)
		for range 200 {
			if err := r.ledger.Prune(t.Context()); err == nil {
				t.Error("it prunes on a broken disk")
			}
		}
	})
	for !done.Load() {
		if _, err := r.ledger.Feed(t.Context(), r.spec); err != nil {
			t.Error(err)
			break
		}
	}
	pruning.Wait()
	r.probe = nil
}
