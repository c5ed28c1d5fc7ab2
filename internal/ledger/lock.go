package ledger

import "context"

// lock is a mutex that can be waited for no longer than a context.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

func (k lock) Lock()   { k <- struct{}{} }
func (k lock) Unlock() { <-k }

// LockWithin waits for the lock, and returns the context's error if that ends first.
func (k lock) LockWithin(ctx context.Context) error {
	select {
	case k <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
