package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// pruneRuns is how many runs one transaction of Prune deletes, and those of the bucket that it is at.
const pruneRuns = 32

// Show writes down which new series may be shown by their value now, and shows them (counting.md 21).
func (l *Ledger) Show(ctx context.Context) error {
	due := l.store.Due()
	if len(due) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.commit(ctx, nil, func() error {
		var ids []any
		for _, s := range due {
			ids = append(ids, s.ID)
		}
		return l.engine.execMany(`UPDATE series SET shown = 1 WHERE id IN (`, `(CAST(? AS BIGINT))`, `)`, ids)
	}, func() { l.store.Show(due) })
	if err != nil {
		return fmt.Errorf("show new series: %w", err)
	}
	return nil
}

// Prune forgets what can't be read again: ids below a floor that is raised in the same transaction, never above
// watermark − (1.25·lookback + 2 days) (counting.md 5), and what is kept for some time only. It works in small transactions.
func (l *Ledger) Prune(ctx context.Context) error {
	l.mu.Lock()
	feeds := slices.Collect(maps.Values(l.feeds))
	l.mu.Unlock()
	var errs []error
	for _, f := range feeds {
		for more := ctx.Err() == nil; more; {
			var err error
			if more, err = f.pruneOnce(ctx); err != nil {
				errs = append(errs, fmt.Errorf("prune feed %s: %w", f.name(), err))
				break // what is left waits for the next time
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserve.fill()
	return errors.Join(errs...)
}

// pruneOnce deletes some of what the feed has to forget and says whether there may be more.
func (f *Feed) pruneOnce(ctx context.Context) (more bool, err error) {
	l := f.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	// First, since it may read the feed's state anew.
	if err := l.ensureOpen(ctx); err != nil || f.lost {
		return false, err
	}
	if !l.reserve.spent { // else the room is for the outbox
		if err := f.moveJournal(ctx); err != nil {
			return false, err
		}
	}
	keep := f.spec.Lookback + f.spec.Lookback/4 + 48*time.Hour
	var refused bool // any work was tried in vain and still waits, or was set aside
	if err := l.engine.scanRow(`SELECT EXISTS (SELECT 1 FROM tasks WHERE feed = ? AND (set_aside = 1 OR attempts > 0))`,
		[]any{f.id}, &refused); err != nil {
		return false, err
	}
	if refused { // what comes in the end is still to be counted, and once
		keep = max(keep, setAsideFor)
	}
	// Never by our clock's future either: what a provider's wrong clock has moved can come back, deleted ids can't.
	next, now := *f.committed.Load(), l.settings.Now()
	oldest := next.Watermark.Add(-keep)
	if now.Before(next.Watermark) {
		oldest = now.Add(-keep)
	}
	if floor := oldest.Truncate(time.Hour); floor.After(next.Floor) {
		next.Floor = floor
	}
	gone, more := f.ids.forgottenRuns(next.Floor)
	err = l.commit(ctx, f, func() error {
		for _, r := range gone {
			if _, err := l.engine.exec(`DELETE FROM blocks WHERE id = ?`, r.row); err != nil {
				return err
			}
		}
		return errors.Join(f.deleteOld(now, oldest), f.save(&next))
	}, func() {
		f.ids.remove(gone)
		f.committed.Store(&next)
	})
	return more, err
}

// forgottenRuns are runs of buckets that are forgotten, whole buckets until there are pruneRuns, and whether there are more.
func (s *idStore) forgottenRuns(floor time.Time) (gone []*run, more bool) {
	for _, bucket := range slices.Sorted(maps.Keys(s.runs)) {
		if !isForgotten(bucket, floor) {
			continue
		}
		if len(gone) >= pruneRuns {
			return gone, true
		}
		gone = append(gone, s.runs[bucket]...)
	}
	return gone, false
}

// deleteOld deletes what is kept for some time only. Rows that were set aside can't be read again if calls from before oldest aren't.
func (f *Feed) deleteOld(now, oldest time.Time) error {
	var errs []error
	for _, d := range [...]struct {
		text   string
		before int64
	}{
		{`DELETE FROM tallies WHERE feed = ? AND trunk > 0 AND second < ?`, now.Add(-f.ledger.settings.Options.BypassWindow).Unix()},
		{`DELETE FROM tallies WHERE feed = ? AND trunk = 0 AND second < ?`, activityOf(now.Add(-activityKept))},
		{`DELETE FROM tasks WHERE feed = ? AND set_aside = 1 AND due < ?`, micros(now.Add(-setAsideFor))},
		{`DELETE FROM bad_rows WHERE feed = ? AND at < ?`, micros(oldest.Add(-48 * time.Hour))},
	} {
		_, err := f.ledger.engine.exec(d.text, f.id, d.before)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Maintain shows new series and prunes until the context ends. Errors go to report; a full disk and the like pass by themselves.
func (l *Ledger) Maintain(ctx context.Context, report func(error)) {
	show, prune := time.NewTicker(time.Second), time.NewTicker(10*time.Minute)
	defer show.Stop()
	defer prune.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-show.C:
			err = l.Show(ctx)
		case <-prune.C:
			err = l.Prune(ctx)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			report(err)
		}
	}
}
