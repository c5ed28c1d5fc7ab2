package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// commitChange is the only way to change the ledger (counting.md 1). It moves the owner's sequence number
// first, so that a second writer is noticed, and then writes. apply changes memory; it runs only
// after the database said that the transaction is durable, and not if memory was reloaded to find
// that out. Without an owner, write must be correct whichever replica runs it, and if it runs
// twice. The commit lock is held.
func (l *Ledger) commitChange(ctx context.Context, owner *Feed, write func() error, apply func()) error {
	defer l.closeOnPanic()
	began := l.settings.Now()
	if err := l.tryChange(ctx, owner, write, apply); err != nil {
		if errors.Is(err, ErrFull) && l.spending == 0 {
			l.reserve.release()
		}
		return err
	}
	if l.settings.OnCommit != nil {
		l.settings.OnCommit(l.settings.Now().Sub(began))
	}
	return l.checkInvariants()
}

// lockLedger, in a transaction, waits for all others that ran it.
const lockLedger = `UPDATE feeds SET epoch = epoch WHERE id = 0`

// commitAlone commits a change that only one replica may make at a time: no other one writes
// between what body reads and writes.
func (l *Ledger) commitAlone(ctx context.Context, body func() error) error {
	return l.commitChange(ctx, nil, func() error {
		if l.Shared() { // SQLite has one transaction at a time
			if _, err := l.engine.Exec(lockLedger); err != nil {
				return err
			}
		}
		return body()
	}, nil)
}

func (l *Ledger) tryChange(ctx context.Context, owner *Feed, write func() error, apply func()) error {
	var err error
	for range 2 {
		if err := l.ensureOpen(ctx); err != nil {
			return err
		}
		begun := false
		err = l.engine.Transact(ctx, func() error {
			begun = true
			if owner != nil {
				if err := owner.advanceSeq(); err != nil {
					return err
				}
			}
			return write()
		})
		// A server or a proxy closes idle connections. A transaction that didn't begin is tried once
		// more, on a new connection.
		if !l.Shared() || begun || !errors.Is(err, engine.ErrIO) || errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	switch {
	case err == nil:
		if owner != nil {
			owner.seq++
		}
		if apply != nil {
			apply()
		}
	case errors.Is(err, ErrFenced):
		return errors.Join(err, l.reload())
	case errors.Is(err, engine.ErrUnknown):
		return l.resolveUnknownCommit(owner, err)
	}
	return err
}

// ensureOpen opens the database, at first or after a failure closed it, and loads memory from it.
func (l *Ledger) ensureOpen(ctx context.Context) error {
	if l.closed {
		return ErrClosed
	}
	if err := l.checkFiles(); err != nil {
		return err
	}
	if l.engine != nil && l.engine.IsBroken() {
		_ = l.closeEngine() // the error that broke it was returned
	}
	if l.engine != nil {
		return nil
	}
	// Only one caller waits for a server that doesn't answer. Callers that queued meanwhile fail with
	// its error, so that a reload or a stop behind them doesn't wait for each.
	if l.mu.arrived < l.mu.failures.Load() {
		return l.failed
	}
	err := l.openAgain(ctx)
	if err != nil && ctx.Err() == nil {
		l.failed = err
		l.mu.failures.Add(1)
	}
	return err
}

func (l *Ledger) openAgain(ctx context.Context) error {
	e, err := l.settings.openTables(ctx, l.settings.database(), engine.Access{
		Known: l.identity.Load() != nil, Probe: l.settings.probe,
		Verify: l.compareIdentity,
	})
	if err != nil {
		return err
	}
	if !l.Shared() {
		if err := l.noteFiles(); err != nil {
			return errors.Join(err, e.Close())
		}
	} else {
		// A primary shows what its synchronous standby lacks and a failover takes back. After a
		// commit the standby has all before it.
		if _, err := e.Reader.Within(ctx).Exec(lockLedger); err != nil {
			return errors.Join(err, e.Close())
		}
	}
	l.engine = e
	l.reader.Store(&e.Reader)
	return l.reload()
}

// reload loads memory from the database again. If that fails it closes the database, so that the
// next caller tries again.
func (l *Ledger) reload() error {
	if err := l.compareIdentity(l.engine.ScanRow); err != nil {
		return errors.Join(err, l.closeEngine())
	}
	for _, f := range l.feeds {
		if err := f.load(); err != nil && !errors.Is(err, ErrNotOwner) {
			return errors.Join(err, l.closeEngine())
		}
	}
	if err := cmp.Or(l.loadOutbox(), l.compareCatalogue()); err != nil {
		return errors.Join(err, l.closeEngine())
	}
	return nil
}

// readSession is the session for reads that wait for no commit. It waits for a commit only if the database
// has to be opened again. That goes on for the others when ctx ends.
func (l *Ledger) readSession(ctx context.Context) (*engine.Session, error) {
	if err := l.Replaced(); err != nil {
		return nil, err
	}
	if reader := l.reader.Load(); reader != nil {
		return reader.Within(ctx), nil
	}
	// Feeds may hold the lock before, each of which tries to connect.
	if err := l.mu.LockWithin(ctx); err != nil {
		return nil, fmt.Errorf("wait for the database to be opened again: %w", err)
	}
	var reader *engine.Session
	opened := make(chan error, 1)
	go func() {
		defer l.mu.Unlock()
		err := l.ensureOpen(context.Background())
		if err == nil {
			reader = l.engine.Reader.Within(ctx)
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		return reader, err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the database to be opened again: %w", ctx.Err())
	}
}

// readUnlocked reads all rows of a query, as engine.ReadRows does, and waits for no commit. what says of what they are.
func readUnlocked[T any](
	ctx context.Context, l *Ledger, what, text string, args []any, columns func(*T) []any,
) (all []T, err error) {
	reader, err := l.readSession(ctx)
	if err == nil {
		all, err = engine.ReadRows(reader, text, args, columns)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return all, nil
}

// closeOnPanic closes the database after a panic within a transaction, which rolls it back, and panics again.
func (l *Ledger) closeOnPanic() {
	if v := recover(); v != nil {
		_ = l.closeEngine() // the panic says more
		panic(v)
	}
}

// resolveUnknownCommit finds out whether a transaction whose COMMIT failed is durable: then the
// sequence number has moved.
func (l *Ledger) resolveUnknownCommit(owner *Feed, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var epoch, next int64
	if owner != nil {
		epoch, next = owner.epoch, owner.seq+1
	}
	_ = l.closeEngine() // its error says no more than cause
	if err := l.ensureOpen(ctx); err != nil {
		return errors.Join(cause, err)
	}
	if owner != nil && owner.epoch == epoch && owner.seq == next {
		return nil
	}
	return fmt.Errorf("commit to the ledger: %w", cause)
}

// closeEngine closes the database if it is open; the next use opens it again.
func (l *Ledger) closeEngine() error {
	e := l.engine
	if e == nil {
		return nil
	}
	l.engine = nil
	l.reader.Store(nil)
	delete(l.files, walName)
	return e.Close()
}

// lock is a mutex that can be waited for no longer than a context.
type lock struct {
	held chan struct{}
	// failures is how often the database couldn't be opened, and arrived how often when the holder began to wait.
	failures atomic.Uint64
	arrived  uint64
}

func newLock() lock { return lock{held: make(chan struct{}, 1)} }

func (k *lock) Lock()   { _ = k.LockWithin(context.Background()) } // it never ends
func (k *lock) Unlock() { <-k.held }

// LockWithin waits for the lock, and returns the context's error if that ends first.
func (k *lock) LockWithin(ctx context.Context) error {
	arrived := k.failures.Load()
	select {
	case k.held <- struct{}{}:
		k.arrived = arrived
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
