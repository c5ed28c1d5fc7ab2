package wavix

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// Read is Pages for those who still want batches.
func (l *callLog) Read(ctx context.Context, from, to time.Time, emit func(*collector.Batch) error) error {
	number := 0
	for page, err := range l.Pages(ctx, from, to) {
		if err != nil {
			return err
		}
		number++
		b := &collector.Batch{
			Records: page.Records, Invalid: page.Invalid, Ignored: page.Ignored, Unmapped: page.Unmapped, Totals: page.Totals, Last: page.Last, Page: number,
		}
		if err := emit(b); err != nil {
			return err
		}
		page.Result = b.Result
	}
	return nil
}
