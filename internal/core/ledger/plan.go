package ledger

import (
	"bytes"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// savePlan writes the parts of a reader's position that differ from those that were committed. A
// reader of many files changes one or two of thousands.
func (f *Feed) savePlan(next []byte) (err error) {
	was := f.committed.Load().Plan
	for at := 0; at < max(len(was), len(next)) && err == nil; at += counting.PlanPart {
		switch data := planPart(next, at); {
		case bytes.Equal(data, planPart(was, at)):
		case len(data) == 0:
			_, err = f.ledger.engine.Exec(`DELETE FROM plans WHERE feed = ? AND part >= ?`, f.id, at/counting.PlanPart)
			return err
		default:
			_, err = f.ledger.engine.Exec(`INSERT INTO plans (feed, part, data) VALUES (?, ?, ?) ON CONFLICT (feed,
				part) DO UPDATE SET data = excluded.data`,
				f.id, at/counting.PlanPart, data)
		}
	}
	return err
}

func planPart(plan []byte, at int) []byte {
	if at >= len(plan) {
		return nil
	}
	return plan[at:min(at+counting.PlanPart, len(plan))]
}

func (l *Ledger) loadPlan(feed int64) (plan []byte, err error) {
	parts, err := engine.ReadRows(&l.engine.Session, `SELECT data FROM plans WHERE feed = ? ORDER BY part`, []any{feed},
		func(part *[]byte) []any { return []any{part} })
	if err != nil {
		return nil, fmt.Errorf("read the position of feed %d: %w", feed, err)
	}
	return bytes.Join(parts, nil), nil
}
