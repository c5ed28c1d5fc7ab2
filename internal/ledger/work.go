package ledger

import (
	"context"
	"fmt"
	"time"
)

// writeWork changes the feed's pending work with the page (counting.md 4).
func (f *Feed) writeWork(page *Page) error {
	e := f.ledger.engine
	for _, w := range page.Done {
		if _, err := e.exec(`DELETE FROM work WHERE feed = ? AND kind = ? AND key = ? AND version <= ?`,
			f.row.id, w.Kind, w.Key, w.Version); err != nil {
			return err
		}
	}
	for _, w := range page.Enqueue {
		if _, err := e.exec(`INSERT INTO work (feed, kind, key, version, due, attempts, parked) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (feed, kind, key) DO UPDATE SET version = excluded.version, due = excluded.due,
			attempts = excluded.attempts, parked = excluded.parked WHERE excluded.version >= work.version`,
			f.row.id, w.Kind, w.Key, w.Version, micros(w.Due), w.Attempts, flag(w.Parked)); err != nil {
			return err
		}
	}
	return nil
}

// Due is the feed's work that is due and not parked, the longest due first, at
// most limit.
func (f *Feed) Due(ctx context.Context, now time.Time, limit int) ([]Work, error) {
	reader, err := f.ledger.reading()
	if err != nil {
		return nil, err
	}
	f.ledger.mu.Lock()
	id := f.row.id
	f.ledger.mu.Unlock()
	rows, err := reader.QueryContext(ctx, `SELECT kind, key, version, due, attempts FROM work
		WHERE feed = ? AND parked = 0 AND due <= ? ORDER BY due, kind, key LIMIT ?`, id, micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("read pending work: %w", err)
	}
	var all []Work
	err = scanAll(rows, func() error {
		var w Work
		var due int64
		if err := rows.Scan(&w.Kind, &w.Key, &w.Version, &due, &w.Attempts); err != nil {
			return err
		}
		w.Due = fromMicros(due)
		all = append(all, w)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read pending work: %w", err)
	}
	return all, nil
}
