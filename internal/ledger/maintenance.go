package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pruneRuns is how many runs one transaction of Prune deletes, and those of the bucket that it is at.
const pruneRuns = 32

// Show writes down which new series may be shown by their value now, and shows
// them (counting.md 21). It is to be called about every second.
func (l *Ledger) Show(ctx context.Context) error {
	due := l.store.Due()
	if len(due) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.commit(ctx, &l.root, change{
		write: func() error {
			for _, s := range due {
				if _, err := l.engine.exec(`UPDATE series SET shown = 1 WHERE id = ?`, s.ID()); err != nil {
					return err
				}
			}
			return nil
		},
		apply: func() { l.store.Show(due) },
	})
	if err != nil {
		return fmt.Errorf("show new series: %w", err)
	}
	return nil
}

// Prune forgets what can't be read again: ids below a floor that is raised in
// the same transaction, never above watermark − (1.25·lookback + 2 days)
// (counting.md 5), and old rows of the trailing gauge and of the activity. It works in small
// transactions until nothing is left to do or the context ends.
func (l *Ledger) Prune(ctx context.Context) error {
	for _, f := range l.openFeeds() {
		for {
			more, err := l.pruneOnce(ctx, f)
			if err != nil {
				return fmt.Errorf("prune ledger: %w", err)
			}
			if !more {
				break
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store.Trim() // under the commit lock, as every change of the store
	l.reserve.fill()
	return nil
}

func (l *Ledger) openFeeds() []*Feed {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*Feed, 0, len(l.feeds))
	for _, f := range l.feeds {
		all = append(all, f)
	}
	return all
}

// pruneOnce deletes some ids of a feed and says whether there may be more.
func (l *Ledger) pruneOnce(ctx context.Context, f *Feed) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// First, since it may read the feed's state anew.
	if err := l.ensureOpen(ctx); err != nil {
		return false, err
	}
	next := f.row.state
	keep := f.spec.Lookback + f.spec.Lookback/4 + 48*time.Hour
	switch refused, err := f.hasRefused(); {
	case err != nil:
		return false, err
	case refused: // what comes in the end is still to be counted, and once
		keep = max(keep, setAsideFor)
	}
	// Never by our clock's future either: what a provider's wrong clock has moved can
	// come back, deleted ids can't.
	read := next.Watermark
	now := l.settings.Now()
	if now.Before(read) {
		read = now
	}
	if floor := read.Add(-keep).Truncate(time.Hour); floor.After(next.Floor) {
		next.Floor = floor
	}
	if next.Floor.Equal(f.row.state.Floor) && !f.pruning && now.Sub(f.pruned).Abs() < time.Hour {
		return false, nil // what goes by time alone has an hour
	}
	below := forgottenBelow(next.Floor, read.Add(-keep-48*time.Hour))
	gone, more := f.ids.runsOf(below)
	err := l.commit(ctx, &f.row, change{
		write: func() error { return f.writePrune(&next, gone) },
		apply: func() {
			f.ids.remove(gone)
			f.setState(next)
			f.forgotten, f.pruning, f.pruned = below, more, now
		},
	})
	if err == nil && !more && f.ids.hasForgotten(below) {
		err = f.moveJournal(ctx)
	}
	return more, err
}

// writePrune deletes runs of buckets that are forgotten, old rows of the trailing gauge and of the activity, and
// work that was set aside long ago.
func (f *Feed) writePrune(next *State, gone []*run) error {
	e := f.ledger.engine
	for _, r := range gone {
		if _, err := e.exec(`DELETE FROM blocks WHERE id = ?`, r.row); err != nil {
			return err
		}
	}
	now := f.ledger.settings.Now()
	for _, d := range [...]struct {
		text string
		args []any
	}{
		{`DELETE FROM trailing WHERE feed = ? AND second < ?`, []any{f.row.id, now.Add(-f.ledger.settings.Options.BypassWindow).Unix()}},
		{`DELETE FROM activity WHERE feed = ? AND began < ?`, []any{f.row.id, now.Add(-activityKept).Unix() / activitySeconds}},
		{`DELETE FROM tasks WHERE feed = ? AND set_aside = 1 AND due < ?`, []any{f.row.id, micros(now.Add(-setAsideFor))}},
	} {
		if _, err := e.exec(d.text, d.args...); err != nil {
			return err
		}
	}
	return f.row.save(e, next)
}

// Maintain shows new series and prunes until the context ends. Errors go to
// report; a full disk and the like pass by themselves.
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
