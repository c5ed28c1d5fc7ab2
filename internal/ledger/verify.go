package ledger

import (
	"fmt"
	"os"
)

// verifying turns the invariants on; every test of this package and of the
// binary sets it.
var verifying = os.Getenv("CDR_LEDGER_VERIFY") != ""

// verify checks after every commit what must hold between memory and file.
func (l *Ledger) verify() error {
	if !verifying || l.engine == nil {
		return nil
	}
	for _, f := range l.feeds {
		var stored row
		if err := stored.load(l.engine, f.row.id); err != nil {
			return err
		}
		if stored.seq != f.row.seq || stored.state.Records != f.row.state.Records {
			return fmt.Errorf("invariant: feed %s: memory has seq %d and %d records, the file seq %d and %d records",
				f.spec.Feed, f.row.seq, f.row.state.Records, stored.seq, stored.state.Records)
		}
		if stored.state.Floor.Before(stored.state.Origin) {
			return fmt.Errorf("invariant: feed %s: floor before origin", f.spec.Feed)
		}
	}
	var waiting int64
	err := l.engine.conn.QueryRowContext(background, `SELECT COALESCE(sum(records), 0) FROM outbox`).Scan(&waiting)
	if err != nil {
		return l.engine.explain(err)
	}
	if records, _ := l.Outbox(); records != waiting {
		return fmt.Errorf("invariant: outbox: memory has %d records, the file %d", records, waiting)
	}
	return nil
}
