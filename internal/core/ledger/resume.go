package ledger

import (
	"bytes"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// saveResume writes the parts of State.Resume that differ from those that were committed. A reader of many files
// changes one or two of thousands.
func (f *Feed) saveResume(next []byte) (err error) {
	was := f.committed.Load().Resume
	for at := 0; at < max(len(was), len(next)) && err == nil; at += counting.ResumePart {
		switch data := resumePart(next, at); {
		case bytes.Equal(data, resumePart(was, at)):
		case len(data) == 0:
			_, err = f.ledger.engine.Exec(`DELETE FROM resume WHERE feed = ? AND part >= ?`, f.id,
				at/counting.ResumePart)
			return err
		default:
			_, err = f.ledger.engine.Exec(`INSERT INTO resume (feed, part, data) VALUES (?, ?, ?) ON CONFLICT (feed,
				part) DO UPDATE SET data = excluded.data`,
				f.id, at/counting.ResumePart, data)
		}
	}
	return err
}

func resumePart(resume []byte, at int) []byte {
	if at >= len(resume) {
		return nil
	}
	return resume[at:min(at+counting.ResumePart, len(resume))]
}

func (l *Ledger) loadResume(feed int64) (resume []byte, err error) {
	parts, err := engine.ReadRows(&l.engine.Session, `SELECT data FROM resume WHERE feed = ? ORDER BY part`,
		[]any{feed}, func(part *[]byte) []any { return []any{part} })
	if err != nil {
		return nil, fmt.Errorf("read the position of feed %d: %w", feed, err)
	}
	return bytes.Join(parts, nil), nil
}
