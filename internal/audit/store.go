package audit

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Store keeps the result of an audit in the ledger, where the exporter finds it.
func Store(ctx context.Context, where ledger.Storage, spec ledger.FeedSpec, began time.Time, days []Day) error {
	var results []ledger.AuditResult
	for _, d := range days {
		day, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			return err
		}
		results = append(results, ledger.AuditResult{Day: day, At: began, Listed: int64(d.Listed), Missing: int64(d.Missing), Differs: d.Differs(), Whole: d.Whole})
	}
	return ledger.StoreAudit(ctx, where, spec, results)
}
