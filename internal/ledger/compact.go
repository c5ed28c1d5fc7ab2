package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Compact merges the blocks of each bucket and rewrites the file without free room. It takes the ledger's lock: ErrLocked while the
// exporter runs.
func Compact(ctx context.Context, folder string) (before, after int64, err error) {
	if _, err := os.Stat(filepath.Join(folder, fileName)); err != nil {
		return 0, 0, noLedger(folder, err)
	}
	l, err := Open(ctx, Settings{Folder: folder, Now: time.Now, Options: metrics.Options{BypassWindow: time.Hour}})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if before, err = l.Size(); err != nil {
		return 0, 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	feeds, err := l.everyFeed()
	if err != nil {
		return 0, 0, err
	}
	for _, f := range feeds {
		if err := f.compact(ctx); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", f.name(), err)
		}
	}
	for _, text := range [...]string{`VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := l.engine.exec(text); err != nil {
			return 0, 0, fmt.Errorf("compact ledger: %w", err)
		}
	}
	after, err = l.Size()
	return before, after, err
}

// compact leaves at most one block of each bucket beside those that are large already.
func (f *Feed) compact(ctx context.Context) error {
	if err := f.moveJournal(ctx); err != nil {
		return err
	}
	for _, bucket := range slices.Sorted(maps.Keys(f.ids.runs)) {
		if len(f.ids.runs[bucket]) < 2 {
			continue
		}
		var m move
		err := f.ledger.commit(ctx, &f.row, change{
			write: func() error { return f.ids.writeRun(f.ledger.engine, &m, bucket, nil, runIDs) },
			apply: func() { f.ids.publishMove(m) },
		})
		if err != nil {
			return fmt.Errorf("merge blocks: %w", err)
		}
	}
	return nil
}
