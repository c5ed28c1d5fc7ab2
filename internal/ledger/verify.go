package ledger

import (
	"errors"
	"fmt"
	"os"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
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
		if f.lost {
			continue // it is another replica's
		}
		if err := f.verify(); err != nil {
			return fmt.Errorf("invariant: feed %s: %w", f.spec.Feed, err)
		}
	}
	if l.Shared() {
		return nil // what waits of a feed that moved is another replica's
	}
	var waiting int64
	if err := l.engine.scanRow(`SELECT COALESCE(sum(records), 0) FROM outbox`, nil, &waiting); err != nil {
		return err
	}
	if records, _ := l.Outbox(); records != waiting {
		return fmt.Errorf("invariant: outbox: memory has %d records, the file %d", records, waiting)
	}
	return nil
}

// verify checks that memory has what the file has, and that the totals add up.
func (f *Feed) verify() error {
	var stored row
	if err := stored.load(f.ledger.engine, f.row.id); err != nil {
		return err
	}
	if stored.seq != f.row.seq || stored.state.Records != f.row.state.Records {
		return fmt.Errorf("memory has seq %d and %d records, the file seq %d and %d records",
			f.row.seq, f.row.state.Records, stored.seq, stored.state.Records)
	}
	if stored.state.Floor.Before(stored.state.Origin) {
		return errors.New("floor before origin")
	}
	ids, storedIDs, storedRows := 0, 0, 0
	for _, runs := range f.ids.runs {
		for _, r := range runs {
			ids += r.ids
		}
	}
	err := f.ledger.engine.scanRow(`SELECT (SELECT COALESCE(sum(ids), 0) FROM blocks WHERE feed = ?), (SELECT count(*) FROM journal WHERE feed = ?)`,
		[]any{f.row.id, f.row.id}, &storedIDs, &storedRows)
	if rows := f.ids.rows; err == nil && (ids != storedIDs || rows != storedRows) {
		return fmt.Errorf("memory has %d ids in blocks and %d rows of the journal, the file %d and %d", ids, rows, storedIDs, storedRows)
	}
	if err != nil {
		return err
	}
	return f.verifyTotals()
}

// verifyTotals checks guarantee 3: the calls sum up to the records, and each that
// didn't connect is a failure, or at most one where a parent's may stand for it; and
// each session that didn't end well is a failure.
func (f *Feed) verifyTotals() error {
	calls, failures := f.series.Totals(metrics.Calls, "outcome"), f.series.Totals(metrics.CallFailures, "outcome")
	var total uint64
	for _, o := range cdr.Outcomes() {
		n, failed := calls[o.String()], failures[o.String()]
		total += uint64(n)
		if o.Connected() {
			n = 0
		}
		if failed > n || failed < n && !f.spec.Parents {
			return fmt.Errorf("%d failures of %d calls with outcome %s that are to be failures", failed, n, o)
		}
	}
	if total != f.row.state.Records {
		return fmt.Errorf("%d calls are counted, %d records", total, f.row.state.Records)
	}
	var ended, failed int64
	for result, n := range f.series.Totals(metrics.Sessions, "result") {
		if result != cdr.SessionOK.String() {
			ended += n
		}
	}
	for _, n := range f.series.Totals(metrics.SessionFailures, "stage") {
		failed += n
	}
	if ended != failed {
		return fmt.Errorf("%d sessions that failed, %d failures of sessions", ended, failed)
	}
	return nil
}
