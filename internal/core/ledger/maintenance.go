package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// pruneBlocks is after how many blocks a transaction of Prune ends, at the end of a bucket.
const pruneBlocks = 32

// Maintain shows new series, prunes, and adopts what waits of removed sources until the context
// ends, or the ledger was replaced. Errors go to report, each once until
// another one comes or none; a full disk and the like pass by themselves.
func (l *Ledger) Maintain(ctx context.Context, report func(error)) {
	show, adopt, prune := time.NewTicker(time.Second), time.NewTicker(adoptInterval), time.NewTicker(10*time.Minute)
	defer show.Stop()
	defer adopt.Stop()
	defer prune.Stop()
	for problem := ""; l.Replaced() == nil; {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-show.C:
			if err = l.checkFilesAndSecrets(ctx); err == nil {
				err = l.Show(ctx)
			}
		case <-adopt.C:
			err = l.adoptOutbox(ctx)
		case <-prune.C:
			err = l.Prune(ctx)
		}
		switch {
		case errors.Is(err, context.Canceled) || errors.Is(err, ErrReplaced): // OnReplaced reports that
		case err == nil:
			problem = ""
		case err.Error() != problem:
			problem = err.Error()
			report(err)
		}
	}
}

// checkFilesAndSecrets sees whether the ledger's files are in their place, and commits what is in memory only.
func (l *Ledger) checkFilesAndSecrets(ctx context.Context) error {
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer l.mu.Unlock()
	return cmp.Or(l.checkFiles(), l.keepSecrets())
}

// Show makes the values of new series visible once zero_for has passed, first in the ledger and then
// in the store (counting.md 21).
func (l *Ledger) Show(ctx context.Context) error {
	due := l.store.Due()
	if len(due) == 0 || l.settings.Shows != nil && !l.settings.Shows() {
		return nil
	}
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer l.mu.Unlock()
	err := l.commitChange(ctx, nil, func() error {
		var ids []any
		for _, s := range due {
			ids = append(ids, s.ID)
		}
		return l.engine.ExecMany(`UPDATE series SET shown = 1 WHERE id IN (`, `(CAST(? AS BIGINT))`, `)`, ids)
	}, func() { l.store.Show(due) })
	if err != nil {
		return fmt.Errorf("show new series: %w", err)
	}
	return nil
}

// Prune deletes ids that can't be read again: those below a floor that is raised in the same
// transaction, never above watermark − (1.25·lookback + 2 days) (counting.md 5). It also deletes
// rows that are kept for a limited time. It works in small transactions.
func (l *Ledger) Prune(ctx context.Context) error {
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	feeds := make(map[*Feed]string, len(l.feeds)) // a reload may rename them meanwhile
	for name, f := range l.feeds {
		feeds[f] = name
	}
	l.mu.Unlock()
	var errs []error
	for f, name := range feeds {
		for more := ctx.Err() == nil; more; {
			var err error
			if more, err = f.pruneOnce(ctx); err != nil {
				errs = append(errs, fmt.Errorf("prune feed %s: %w", name, err))
				break // the rest waits for the next time
			}
		}
	}
	if err := l.mu.LockWithin(ctx); err != nil {
		return errors.Join(append(errs, err)...)
	}
	defer l.mu.Unlock()
	l.fillReserve()
	return errors.Join(errs...)
}

// pruneOnce deletes some of what the feed has to forget and says whether there may be more.
func (f *Feed) pruneOnce(ctx context.Context) (more bool, err error) {
	l := f.ledger
	if err := l.mu.LockWithin(ctx); err != nil {
		return false, err
	}
	defer l.mu.Unlock()
	// This comes first, because it may read the feed's state again.
	if err := l.ensureOpen(ctx); err != nil || f.lost {
		return false, err
	}
	if !l.reserve.released { // else the room is for the outbox
		if err := f.packIDs(ctx); err != nil {
			return false, err
		}
	}
	keep := f.spec.KeepsIDs()
	var refused bool // some task failed and still waits, or was set aside
	if err := l.engine.ScanRow(`SELECT EXISTS (SELECT 1 FROM tasks WHERE feed = ? AND (set_aside = 1 OR attempts > 0))`,
		[]any{f.id}, &refused); err != nil {
		return false, err
	}
	if refused { // its record may still come, and must be counted once
		keep = max(keep, setAsideFor)
	}
	// By the earlier of our clock and the watermark, which no wrong clock has moved ahead: deleted
	// ids can't come back (counting.md 10).
	next, now := *f.committed.Load(), l.settings.Now()
	earlier := now
	if next.Watermark.Before(now) {
		earlier = next.Watermark
	}
	oldest := earlier.Add(-keep)
	if floor := oldest.Truncate(time.Hour); floor.After(next.Floor) {
		next.Floor = floor
	}
	err = l.commitChange(ctx, f, func() error {
		if f.steppedBack.Load() { // next may be of what is gone
			return ErrFenced
		}
		if more, err = f.ids.Forget(next.Floor, pruneBlocks); err != nil {
			return err
		}
		return errors.Join(f.deleteOld(now, earlier, oldest), f.saveState(&next))
	}, func() {
		f.ids.Apply()
		f.committed.Store(&next)
	})
	return more, err
}

// packIDs packs the feed's ids, in a separate transaction.
func (f *Feed) packIDs(ctx context.Context) error {
	if f.ids.IsEmpty() {
		return nil
	}
	// A commit may open the database again and reload the ids.
	return f.ledger.commitChange(ctx, f, func() error { return f.ids.Pack() }, func() { f.ids.Apply() })
}

// deleteOld deletes rows that are kept for some time only. Bad rows from before oldest can't be read again.
func (f *Feed) deleteOld(now, earlier, oldest time.Time) error {
	var errs []error
	for _, d := range [...]struct {
		text   string
		before int64
	}{
		{`DELETE FROM activity WHERE feed = ? AND second < ?`, counting.ActivityOf(now.Add(-counting.ActivityKept))},
		{
			`DELETE FROM tasks WHERE feed = ? AND set_aside = 1 AND kind <> '` + work.Span + `' AND due < ?`,
			engine.Micros(earlier.Add(-setAsideFor)),
		},
		{`DELETE FROM daily_totals WHERE feed = ? AND day < ?`, engine.Micros(earlier.Add(-daily.Kept))},
		{`DELETE FROM audits WHERE feed = ? AND at < ?`, engine.Micros(earlier.Add(-auditsKept))},
		{`DELETE FROM bad_rows WHERE feed = ? AND at < ?`, engine.Micros(oldest.Add(-48 * time.Hour))},
	} {
		_, err := f.ledger.engine.Exec(d.text, f.id, d.before)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
