package ledger

import (
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
		if err := f.verifyTotals(); err != nil {
			return err
		}
		if err := f.ids.verify(l.engine); err != nil {
			return fmt.Errorf("invariant: feed %s: %w", f.spec.Feed, err)
		}
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

// verify checks that memory has the rows that the file has.
func (s *idStore) verify(e *engine) error {
	var rows, runs, ids, known int
	for _, of := range s.runs {
		known += len(of)
		for _, r := range of {
			ids -= r.ids
		}
	}
	err := e.scanRow(`SELECT (SELECT count(*) FROM journal WHERE feed = ?), (SELECT count(*) FROM blocks WHERE feed = ?),
		? + (SELECT COALESCE(sum(ids), 0) FROM blocks WHERE feed = ?)`, []any{s.feed, s.feed, ids, s.feed}, &rows, &runs, &ids)
	if err != nil {
		return err
	}
	if rows != s.rows || runs != known || ids != 0 {
		return fmt.Errorf("memory has %d rows of the journal and %d blocks, the file %d and %d with %d ids more", s.rows, known, rows, runs, ids)
	}
	return nil
}

// verifyTotals checks guarantee 3: the calls sum up to the records, and each that
// didn't connect is a failure, or at most one where a parent's may stand for it.
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
			return fmt.Errorf("invariant: feed %s: %d failures of %d calls with outcome %s that are to be failures", f.spec.Feed, failed, n, o)
		}
	}
	if total != f.row.state.Records {
		return fmt.Errorf("invariant: feed %s: %d calls are counted, %d records", f.spec.Feed, total, f.row.state.Records)
	}
	return f.verifySessions()
}

// verifySessions checks that each session that didn't end well is a failure.
func (f *Feed) verifySessions() error {
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
		return fmt.Errorf("invariant: feed %s: %d sessions that failed, %d failures of sessions", f.spec.Feed, ended, failed)
	}
	return nil
}
