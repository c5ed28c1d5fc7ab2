package dashboards

import (
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// monthBefore shifts a panel whose time is thisMonth: Grafana moves its beginning and its end by a month, to the
// month's own.
const monthBefore = "1M/M"

// months are the sums that cdr-exporter report makes, by the operator's labels or, without any, by source and
// country: of the current month and of the month before. Calls have no currency, so that money has a separate table.
func (b *board) months() {
	keep, calls, answered := by("source", "country"), metrics.CallsByCountry, is("connected", "true")
	if len(b.Labels) > 0 {
		keep, calls, answered = append(by("source"), b.Labels...), metrics.Calls, connected()
	}
	named := make([]string, len(keep))
	for i, label := range keep {
		named[i] = words(label)
	}
	what := " by " + strings.Join(named, ", ")
	const caveat = " Counters move when a record is read; exact sums of any month are written by cdr-exporter report."
	b.row("Months")
	for _, month := range []struct{ title, shift string }{{"This month so far", ""}, {
		"The month before",
		monthBefore,
	}} {
		minutes := b.total(metrics.ConnectedSeconds, keep)
		minutes.expr, minutes.unit = minutes.expr+" / 60", units.Minutes
		counted := b.table(text{month.title + ": calls", "Calls, connected calls and connected minutes" + what +
			"." + caveat},
			nonzero(b.total(calls, keep)).as("Calls"), b.total(calls, keep,
				answered).as("Connected"), minutes.as("Minutes")).
			OverrideByName("Calls", properties{decimals(0)}).
			OverrideByName("Connected", properties{decimals(0)}).
			OverrideByName("Minutes", properties{decimals(0)})
		paid := b.table(text{month.title + ": charges", "Charges plus debits minus credits" + what + "." + caveat},
			b.net(b.total, append(slices.Clone(keep), "currency")).as("Charges")).
			OverrideByName("Charges", properties{decimals(2)})
		for _, p := range []*table.PanelBuilder{counted, paid} {
			if p.TimeFrom(thisMonth); month.shift != "" {
				p.TimeShift(month.shift)
			}
			b.add(12, 9, p)
		}
	}
}
