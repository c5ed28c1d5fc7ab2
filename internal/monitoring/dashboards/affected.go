package dashboards

import "github.com/cdr-exporter/cdr-exporter/internal/core/metrics"

// affected adds a table for each of the operator's labels: whose calls failed.
func (b *board) affected() {
	for i, label := range b.Labels {
		if i == 0 {
			b.row("Who is affected")
		}
		keep := by(label)
		failures := b.total(metrics.CallFailures, keep, failed())
		t := b.table(text{"Failed calls by " + words(label), "Calls that the network, a trunk, a carrier or a " +
			"service failed in the time shown, and their share of all calls, by your label " + label + "."}.
			explained(metrics.CallFailures),
			nonzero(failures).as("Failed"), over(failures, b.total(metrics.Calls, keep), unitRatio).as("Share"))
		b.add(12, 8, t.OverrideByName("Failed", properties{decimals(0)}).OverrideByName("Share",
			properties{decimals(1)}))
	}
}
