package ledger

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// saveResume writes the parts of State.Resume that differ from those that were committed. A reader of many files
// changes one or two of thousands.
func (f *Feed) saveResume(next []byte) error {
	was := slices.Collect(slices.Chunk(f.committed.Load().Resume, counting.ResumePart))
	parts := 0
	for data := range slices.Chunk(next, counting.ResumePart) {
		if parts >= len(was) || !bytes.Equal(data, was[parts]) {
			if _, err := f.ledger.engine.Exec(`INSERT INTO resume (feed, part, data) VALUES (?, ?, ?)
				ON CONFLICT (feed, part) DO UPDATE SET data = excluded.data`, f.id, parts, data); err != nil {
				return err
			}
		}
		parts++
	}
	if parts >= len(was) {
		return nil
	}
	_, err := f.ledger.engine.Exec(`DELETE FROM resume WHERE feed = ? AND part >= ?`, f.id, parts)
	return err
}

func (l *Ledger) loadResume(feed int64) (resume []byte, err error) {
	parts, err := engine.ReadRows(&l.engine.Session, `SELECT data FROM resume WHERE feed = ? ORDER BY part`,
		[]any{feed}, func(part *[]byte) []any { return []any{part} })
	if err != nil {
		return nil, fmt.Errorf("read the position of feed %d: %w", feed, err)
	}
	return bytes.Join(parts, nil), nil
}
