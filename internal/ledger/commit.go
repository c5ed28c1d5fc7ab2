package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// commit is the one way in which anything changes (counting.md 1). It moves the
// row's sequence number first, so that a second writer is noticed, and then writes; apply
// changes memory, only after the database said that the transaction is durable. Without an
// owner what is written must be right whoever writes it, and when it is done twice. The
// commit lock is held.
func (l *Ledger) commit(ctx context.Context, owner *row, write func() error, apply func()) error {
	defer l.abandon()
	began := l.settings.Now()
	err := l.tryCommit(ctx, owner, write)
	if err != nil {
		if errors.Is(err, ErrFull) {
			l.reserve.release()
		}
		return err
	}
	if owner != nil {
		owner.seq++
	}
	if apply != nil {
		apply()
	}
	if l.settings.OnCommit != nil {
		l.settings.OnCommit(l.settings.Now().Sub(began))
	}
	return l.verify()
}

// retried tries again, up to five times, what fails for the sake of another transaction or replica.
func retried(because error, change func() error) (err error) {
	for range 5 {
		if err = change(); !errors.Is(err, because) {
			return err
		}
	}
	return err
}

func (l *Ledger) tryCommit(ctx context.Context, owner *row, write func() error) error {
	if err := l.ensureOpen(ctx); err != nil {
		return err
	}
	err := retried(errConflict, func() error {
		return l.engine.transact(ctx, func() error {
			if owner != nil {
				if err := owner.advance(l.engine); err != nil {
					return err
				}
			}
			return write()
		})
	})
	switch {
	case errors.Is(err, ErrFenced):
		l.stale = true
		return errors.Join(err, l.refresh())
	case errors.Is(err, errUnknown):
		return l.resolve(owner, err)
	case errors.Is(err, errIO):
		// After a failed write or fsync the handle's view can't be trusted.
		return errors.Join(err, l.closeEngine())
	}
	return err
}

// ensureOpen opens the database again if a failure closed it.
func (l *Ledger) ensureOpen(ctx context.Context) error {
	if l.closed {
		return ErrClosed
	}
	if l.engine == nil {
		if err := l.reopen(ctx); err != nil {
			return err
		}
	}
	if l.stale {
		return l.refresh()
	}
	return nil
}

// refresh reads anew all that commits change: somebody else has written, or a
// commit's end couldn't be found out when it was made.
func (l *Ledger) refresh() error {
	var root row
	if err := root.load(l.engine, l.root.id); err != nil {
		return err
	}
	for _, f := range l.feeds {
		if err := f.load(); err != nil && !errors.Is(err, ErrNotOwner) {
			return err
		}
	}
	if err := l.loadOutbox(); err != nil {
		return err
	}
	l.root, l.stale = root, false
	return nil
}

// abandon puts things back after a panic within a transaction: the database
// rolls back as it is closed, and the panic goes on.
func (l *Ledger) abandon() {
	v := recover()
	if v == nil {
		return
	}
	l.stale = true
	if l.engine != nil {
		_ = l.closeEngine() // the panic says more
	}
	panic(v)
}

// resolve finds out whether a transaction whose COMMIT failed is durable, by the
// sequence number that it would have left.
func (l *Ledger) resolve(owner *row, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	l.stale = true      // until the end is known
	_ = l.closeEngine() // its error says no more than cause
	if err := l.reopen(ctx); err != nil {
		return errors.Join(cause, err)
	}
	if owner != nil {
		var stored row
		if err := stored.load(l.engine, owner.id); err != nil {
			return errors.Join(cause, err)
		}
		if stored.epoch == owner.epoch && stored.seq == owner.seq+1 {
			l.stale = false
			return nil
		}
	}
	l.stale = false
	return fmt.Errorf("commit to the ledger: %w", cause)
}

// closeEngine closes the database; the next commit opens it again.
func (l *Ledger) closeEngine() error {
	e := l.engine
	l.useEngine(nil)
	return e.close()
}

func (l *Ledger) reopen(ctx context.Context) error {
	e, err := openEngine(ctx, l.settings.database(), false, l.settings.probe)
	if err != nil {
		return fmt.Errorf("open the ledger again: %w", err)
	}
	if l.Shared() {
		// A primary shows what its synchronous standby doesn't have yet, and a failover would take back. When a commit succeeds, the
		// standby has all that was before it.
		if _, err := e.beside.within(ctx).exec(`UPDATE feeds SET epoch = epoch WHERE id = 0`); err != nil {
			return errors.Join(fmt.Errorf("open the ledger again: %w", err), e.close())
		}
	}
	l.useEngine(e)
	return nil
}
