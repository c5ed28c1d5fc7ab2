package ledger

import (
	"errors"
	"fmt"
	"os"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// verifying turns the invariants on; every test of this package and of the binary sets it.
var verifying = os.Getenv("CDR_LEDGER_VERIFY") != ""

// checkInvariants checks after every commit what must hold between memory and file.
func (l *Ledger) checkInvariants() error {
	if !verifying || l.engine == nil {
		return nil
	}
	for _, f := range l.feeds {
		if err := f.checkInvariants(); err != nil {
			return fmt.Errorf("invariant: feed %s: %w", f.spec.Feed, err)
		}
	}
	if l.Shared() {
		return nil // what waits of a feed that moved is another replica's
	}
	for s := range l.outboxes {
		waiting, err := outbox.Count(&l.engine.Session, outbox.Signal(s))
		if err != nil {
			return err
		}
		if records, _ := l.outboxes[s].Waiting(); records != waiting {
			return fmt.Errorf("invariant: outbox %d: memory has %d records, the file %d", s, records, waiting)
		}
	}
	return nil
}

// checkInvariants checks that memory has what the file has, and that the totals add up.
func (f *Feed) checkInvariants() error {
	type counts struct{ seq, records, floor, origin, ids, rows int64 }
	s, sizes, file := f.committed.Load(), f.ids.Sizes(), counts{}
	memory := counts{
		seq: f.seq, records: int64(s.Calls), floor: engine.Micros(s.Floor), origin: engine.Micros(s.Origin),
		ids: int64(sizes.BlockIDs), rows: int64(sizes.JournalRows),
	}
	err := f.ledger.engine.ScanRow(`SELECT seq, records, floor, origin, (SELECT COALESCE(sum(ids), 0) FROM blocks
		WHERE feed = f.id),
		(SELECT count(*) FROM journal WHERE feed = f.id) FROM feeds f WHERE f.id = ?`, []any{f.id},
		&file.seq, &file.records, &file.floor, &file.origin, &file.ids, &file.rows)
	switch {
	case err != nil:
		return err
	case memory != file:
		return fmt.Errorf("memory has %+v, the file %+v", memory, file)
	case file.floor < file.origin-f.spec.Lead.Microseconds():
		return errors.New("floor before what is read")
	}
	return f.verifyTotals()
}

// verifyTotals checks guarantee 3: the calls sum up to the records, and each that didn't connect is
// a failure; and each session that didn't end well is a failure.
func (f *Feed) verifyTotals() error {
	calls, failures := f.series.Totals(metrics.Calls, "outcome"), f.series.Totals(metrics.CallFailures, "outcome")
	var total uint64
	for _, o := range cdr.Outcomes() {
		n, failed := calls[o.String()], failures[o.String()]
		total += uint64(n)
		if o.Connected() {
			n = 0
		}
		if failed != n {
			return fmt.Errorf("%d failures of %d calls with outcome %s that are to be failures", failed, n, o)
		}
	}
	if total != f.committed.Load().Calls {
		return fmt.Errorf("%d calls are counted, %d records", total, f.committed.Load().Calls)
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
