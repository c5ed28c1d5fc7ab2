package collector

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// A page takes at most postedAtOnce bodies from the ledger, and none after postedBytes: one may have thousands
// of records.
const (
	postedAtOnce = 16
	postedBytes  = 1 << 20
)

// posted is the part of a feed that counts what is posted to its Webhook. Its commitArrived is safe for concurrent use.
//
//	posted here while none waits ────────────────────────────────┬─▶ commit
//	posted to another replica, or while some wait ─▶ task in ledger ┘
type posted struct {
	*committer

	// turn is held from the look at the posted records that wait to the commit, so that an older
	// one isn't counted after a newer one.
	turn *semaphore.Weighted
}

// wait implements part: there is something to do as soon as another replica has enqueued a record.
func (f *posted) wait(ctx context.Context) time.Duration {
	if tasks, err := f.first(ctx, 1); err == nil && len(tasks) == 0 {
		return neverDue
	}
	return 0
}

func (f *posted) trouble() error { return nil }

// do commits the records that wait in the ledger, in the order in which they came, each
// together with the removal of its task.
func (f *posted) do(ctx context.Context) error {
	for {
		if some, err := f.commitSome(ctx); err != nil || !some {
			return cmp.Or(err, errNothingDue) // it says nothing about the stream
		}
	}
}

func (f *posted) commitSome(ctx context.Context) (some bool, err error) {
	if err := f.turn.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer f.turn.Release(1)
	tasks, err := f.first(ctx, postedAtOnce)
	if err != nil || len(tasks) == 0 {
		return false, err
	}
	size := 0
	for i := range tasks {
		if size += len(tasks[i].Data); size >= postedBytes {
			tasks = tasks[:i+1]
			break
		}
	}
	page := f.settings.Info.Posted(tasks)
	page.Done = tasks
	_, err = f.commitPage(ctx, page)
	return true, err
}

// first are the bodies that came first of those that wait. They have the time of the replica that received them,
// which may be ahead of ours.
func (f *posted) first(ctx context.Context, most int) ([]work.Item, error) {
	tasks, err := f.settings.Ledger.Due(ctx, f.settings.Clock.Later().Add(longestTaskWait), most)
	return tasks, asLedgerError(err)
}

// commitArrived commits a record that was posted here. While others wait in the ledger it returns
// ErrReadElsewhere: it has to wait behind them.
func (f *posted) commitArrived(ctx context.Context, page *Page) error {
	if err := f.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer f.turn.Release(1)
	tasks, err := f.first(ctx, 1)
	if err == nil && len(tasks) > 0 {
		err = ErrReadElsewhere
	}
	if err == nil { // not for a sender that has given up: it may have posted it elsewhere
		_, err = f.commitWithin(ctx, page)
	}
	return err
}
