package main_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// inProgress waits until cdr_active_calls of every source is what the provider says.
// Publication is held.
func (x *exporter) inProgress(e *estate) {
	x.t.Helper()
	for _, p := range e.places() {
		want := p.active(p.Visible())
		eventually(x.t, "show the calls of "+p.source()+" that are in progress", func() error {
			m := x.scrape()
			for _, d := range []cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal, cdr.DirectionUnknown} {
				if got := m.sum("cdr_active_calls", "source="+p.source(),
					"direction="+d.String()); int(got) != want[d] {
					return fmt.Errorf("%g are %s, want %d", got, d, want[d])
				}
			}
			if n := len(m.series("cdr_active_calls", "source="+p.source())); want == nil && n > 0 {
				return fmt.Errorf("%d series though nobody asks", n)
			}
			return nil
		})
	}
}

// reconciled waits until the provider's totals of today and yesterday are shown, and
// agree with ours.
func (x *exporter) reconciled(c *carrier) {
	x.t.Helper()
	eventually(x.t, "show the provider's totals", func() error {
		m, at := x.scrape(), c.Visible()
		var wrong []error
		for day, before := range map[string]int{"today": 0, "yesterday": -1} {
			date := time.Now().UTC().AddDate(0, 0, before)
			want := c.DayTotals(date, at)
			wrong = append(wrong,
				m.is(float64(want), "cdr_exporter_provider_records", "source=wave", "feed=call_log", "day="+day),
				m.is(0, "cdr_exporter_reconciliation_difference", "source=wave", "feed=call_log", "day="+day))
		}
		return errors.Join(wrong...)
	})
}
